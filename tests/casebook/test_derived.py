"""Calculated values say what they were calculated with."""

from __future__ import annotations

from datetime import date

import pytest

from casebook import services
from casebook.rules.cells import Typed
from casebook.rules.picture import rules_of
from casebook.selectors import entries, open_queries
from patients.models import Subject
from tests.cast import Cast
from trials.packs import bundled_protocol
from visits.models import Visit
from visits.services import plan_visits_for

pytestmark = pytest.mark.django_db


def enter(cast: Cast, subject: Subject, form: str, visit: str = "SCR", **values: str) -> None:
    """Save values of a form at a visit: `12 umol/L`."""
    place = Visit.objects.get(subject=subject, code=visit)
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=place, form=form)
    for item, text in values.items():
        value, _, unit = text.partition(" ")
        services.save_item(actor=cast.actor(), entry=entry, item_id=item, typed=Typed(value, unit))


def page(cast: Cast, subject: Subject, form: str, visit: str = "SCR") -> str:
    return cast.client("investigator").get(f"/subjects/{subject.number}/{visit}/{form}/").content.decode()


def test_a_calculated_code_is_shown_in_words(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "TU", "BL", TULNKID="T01", UNRESECT="Y")
    assert '<output class="derived" id="f-RESECT">No</output>' in page(cast, subject, "TU", "BL")
    assert '<output class="derived" id="f-BSAFORM">Mosteller</output>' in page(cast, subject, "EX", "P1")


def test_points_name_the_result_of_another_form_that_they_stand_for(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "CP", CPDAT="2026-03-02")
    assert "From Bilirubin" not in page(cast, subject, "CP")
    enter(cast, subject, "LB", LBDAT="2026-03-01", BILI="40 umol/L")
    shown = page(cast, subject, "CP")
    assert "From Bilirubin, total 40 µmol/L (Laboratory, SCR, 01 Mar 2026)." in shown
    assert "From Albumin" not in shown


def test_a_later_result_is_not_what_an_earlier_form_was_calculated_with(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "CP", CPDAT="2026-02-01")
    enter(cast, subject, "LB", LBDAT="2026-03-01", BILI="40 umol/L")
    assert "From Bilirubin" not in page(cast, subject, "CP")


def test_what_stands_in_the_same_form_is_not_repeated(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "VS", HEIGHT="180 cm", WEIGHT="70 kg")
    shown = page(cast, subject, "VS")
    assert "21.60" in shown
    assert "From " not in shown


ANCHORS = {"THERMODOX": "PROCEDURES", "EXCALIBUR": "RANDOMISATION"}
HEIGHT_AND_WEIGHT = {"HEIGHT": "180 cm", "WEIGHT": "70 kg"}
VITALS = {"SYSBP": "120", "DIABP": "80", "PULSE": "70", "TEMP": "36.6"}


def followed_up(cast: Cast, trial: str) -> Subject:
    """A subject measured at screening, whose follow-up is planned."""
    subject = cast.subject(trial)
    anchors = {ANCHORS[trial]: [date(2026, 5, 1)]}
    plan_visits_for(actor=cast.actor(), subject=subject, anchors=anchors)
    enter(cast, subject, "VS", VSDAT="2026-03-01", **HEIGHT_AND_WEIGHT)
    return subject


@pytest.mark.parametrize(
    ("trial", "visit", "sizes"),
    [
        ("THERMODOX", "D14", {"BMI": "21.60", "BSA": "1.87"}),
        ("EXCALIBUR", "W8", {"BMI": "21.60", "BSA": "1.87"}),
    ],
)
def test_a_height_that_was_asked_once_counts_at_later_visits(
    cast: Cast, trial: str, visit: str, sizes: dict[str, str]
) -> None:
    subject = followed_up(cast, trial)
    enter(cast, subject, "VS", visit, VSDAT="2026-06-01", WEIGHT="70 kg")
    shown = page(cast, subject, "VS", visit)
    for size in sizes.values():
        assert size in shown
    assert shown.count("From Height 180 cm (Vital signs, SCR, 01 Mar 2026).") == len(sizes)


def test_a_height_measured_again_counts_from_then_on_only(cast: Cast) -> None:
    subject = followed_up(cast, "EXCALIBUR")
    enter(cast, subject, "VS", "W8", VSDAT="2026-06-01", WEIGHT="70 kg")
    enter(cast, subject, "VS", "W16", VSDAT="2026-08-01", WEIGHT="70 kg", HEIGHT="170 cm")
    assert "21.60" in page(cast, subject, "VS", "W8")
    assert "24.22" in page(cast, subject, "VS", "W16")
    assert "From Height" not in page(cast, subject, "VS", "W16")


def test_of_two_forms_of_one_day_each_is_calculated_with_its_own_height(cast: Cast) -> None:
    subject = followed_up(cast, "EXCALIBUR")
    enter(cast, subject, "VS", "W8", VSDAT="2026-03-01", WEIGHT="70 kg", HEIGHT="170 cm")
    for visit, size in (("SCR", "21.60"), ("W8", "24.22")):
        assert size in page(cast, subject, "VS", visit)
        assert "From Height" not in page(cast, subject, "VS", visit)


def test_a_height_that_is_taken_back_is_not_found_in_the_same_form_again(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "VS", VSDAT="2026-03-01", **HEIGHT_AND_WEIGHT)
    entry = entries().get(subject=subject, form="VS")
    saved = services.save_item(actor=cast.actor(), entry=entry, item_id="HEIGHT", typed=Typed(""))
    assert "BMI" not in saved.worked.cells
    assert "21.60" not in page(cast, subject, "VS")


def test_a_corrected_height_settles_the_queries_of_later_visits(cast: Cast) -> None:
    """A height mistyped at screening: the later visit asks, and stops asking when that is corrected."""
    subject = followed_up(cast, "EXCALIBUR")
    enter(cast, subject, "VS", HEIGHT="120 cm")
    enter(cast, subject, "VS", "W8", VSDAT="2026-06-01", WEIGHT="70 kg", **VITALS)
    entry = entries().get(subject=subject, form="VS", visit__code="W8")
    completed = services.complete_entry(actor=cast.actor(), entry=entry)
    assert [query.check_id for query in completed.queries] == ["VS-BMI-01"]
    enter(cast, subject, "VS", HEIGHT="170 cm")
    assert not open_queries(entry)
    enter(cast, subject, "VS", HEIGHT="120 cm")
    assert [query.check_id for query in open_queries(entry)] == ["VS-BMI-01"]


def test_a_check_of_a_calculated_value_looks_at_what_it_is_calculated_from() -> None:
    rules = rules_of(bundled_protocol("EXCALIBUR"), "VS")
    assert rules.watched("WEIGHT", "VS-BMI-01") == {"BMI", "HEIGHT", "WEIGHT"}
