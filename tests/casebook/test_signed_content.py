"""What is signed besides what was typed: calculated values, suggested grades, the day of the visit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from casebook import services
from casebook.models import Entry, FormContent, SignedRecord
from casebook.records import changes_in, holds_together, part_of, unfitting_records
from casebook.rules.content import Beside, derived_as_shown, digest_of, form_content
from casebook.rules.dependence import forms_that_follow
from casebook.services import states
from foundation import clock
from tests.casebook.signing_case import Case, again, closed
from tests.cast import Cast
from trials.packs import bundled_protocol
from visits.services import record_visit

pytestmark = [pytest.mark.django_db, pytest.mark.req("SIG-03")]

PUGH = (("BILI", "20", "umol/L"), ("ALB", "40", "g/L"), ("INR", "1.1", "1"))


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast, "THERMODOX")


def filled(case: Case, form: str, *cells: tuple[str, str, str]) -> Entry:
    """A form of the screening visit with these values, complete."""
    actor = case.cast.actor()
    entry = services.open_entry(actor=actor, subject=case.subject, visit=case.visit, form=form)
    for item, value, unit in cells:
        case.save(entry, item, value, unit)
    return closed(actor, entry)


@pytest.fixture
def child_pugh(case: Case) -> tuple[Entry, Entry]:
    """A laboratory form, and a signed Child-Pugh form that is calculated with it: class A."""
    lab = filled(case, "LB", *PUGH)
    pugh = filled(case, "CP", ("ASCITES", "NONE", ""), ("ENCEPH", "NONE", ""))
    case.sign(case.key(entry=pugh))
    return lab, pugh


def signing(entry: Entry) -> tuple[str, str]:
    """What the row says, and what follows from content and signature."""
    now = again(entry)
    return now.signing, part_of(now, 0).signing


# Content ------------------------------------------------------------------------------------------------------------


def test_a_signature_covers_what_is_calculated_and_the_day_of_the_visit(
    case: Case, child_pugh: tuple[Entry, Entry]
) -> None:
    record = SignedRecord.objects.get()
    content = FormContent.objects.get().content
    assert (record.content_version, content["version"]) == (2, 2)
    assert content["day"] == clock.today(case.subject.site.time_zone).isoformat()
    assert (content["derived"]["CPSCORE"], content["derived"]["CPCLASS"]) == ("5", "A")
    assert record.manifest[0]["digest"] == digest_of(content)


def test_a_signature_covers_the_grades_that_are_suggested(case: Case) -> None:
    entry = filled(case, "LB", ("HGB", "9.4", "g/dL"), ("INR", "1.1", "1"))
    case.sign(case.key(entry=entry))
    assert FormContent.objects.get().content["suggested"] == {"HGB": "2 (Anemia)"}


def test_a_calculated_value_is_signed_with_the_digits_that_are_shown() -> None:
    item = bundled_protocol("THERMODOX").form("VS").item("BMI")
    assert derived_as_shown(item, {"value": "24.6913580246"}) == "24.69"


def test_a_content_of_version_1_is_what_it_was() -> None:
    protocol = bundled_protocol("THERMODOX")
    said: dict[str, Any] = {"subject": "T-1", "visit": "SCR", "repeat": 1, "values": {}, "state": "COMPLETE"}
    assert "derived" not in form_content(protocol, "VS", **said)
    assert form_content(protocol, "VS", **said)["version"] == 1
    two = form_content(protocol, "VS", beside=Beside("2026-01-31", {"BMI": "24.69"}), **said)
    assert (two["version"], two["day"], two["derived"], two["suggested"]) == (
        2,
        "2026-01-31",
        {"BMI": "24.69"},
        {},
    )


# What takes a signature back, and what does not -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "value", "unit", "state"),
    [
        ("BILI", "52", "umol/L", "AGAIN"),  # 3 points for 1
        ("BILI", "21", "umol/L", "SIGNED"),  # still 1 point: nothing else is shown
        ("ALB", "30", "g/L", "AGAIN"),
        ("ALB", "4.0", "g/dL", "SIGNED"),  # the same in another unit
        ("INR", "2.4", "1", "AGAIN"),
        ("HGB", "7.1", "g/dL", "SIGNED"),  # no rule of the form reads it
    ],
)
def test_a_change_elsewhere_that_changes_what_is_calculated_takes_the_signature_back(
    case: Case, child_pugh: tuple[Entry, Entry], item: str, value: str, unit: str, state: str
) -> None:
    lab, pugh = child_pugh
    case.save(lab, item, value, unit, reason="Read from the wrong line")
    assert signing(pugh) == (state, state)


def test_who_changed_it_when_and_why_is_shown(case: Case, child_pugh: tuple[Entry, Entry]) -> None:
    lab, pugh = child_pugh
    case.save(lab, "BILI", "52", "umol/L", reason="Read from the wrong line")
    changes = changes_in([part_of(again(pugh), 0)])[pugh.pk].lines
    shown = {each.line.label: (each.line.before, each.line.now) for each in changes}
    assert shown == {
        "Bilirubin (calculated)": ("1 points", "3 points"),
        "Score (calculated)": ("5 points", "7 points"),
        "Class (calculated)": ("A, 5 to 6 points", "B, 7 to 9 points"),
    }
    assert {each.by for each in changes} == {"Coordinator Person"}
    (reason,) = {each.reason for each in changes}
    assert reason == "Bilirubin, total changed on Laboratory (SCR): Read from the wrong line"
    assert all(each.at is not None for each in changes)


def test_signing_again_covers_the_new_class(case: Case, child_pugh: tuple[Entry, Entry]) -> None:
    lab, pugh = child_pugh
    case.save(lab, "BILI", "52", "umol/L")
    assert not case.sign(case.key(entry=pugh)).refused
    assert signing(pugh) == ("SIGNED", "SIGNED")
    assert SignedRecord.objects.count() == 2


def test_a_row_that_is_struck_out_counts_no_more(case: Case, child_pugh: tuple[Entry, Entry]) -> None:
    lab, pugh = child_pugh
    services.strike_out(actor=case.cast.actor(), entry=again(lab), reason="Another patient's report")
    assert signing(pugh)[0] == "AGAIN"


def test_the_day_of_the_visit_takes_back_what_was_signed_there(
    case: Case, child_pugh: tuple[Entry, Entry]
) -> None:
    _, pugh = child_pugh
    day = clock.today(case.subject.site.time_zone) - timedelta(days=1)
    record_visit(actor=case.cast.actor(), visit=case.visit, happened_on=day, reason="Read off the wrong line")
    assert signing(pugh) == ("AGAIN", "AGAIN")
    lines = changes_in([part_of(again(pugh), 0)])[pugh.pk].lines
    change = next(each for each in lines if each.line.label == "Day of the visit")
    assert change.reason == "The day of SCR changed: Read off the wrong line"
    assert (change.by, change.line.now) == ("Coordinator Person", f"{day:%d %b %Y}")


def test_the_same_day_again_takes_nothing_back(case: Case, child_pugh: tuple[Entry, Entry]) -> None:
    today = clock.today(case.subject.site.time_zone)
    record_visit(actor=case.cast.actor(), visit=case.visit, happened_on=today)
    assert signing(child_pugh[1]) == ("SIGNED", "SIGNED")


def test_today_is_no_part_of_what_is_signed(
    case: Case, child_pugh: tuple[Entry, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    later = clock.today() + timedelta(days=400)
    monkeypatch.setattr(clock, "today", lambda *_: later)
    assert signing(child_pugh[1]) == ("SIGNED", "SIGNED")


def test_a_form_without_any_day_covers_what_follows_from_itself_alone(case: Case) -> None:
    actor = case.cast.actor()
    entry = services.open_entry(actor=actor, subject=case.subject, visit=None, form="AE")
    services.mark_not_done(actor=actor, entry=entry, reason="Nothing happened")
    case.sign(case.key(entry=again(entry)))
    content = FormContent.objects.get().content
    assert (content["day"], content["derived"]) == ("", {})


# Signatures from before ---------------------------------------------------------------------------------------------


@pytest.fixture
def of_old(case: Case, monkeypatch: pytest.MonkeyPatch) -> tuple[Entry, Entry]:
    """The same forms, the second one signed when signatures covered what was typed alone."""
    lab = filled(case, "LB", *PUGH)
    pugh = filled(case, "CP", ("ASCITES", "NONE", ""), ("ENCEPH", "NONE", ""))
    with monkeypatch.context() as then:
        for module in ("casebook.records", "casebook.services.signing"):
            then.setattr(f"{module}.CONTENT_VERSION", 1)
        case.sign(case.key(entry=pugh))
    return lab, pugh


def test_a_signature_over_version_1_stays_and_is_proved_under_version_1(
    case: Case, of_old: tuple[Entry, Entry]
) -> None:
    lab, pugh = of_old
    assert SignedRecord.objects.get().content_version == 1
    assert signing(pugh) == ("SIGNED", "SIGNED")
    case.save(lab, "BILI", "52", "umol/L")
    assert signing(pugh) == ("SIGNED", "SIGNED")
    assert list(unfitting_records()) == []
    page = case.cast.client("monitor").get(f"/subjects/{case.subject.number}/signatures/").content.decode()
    assert "Holds" in page


def test_a_change_of_what_was_typed_takes_it_back_and_the_difference_is_that_alone(
    case: Case, of_old: tuple[Entry, Entry]
) -> None:
    _, pugh = of_old
    case.save(pugh, "ASCITES", "SLIGHT")
    assert signing(pugh) == ("AGAIN", "AGAIN")
    lines = changes_in([part_of(again(pugh), 0)])[pugh.pk].lines
    assert [each.line.label for each in lines] == ["Ascites"]


def test_a_version_cannot_be_changed_afterwards_without_being_seen(
    case: Case, of_old: tuple[Entry, Entry]
) -> None:
    record = SignedRecord.objects.select_related("signature").get()
    record.content_version = 2
    assert not holds_together(record)


# Pages, reviews and effort --------------------------------------------------------------------------------------------


def test_the_page_lists_what_is_calculated_and_the_day_among_what_is_signed(
    case: Case, child_pugh: tuple[Entry, Entry]
) -> None:
    _, pugh = child_pugh
    client = case.cast.client("investigator")
    page = client.get(reverse("signatures"), {"record": case.key(entry=pugh)}).content.decode()
    for words in ("Not typed in, and covered as well", "Day of the visit", "Class (calculated)"):
        assert words in page
    record = SignedRecord.objects.get()
    address = reverse("signed-record", args=[case.subject.number, record.pk])
    assert "Class (calculated)" in client.get(address).content.decode()


def test_a_review_of_version_1_still_holds(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = filled(case, "LB", *PUGH)
    with monkeypatch.context() as then:
        then.setattr("casebook.records.CONTENT_VERSION", 1)
        states.review(actor=case.cast.actor("datamanager"), scope=case.scope(entry, case.visit))
    page = case.cast.client("monitor").get(f"/subjects/{case.subject.number}/SCR/LB/").content.decode()
    assert "Changed since reviewed" not in page
    assert "Reviewed" in page


@pytest.mark.parametrize(
    ("form", "items", "visit", "follow"),
    [
        ("LB", {"BILI"}, "SCR", {"CP", "LB", "AE"}),
        ("LB", {"LBNAM"}, "SCR", set()),
        ("DM", {"RACE"}, "SCR", set()),
        ("VS", {"HEIGHT"}, "SCR", {"VS", "EX"}),
    ],
)
def test_which_forms_follow_what(form: str, items: set[str], visit: str, follow: set[str]) -> None:
    assert forms_that_follow(bundled_protocol("THERMODOX"), form, items, visit) == follow


def test_what_nobody_calculates_with_costs_no_statement(
    case: Case, child_pugh: tuple[Entry, Entry], statements: Callable[[], Any]
) -> None:
    lab, _ = child_pugh
    counted = []
    for item, value in (("LBNAM", "Ullevål"), ("LBNAM", "Rikshospitalet")):
        with statements() as done:
            case.save(lab, item, value)
        counted.append(len(done.counted))
    assert counted[0] == counted[1]
