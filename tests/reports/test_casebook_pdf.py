"""The casebook on paper: complete, of a moment, told apart from every other copy."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from reportlab.pdfgen import canvas

from audit.models import Event
from casebook import services
from casebook.rules.cells import Typed
from casebook.rules.moment import moment_in_addresses
from patients.models import Subject
from reports import copies, work
from reports.casebook_pdf import document as paper
from reports.casebook_pdf.content import casebook_copy
from reports.models import CasebookCopy, CopyRequest
from tests.audit.conftest import moment_of_the_database
from tests.casebook.signing_case import Case
from tests.cast import Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def entered(cast: Cast) -> Subject:
    """A form with a correction, a missing value, a query, and a text in several scripts."""
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    for value, reason in (("21.0", ""), ("12.0", "digits swapped")):
        services.save_item(
            actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed(value, "g/dL"), reason=reason
        )
    services.save_item(actor=cast.actor(), entry=entry, item_id="ALB", typed=Typed(missing="ND"))
    services.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Really so low?")
    adverse = services.open_entry(actor=cast.actor(), subject=subject, visit=None, form="AE")
    services.save_item(
        actor=cast.actor(), entry=adverse, item_id="AETERM", typed=Typed("Fièvre, лихорадка, حمى <b>& more")
    )
    return subject


@pytest.mark.req("COP-01")
def test_it_says_everything(entered: Subject) -> None:
    copy = casebook_copy(entered)
    lab = next(form for form in copy.forms if form.place == "SCR")
    lines = {line.label: line for line in lab.lines}
    assert lines["Haemoglobin"].value == "12.0 g/dL"
    assert lines["Haemoglobin"].note == "changed 1 ×, 1 query"
    assert lines["Albumin"].value == "Not done"
    (query,) = copy.queries
    assert query.said[0][2] == "Really so low?"
    assert any("Haemoglobin: 21.0 g/dL → 12.0 g/dL" in each.changes for each in copy.trail)
    assert "digits swapped" in {each.reason for each in copy.trail}
    assert dict(copy.facts)["Subject"] == entered.number
    assert re.fullmatch("[0-9a-f]{64}", copy.digest)


@pytest.mark.req("SIG-01")
def test_signatures_are_told_with_name_moment_meaning_and_whether_they_hold(cast: Cast) -> None:
    case = Case(cast)
    lab, vitals = case.form("LB"), case.form("VS")
    case.sign(case.key(entry=lab), case.key(entry=vitals))
    case.save(lab, "HGB", "12.9", "g/dL")
    copy = casebook_copy(case.subject)
    signed = {each.record: each for each in copy.signatures}
    assert (signed["SCR · Laboratory"].state, signed["SCR · Vital signs"].state) == ("Changed since", "Holds")
    assert {each.name for each in copy.signatures} == {"Investigator Person"}
    assert {each.meaning for each in copy.signatures} == {"Approval"}
    assert all(each.at.endswith(("CET", "CEST")) for each in copy.signatures)
    states = {form.title: form.state for form in copy.forms}
    assert "changed since it was signed by Investigator Person on" in states["Laboratory, SCR"]
    assert states["Vital signs, SCR"].endswith("(approval)")


@pytest.mark.req("COP-01")
def test_the_file_names_its_pages_its_maker_and_its_digest(cast: Cast, entered: Subject) -> None:
    answer = cast.client("monitor").get(f"/subjects/{entered.number}/casebook.pdf")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    kept = CasebookCopy.objects.get()
    assert kept.subject == entered
    assert kept.as_of is None
    assert kept.file_sha256 == hashlib.sha256(answer.content).hexdigest()
    assert kept.content_sha256 == answer.headers["X-Content-SHA-256"]


def test_every_page_carries_its_number_and_a_watermark_in_training(
    entered: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def listened(usual: Callable[..., Any]) -> Callable[..., Any]:
        def keep(self: Any, x: float, y: float, text: str, *more: Any) -> Any:
            written.append(text)
            return usual(self, x, y, text, *more)

        return keep

    for name in ("drawString", "drawRightString", "drawCentredString"):
        monkeypatch.setattr(canvas.Canvas, name, listened(getattr(canvas.Canvas, name)))
    imprint = paper.Imprint("Hilum 1", "12 Mar 2025 at 14:03 CET", "Monitor Person", "f" * 64, training=True)
    paper.document(casebook_copy(entered), imprint)
    pages = [text for text in written if text.startswith("Page ")]
    assert pages == [f"Page {number} / {len(pages)}" for number in range(1, len(pages) + 1)]
    assert len(pages) > 1
    assert written.count("TRAINING") == len(pages)
    assert sum("f" * 64 in text for text in written) == len(pages)
    written.clear()
    paper.document(casebook_copy(entered), paper.Imprint("Hilum 1", "now", "x", "0" * 64, training=False))
    assert "TRAINING" not in written


def test_no_sign_is_lost_or_taken_for_markup() -> None:
    assert paper._text("Fièvre ≥ 38 → лихорадка") == "Fièvre ≥ 38 → лихорадка"
    assert paper._text("حمى") == "[U+062D][U+0645][U+0649]"
    assert paper._text("<b>& more\nline") == "&lt;b&gt;&amp; more<br/>line"


def test_as_of_a_moment_it_knows_nothing_later(cast: Cast, entered: Subject) -> None:
    then = moment_of_the_database()
    entry = services.open_entry(
        actor=cast.actor(), subject=entered, visit=Visit.objects.get(subject=entered, code="SCR"), form="LB"
    )
    services.save_item(
        actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("13.3", "g/dL"), reason="again"
    )
    client = cast.client("datamanager")
    address = f"/subjects/{entered.number}/casebook.pdf"
    now = client.get(address)
    past = client.get(address, {"as_of": moment_in_addresses(then)})
    assert past.status_code == 200
    assert past.headers["X-Content-SHA-256"] != now.headers["X-Content-SHA-256"]
    assert [each.as_of for each in CasebookCopy.objects.order_by("pk")] == [None, then]
    assert client.get(address, {"as_of": "soon"}).status_code == 422
    assert CasebookCopy.objects.count() == 2


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every casebook is a long one."""
    monkeypatch.setattr(copies, "LONG", 1)


