"""Pages as they stood: nothing later shows, nothing can be changed, and the size does not matter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from audit.moment import standing_at
from casebook import services
from casebook.models import Entry, Query
from casebook.reading import entry_by_key
from casebook.rules.cells import Typed
from casebook.rules.moment import MomentFault, moment_in_addresses, moment_in_words, read_moment
from foundation import clock
from patients.models import Subject
from tests.audit.conftest import moment_of_the_database
from tests.casebook.test_pages import fill
from tests.cast import Cast
from visits.models import Visit
from visits.services import plan_visits_for

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2025, 3, 12, 13, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2025-03-12T14:03", "2025-03-12T13:03:00Z"),
        ("2025-03-12 13:03:00Z", "2025-03-12T13:03:00Z"),
        ("2025-03-12T14:03:00 01:00", "2025-03-12T13:03:00Z"),
        ("12 Mar 2025 14:03", "2025-03-12T13:03:00Z"),
        ("12mar25, 9:15", "2025-03-12T08:15:00Z"),
        ("2025-03-12", "2025-03-12T13:03:00Z"),
        ("2025-03-11", "2025-03-11T22:59:59.999999Z"),
        ("2024-10-27T02:30", "2024-10-27T00:30:00Z"),
    ],
)
def test_moments_are_read_in_the_zone_of_the_site(typed: str, expected: str) -> None:
    assert moment_in_addresses(read_moment(typed, OSLO, NOW)) == expected


@pytest.mark.parametrize(
    "typed", ["yesterday at noon", "2025-13-40T10:00", "25:61", "9999-12-31T23:59", "t+1"]
)
def test_what_is_no_moment_or_is_still_to_come_is_refused(typed: str) -> None:
    with pytest.raises(MomentFault):
        read_moment(typed, OSLO, NOW)


def test_a_moment_is_said_with_its_zone() -> None:
    assert moment_in_words(NOW, OSLO) == "12 Mar 2025 at 14:03 CET"


pytestmark = pytest.mark.django_db


@pytest.fixture
def changed(cast: Cast) -> tuple[Subject, datetime]:
    """A haemoglobin that was corrected, asked about and verified after a moment."""
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    services.save_item(actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("21.0", "g/dL"))
    then = moment_of_the_database()
    services.save_item(
        actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("12.0", "g/dL"), reason="digits swapped"
    )
    services.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Really so low?")
    return subject, then


def test_rows_are_those_of_the_moment_and_afterwards_those_of_now(changed: tuple[Subject, datetime]) -> None:
    subject, then = changed
    with standing_at(subject.pk, then):
        assert Entry.objects.get(form="LB").values["HGB"]["value"] == "21.0"
        assert not Query.objects.exists()
        assert clock.now() == then
    assert Entry.objects.get(subject=subject, form="LB").values["HGB"]["value"] == "12.0"
    assert Query.objects.filter(subject=subject, item="HGB").exists()
    assert clock.now() > then


def test_what_postgresql_planned_before_shows_each_moment_as_it_was(
    changed: tuple[Subject, datetime],
) -> None:
    subject, then = changed
    key = Entry.objects.get(subject=subject, form="LB").pk
    later = moment_of_the_database()

    def shown() -> str:
        return str(entry_by_key(key).values["HGB"]["value"])

    def shown_at(moment: datetime) -> str:
        with standing_at(subject.pk, moment):
            return shown()

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE something_else ()")  # the session has temporary tables already
    assert {shown() for _ in range(10)} == {"12.0"}
    assert [shown_at(moment) for moment in (then, later, then, then, later)] == [
        "21.0", "12.0", "21.0", "21.0", "12.0",
    ]  # fmt: skip
    assert shown() == "12.0"


def test_nothing_can_be_written_into_the_past(cast: Cast, changed: tuple[Subject, datetime]) -> None:
    subject, then = changed
    with standing_at(subject.pk, then):
        Entry.objects.filter(form="LB").update(state="COMPLETE")
    assert Entry.objects.get(subject=subject, form="LB").state == "IN_PROGRESS"


def test_the_form_shows_the_old_value_and_takes_no_other(
    cast: Cast, changed: tuple[Subject, datetime]
) -> None:
    subject, then = changed
    client = cast.client("coordinator")
    address = f"/subjects/{subject.number}/SCR/LB/"
    now = client.get(address).content.decode()
    past = client.get(address, {"as_of": moment_in_addresses(then)}).content.decode()
    assert 'value="12.0"' in now
    assert 'value="21.0"' not in now
    assert "As it stood on" in past
    assert 'value="21.0"' in past
    assert 'value="12.0"' not in past
    assert "data-complete" in now
    assert "data-complete" not in past
    assert 'href="?">back to now' in past
    assert f"/subjects/{subject.number}/?as_of={moment_in_addresses(then)}" in past
    assert f"/subjects/{subject.number}/SCR/LB/item/HGB/?as_of={moment_in_addresses(then)}" in past
    panel = client.get(f"{address}item/HGB/", {"as_of": moment_in_addresses(then)}).content.decode()
    assert "12.0" not in panel
    assert "Really so low?" not in panel


def test_the_casebook_and_eligibility_show_the_moment(cast: Cast, changed: tuple[Subject, datetime]) -> None:
    subject, then = changed
    client = cast.client("monitor")
    moment = moment_in_addresses(then)
    for address in ("", "eligibility/"):
        page = client.get(f"/subjects/{subject.number}/{address}", {"as_of": moment})
        assert page.status_code == 200
        assert "As it stood on" in page.content.decode(), address
    assert "query-open" in client.get(f"/subjects/{subject.number}/").content.decode()
    past = client.get(f"/subjects/{subject.number}/", {"as_of": moment}).content.decode()
    assert "waiting for an answer" not in past
    assert "Unscheduled visit" not in past
    day = client.get(f"/subjects/{subject.number}/eligibility/", {"as_of": "t"})
    assert day.status_code == 200
    assert "As it stood on" not in day.content.decode()  # a day is the one for which facts are judged


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("tomorrow", "is not a moment"),
        ("2150-01-01T10:00", "is in the future"),
        ("2001-01-01T10:00", "Its record begins on"),
    ],
)
def test_a_moment_that_cannot_be_shown_is_said(cast: Cast, asked: str, said: str) -> None:
    subject = cast.subject()
    answer = cast.client("coordinator").get(f"/subjects/{subject.number}/", {"as_of": asked})
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_strangers_learn_nothing_of_the_past(cast: Cast, changed: tuple[Subject, datetime]) -> None:
    subject, then = changed
    for role in ("coordinator2", "outsider", "radiologist", "sponsor"):
        answer = cast.client(role).get(f"/subjects/{subject.number}/", {"as_of": moment_in_addresses(then)})
        assert answer.status_code == 404, role


@pytest.mark.parametrize("address", ["", "SCR/LB/", "eligibility/"])
def test_the_past_costs_the_same_for_an_empty_and_for_a_full_casebook(
    cast: Cast, statements: Callable[[], Any], address: str
) -> None:
    empty, full = cast.subject(), cast.subject()
    plan_visits_for(
        actor=cast.actor(), subject=full, anchors={"PROCEDURES": [clock.today() - timedelta(days=300)]}
    )
    fill(full)
    visit = Visit.objects.get(subject=empty, code="SCR")
    services.open_entry(actor=cast.actor(), subject=empty, visit=visit, form="LB")
    client, moment = cast.client("coordinator"), f"{moment_of_the_database():%Y-%m-%dT%H:%M:%S.%fZ}"
    counted = []
    for subject in (empty, empty, full):
        with statements() as done:
            assert client.get(f"/subjects/{subject.number}/{address}", {"as_of": moment}).status_code == 200
        counted.append(len(done.counted))
    assert counted[1] == counted[2]
    assert counted[2] <= 20, done.counted
