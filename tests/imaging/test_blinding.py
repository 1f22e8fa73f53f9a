"""What a reader can reach tells nothing of whose images they are: a crawl of everything, from every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.core import mail
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from accounts.services import withdraw_edit_access
from imaging.dicom import phantom
from imaging.models import Adjudication, Instance, Read, Series, Study
from imaging.services import correct_read
from tests.casebook.locked_site import lock_site_of
from tests.conftest import PASSWORD
from tests.imaging.conftest import VISITS, Desk
from tests.imaging.dicom_files import small_phantom
from tests.imaging.reader import actor_of, charter_of, fill, mark, read_of, send, sign
from visits.models import Visit

START = ("/", "/no/such/page/")
LINKS = re.compile(
    r"""(?:href|src|action|data-[a-z-]*url|hx-get)=["']([^"']+)["']|"((?:/[\w.-]+)+/[^"\s]*)\""""
)
DAYS = ("%Y-%m-%d", "%Y%m%d", "%d %b %Y", "%-d %b %Y", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
TRIAL, SITE = "THERMODOX", "NO-01"
STOPPED = ("Dr Lie of Oslo left the study", "withdrawn", "locked since")
"""What is said elsewhere of a place where nothing is written."""
NEUTRAL = "Writing is stopped for this case at the moment."
PLENTY = 400
"""More addresses than a reader can reach; a crawl that comes so far does not end."""

pytestmark = pytest.mark.req("BLD-01")


def crawled(client: Client, *more: str) -> Iterator[tuple[str, HttpResponseBase, str]]:
    """Every address that can be reached by GET, its answer and what it says; signing out is not followed."""
    waiting, seen = [*START, *more], set()
    while waiting:
        url = waiting.pop()
        if url in seen or "/static/" in url or "sign-out" in url:
            continue
        seen.add(url)
        assert len(seen) < PLENTY, "the crawl does not come to an end"
        answer = client.get(url)
        text = _text(answer)
        yield url, answer, text
        waiting += [link for link in _links(url, answer, text) if link not in seen]


def _text(answer: HttpResponseBase) -> str:
    content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
    return bytes(content).decode(
        "latin-1" if "octet" in answer.headers.get("Content-Type", "") else "utf-8", "replace"
    )


def _links(url: str, answer: HttpResponseBase, text: str) -> Iterator[str]:
    found = [unescape(one or two) for one, two in LINKS.findall(unescape(text))] + [
        answer.headers.get("Location", "")
    ]
    for link in found:
        parts = urlsplit(urljoin(url, link))
        if link and parts.netloc in ("", "testserver"):
            yield parts.path + (f"?{parts.query}" if parts.query else "")


def forbidden(desk: Desk, reader: str) -> set[str]:
    """What would tell a reader whose images they are, where and when they were taken, or what another one said."""
    subject = desk.subject
    plans = {plan.code: plan.name for plan in subject.version.protocol.visits}
    words = {
        subject.number, subject.patient.code, subject.site.code, subject.site.name, *small_phantom().person.words(),
        *(plans[code] for code, _day in VISITS if len(plans[code]) > 3),
    }  # fmt: skip
    days = [day for _code, day in VISITS] + list(Study.objects.values_list("shifted_date", flat=True))
    words |= {day.strftime(form) for day in days if day for form in DAYS}
    words |= {arm.name for arm in subject.version.protocol.arms}
    for username, person in desk.cast.people.items():
        if username != reader:
            words |= {person.full_name, person.username if "radiologist" in username else ""}
    uids = (Study, Series, Instance)
    words |= {str(row.opaque) for model in uids for row in model.objects.all()}
    words |= {str(row.uid) for model in uids for row in model.objects.all()}
    return {word for word in words if word}


def leaks(client: Client, words: set[str], *more: str) -> tuple[set[str], list[str]]:
    """Addresses that were reached, and what was found where it must not be."""
    found, reached = [], set()
    for url, answer, text in crawled(client, *more):
        reached.add(url)
        found += found_in(words, url, answer, text)
    return reached, found


def found_in(words: set[str], url: str, answer: HttpResponseBase, text: str) -> list[str]:
    """Words that stand in an answer: in its address, headers or text."""
    said = "\n".join((url, *(f"{name}: {value}" for name, value in answer.headers.items()), text))
    return [
        f"{word!r} at {url}" for word in words if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", said)
    ]


@pytest.fixture
def case(desk: Desk) -> Iterator[Desk]:
    """Two time points read twice, marked, one of them corrected; on the second the readers differ."""
    with charter_of(desk, readers=2):
        for visit, second in (("BL", "COMPLETE"), ("M1", "RESIDUAL")):
            send(desk, visit)
            for number, outcome in ((1, "COMPLETE"), (2, second)):
                read = read_of(desk, visit, number)
                fill(read, outcome, comment=f"remark of reader {number}")
                mark(read, "T01", 20.0 + number)
                sign(read)
        first = read_of(desk, "BL", 1)
        correct_read(actor=actor_of(first.reader), read=first, reason="Looked again")
        sign(read_of(desk, "BL", 1))
        send(desk, "M4")
        yield desk


def test_a_reader_reaches_nothing_that_identifies(case: Desk) -> None:
    read = read_of(case, "M4", 1)
    words = forbidden(case, read.reader.username) | {"remark of reader 2"}
    reached, found = leaks(
        case.cast.client(read.reader.username), words, reverse("reading-case", args=[read.opaque])
    )
    assert found == []
    for name in ("reading-series", "reading-prior", "reading-case"):
        assert any(url.startswith(reverse(name, args=[read.opaque])) for url in reached), (
            f"{name} was not looked at"
        )
    assert sum("/frames/" in url for url in reached) >= 10, "frames of the time point and of the one before"


def test_an_adjudicator_sees_a_and_b_and_nobody(case: Desk) -> None:
    pair = Adjudication.objects.get()
    words = forbidden(case, "adjudicator")
    reached, found = leaks(
        case.cast.client("adjudicator"), words, reverse("adjudication", args=[pair.opaque])
    )
    assert found == []
    assert sum("/frames/" in url for url in reached) >= 10


@pytest.fixture
def stopped(case: Desk) -> Desk:
    """The same site, locked, and edit access to it withdrawn, for reasons that name its people."""
    withdraw_edit_access(actor=case.cast.actor("admin"), trial=TRIAL, site=SITE, reason=STOPPED[0])
    lock_site_of(case.cast, case.subject)
    return case


def test_a_stop_of_all_writing_tells_a_reader_of_no_place(stopped: Desk) -> None:
    read = read_of(stopped, "M4", 1)
    address = reverse("reading-case", args=[read.opaque])
    words = forbidden(stopped, read.reader.username) | set(STOPPED)
    client = stopped.cast.client(read.reader.username)
    reached, found = leaks(client, words, address)
    assert found == []
    assert address in reached
    assert client.get(address).status_code == 200, "it can still be looked at"
    written = client.post(reverse("reading-findings", args=[read.opaque]), {"image_quality": "OPTIMAL"})
    assert (written.status_code, NEUTRAL in _text(written)) == (409, True)
    assert found_in(words, "", written, _text(written)) == []


def test_nor_does_it_tell_an_adjudicator(stopped: Desk) -> None:
    pair = Adjudication.objects.get()
    words = forbidden(stopped, "adjudicator") | set(STOPPED)
    client = stopped.cast.client("adjudicator")
    address = reverse("adjudication", args=[pair.opaque])
    assert leaks(client, words, address)[1] == []
    assert client.get(address).status_code == 200
    written = client.post(reverse("adjudication-anew", args=[pair.opaque]))
    assert (written.status_code, NEUTRAL in _text(written)) == (409, True)
    assert found_in(words, "", written, _text(written)) == []


@pytest.mark.parametrize("site", ["", SITE])
def test_edit_access_withdrawn_from_readers_names_no_place(case: Desk, site: str) -> None:
    fill(read_of(case, "M4", 1))
    read = read_of(case, "M4", 1)
    stop = withdraw_edit_access(actor=case.cast.actor("admin"), trial=TRIAL, site=site, reason=STOPPED[0])
    words = forbidden(case, read.reader.username) | set(STOPPED)
    client = case.cast.client(read.reader.username)
    assert client.get(reverse("reading-case", args=[read.opaque])).status_code == 200
    signature = {"password": PASSWORD, "username": read.reader.username}
    for name, sent in (("reading-findings", {"comment": "x"}), ("reading-sign", signature)):
        refused = client.post(reverse(name, args=[read.opaque]), sent)
        assert (refused.status_code, NEUTRAL in _text(refused)) == (409, True)
        assert found_in(words, "", refused, _text(refused)) == []
    assert stop.reason in case.cast.client("coordinator").get("/today/").content.decode()


def test_no_mail_to_a_reader_says_more(case: Desk) -> None:
    reads = Read.objects.select_related("reader")
    for person in {read.reader for read in reads}:
        words = forbidden(case, person.username)
        for sent in [each for each in mail.outbox if person.email in each.to]:
            whole = f"{sent.subject}\n{sent.body}\n{sent.extra_headers}"
            assert [word for word in words if word in whole] == []


def test_the_crawl_finds_what_is_there(case: Desk) -> None:
    """A coordinator's page says it: the crawl is no empty promise."""
    page = reverse("subject-images", args=[case.subject.number])
    answer = case.cast.client("coordinator").get(page)
    assert found_in({case.subject.number}, page, answer, _text(answer))


def test_dates_of_the_pictures_are_shifted_and_in_no_document(case: Desk) -> None:
    assert phantom.Phantom().study_date.strftime("%Y%m%d") not in str(
        list(Instance.objects.values_list("attributes", flat=True))
    )
    assert Visit.objects.filter(subject=case.subject).exists()
