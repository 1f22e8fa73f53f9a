"""Pages stay light, and ask the database as little of many as of few. Bytes and counts, never time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import brotli
import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, Response

from casebook import services as casebook
from casebook.models import Entry
from tests.cast import Cast
from tests.journeys.conftest import Person
from tests.journeys.walk import STOPS, Stop
from tests.journeys.world import candidate, make_world, put

KB = 1000
COLD, WARM, REQUESTS, HTML, DOM = 100 * KB, 15 * KB, 8, 20 * KB, 3000
STYLE, SCRIPT, FONT = 15 * KB, 25 * KB, 45 * KB
QUESTIONNAIRE = 60 * KB
SENDING = 28 * KB
"""Of the page that sends images, which has a script of its own."""
LONG = {"api:docs": 7000}
"""Elements of pages that are read once, from beginning to end, and not worked with."""
VIEWER = {"reading-case", "adjudication"}
"""Fetch the viewer, which no other page does; `tests/frontend/test_weight.py` weighs it."""
SAVE = 8


@dataclass
class Load:
    """What a browser with an empty cache fetched for a page."""

    page: Page
    answers: list[Response] = field(default_factory=list)

    def listen(self, answer: Response) -> None:
        """One more answer."""
        if not answer.url.startswith("data:"):
            self.answers.append(answer)

    def bytes_of(self, *endings: str) -> int:
        """Bytes on the wire of files with these endings."""
        return sum(weight(each) for each in self.answers if each.url.endswith(endings))

    @property
    def fetched_each_time(self) -> int:
        """Bytes that come again with the next visit: all but files that never change under their name."""
        immutable = settings.WHITENOISE_IMMUTABLE_FILE_TEST
        again = [each for each in self.answers if "/static/" not in each.url or not immutable("", each.url)]
        return sum(map(weight, again))

    def too_much(self, name: str) -> list[str]:
        """Each budget that is exceeded, in words."""
        cold = QUESTIONNAIRE if name.startswith("questionnaire") else COLD
        page = next(each for each in self.answers if each.request.resource_type == "document")
        found = {
            "KB in all": (sum(map(weight, self.answers)), cold),
            "KB again": (self.fetched_each_time, WARM),
            "requests": (len(self.answers), REQUESTS),
            "KB of HTML": (weight(page), HTML),
            "KB of style": (self.bytes_of(".css"), STYLE),
            "KB of script": (self.bytes_of(".js"), SENDING if name == "visit-images" else SCRIPT),
            "KB of fonts": (self.bytes_of(".woff2"), FONT),
            "elements": (
                int(self.page.evaluate("() => document.querySelectorAll('*').length")),
                LONG.get(name, DOM),
            ),
        }
        return [f"{what}: {number} of {limit}" for what, (number, limit) in found.items() if number > limit]


def weight(answer: Response) -> int:
    """Bytes of an answer on the wire; built files are served as brotli by the real server, not by this one."""
    if "/static/" in answer.url and not answer.url.endswith(".woff2"):
        return len(brotli.compress(answer.body()))
    return int(answer.request.sizes()["responseBodySize"])


def visit(somebody: Person, address: str) -> Load:
    """Open a page with an empty cache and wait until it is whole, fonts included."""
    page = somebody.context.new_page()
    somebody.context.new_cdp_session(page).send("Network.clearBrowserCache")
    load = Load(page)
    page.on("response", load.listen)
    page.goto(address)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    return load


def once_each(stops: tuple[Stop, ...]) -> list[Stop]:
    """The first stop of each page that somebody reaches without a second factor."""
    seen: dict[str, Stop] = {}
    for stop in stops:
        if stop.state not in {"guarded", "second factor"}:
            seen.setdefault(stop.name, stop)
    return [stop for name, stop in seen.items() if name not in VIEWER]


@pytest.mark.journey
@pytest.mark.django_db(transaction=True)
def test_every_page_stays_within_its_weight(cast: Cast, person: Callable[..., Person]) -> None:
    world = make_world(cast)
    people: dict[str, Person] = {}
    wrong = []
    for stop in once_each(STOPS):
        who = world.read.reader.username if stop.who == "reader" else stop.who
        somebody = people.setdefault(who, people.get(who) or person(who))
        load = visit(somebody, stop.where(world))
        wrong += [f"{stop.name}: {found}" for found in load.too_much(stop.name)]
        load.page.close()
    assert wrong == [], "\n".join(wrong)


@pytest.mark.journey
@pytest.mark.django_db(transaction=True)
def test_a_second_visit_fetches_no_file_again(cast: Cast, person: Callable[..., Person]) -> None:
    page = person("coordinator").page
    page.goto(reverse("subjects"))
    files = page.evaluate("() => performance.getEntriesByType('resource').map(each => each.name)")
    assert files
    immutable = settings.WHITENOISE_IMMUTABLE_FILE_TEST
    assert [each for each in files if "/static/" in each and not immutable("", each)] == []


# Statements ---------------------------------------------------------------------------------------------------------


def count(statements: Callable[[], Any], ask: Callable[[], Any]) -> int:
    """Statements of a request, the second time, when compiled protocols are kept."""
    ask()
    with statements() as done:
        answer = ask()
    assert answer.status_code == 200
    return len(done.counted)


@pytest.mark.django_db
def test_the_matrix_costs_the_same_however_much_was_entered(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    client = cast.client("coordinator")
    empty, full = cast.subject("EXCALIBUR"), candidate(cast)
    asked = Entry.objects.select_related("subject__version").filter(subject=full)
    few = count(statements, lambda: client.get(reverse("subject", args=[empty.number])))
    assert few <= 11  # one of them asks for images that were not sent
    for entry in asked:
        casebook.raise_query(actor=cast.actor("monitor"), entry=entry, item="", text="Please look.")
    for _ in range(3):
        candidate(cast)
    assert count(statements, lambda: client.get(reverse("subject", args=[full.number]))) == few


@pytest.mark.django_db
def test_a_form_costs_the_same_for_few_items_and_for_many(cast: Cast, statements: Callable[[], Any]) -> None:
    client, subject = cast.client("coordinator"), cast.subject("EXCALIBUR")
    put(subject, "SCR", "DM", BRTHDAT="1967-03-14", SEX="M")
    put(subject, "SCR", "LB", HGB="12.4 g/dL")
    small = count(statements, lambda: client.get(reverse("form", args=[subject.number, "SCR", "DM"])))
    few = count(statements, lambda: client.get(reverse("form", args=[subject.number, "SCR", "LB"])))
    full = candidate(cast)
    items = len(full.version.protocol.form("LB").items_by_id)
    assert items > 4 * len(subject.version.protocol.form("DM").items_by_id)
    assert count(statements, lambda: client.get(reverse("form", args=[full.number, "SCR", "LB"]))) == few
    assert few == small + 1, "a laboratory form offers the site's laboratories, and asks no more than that"


@pytest.mark.django_db
def test_saving_a_field_costs_at_most_eight_statements(cast: Cast, statements: Callable[[], Any]) -> None:
    client, subject = cast.client("coordinator"), candidate(cast)
    address = reverse("form-save", args=[subject.number, "SCR", "LB"])
    values = iter(("12.5", "12.6", "12.7"))

    def save() -> Any:
        return client.post(
            address, {"item": "HGB", "value": next(values), "unit": "g/dL"}, headers={"HX-Request": "true"}
        )

    assert count(statements, save) <= SAVE


@pytest.mark.django_db
def test_pages_travel_packed_and_archives_do_not(cast: Cast) -> None:
    client = cast.client("coordinator")
    page = client.get(reverse("subjects"), headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert page.headers["Content-Type"].startswith("text/html")