@pytest.mark.usefixtures("long")
def test_a_long_one_is_made_by_a_worker_for_the_person_who_asked(cast: Cast, entered: Subject) -> None:
    client = cast.client("monitor")
    answer = client.get(f"/subjects/{entered.number}/casebook.pdf")
    asked = CopyRequest.objects.get()
    place = f"/subjects/{entered.number}/copies/{asked.pk}/"
    assert answer.headers["Location"] == place
    assert "Waiting for a worker" in client.get(place).content.decode()
    assert client.get(f"{place}file/").status_code == 409
    assert work.waiting(CopyRequest) == [asked.pk]
    for _ in range(2):
        copies.make_copy(asked.pk)
    kept = CasebookCopy.objects.get()
    assert client.get(f"{place}status/").json()["redirect"] == place
    assert kept.content_sha256 in client.get(place).content.decode()
    file = client.get(f"{place}file/").getvalue()
    assert hashlib.sha256(file).hexdigest() == kept.file_sha256
    taken = Event.objects.get(table_name="reports_casebookcopy")
    assert (taken.actor, taken.role) == (cast.people["monitor"].full_name, "monitor")
    assert cast.client("datamanager").get(place).status_code == 404


@pytest.mark.usefixtures("long")
def test_a_long_one_of_a_moment_is_the_same_as_a_short_one(cast: Cast, entered: Subject) -> None:
    then = moment_of_the_database()
    asked = copies.request_copy(actor=cast.actor("monitor"), subject=entered, as_of=then)
    copies.make_copy(asked.pk)
    paper = copies.make_paper(entered.pk, then, made_for="Somebody else")
    assert CasebookCopy.objects.get().content_sha256 == paper.sha256
    assert CasebookCopy.objects.get().as_of == then


@pytest.mark.usefixtures("long")
def test_what_goes_wrong_with_a_long_one_is_said(
    cast: Cast, entered: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = copies.request_copy(actor=cast.actor("monitor"), subject=entered, as_of=None)

    def full(*_: object) -> str:
        raise OSError("The disk is full.")

    monkeypatch.setattr(copies.default_storage, "save", full)
    copies.make_copy(asked.pk)
    page = cast.client("monitor").get(f"/subjects/{entered.number}/copies/{asked.pk}/").content.decode()
    assert "The disk is full." in page
    assert not CasebookCopy.objects.exists()


def test_strangers_get_nothing(cast: Cast, entered: Subject) -> None:
    for role in ("coordinator2", "sponsor", "radiologist", "outsider"):
        assert cast.client(role).get(f"/subjects/{entered.number}/casebook.pdf").status_code == 404, role
    assert not CasebookCopy.objects.exists()


def test_it_costs_the_same_for_few_and_for_many_values(
    cast: Cast, entered: Subject, statements: Callable[[], Any]
) -> None:
    counted = []
    for value in ("12.5", "12.6", "12.7"):
        entry = services.open_entry(
            actor=cast.actor(),
            subject=entered,
            visit=Visit.objects.get(subject=entered, code="SCR"),
            form="LB",
        )
        services.save_item(
            actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed(value, "g/dL"), reason="again"
        )
        with statements() as done:
            casebook_copy(entered)
        counted.append(len(done.counted))
    assert counted[0] == counted[1] == counted[2]
    assert counted[0] <= 21
