"""Calculated values say what they were calculated with."""

from __future__ import annotations

import pytest

from casebook import services
from casebook.rules.cells import Typed
from patients.models import Subject
from tests.cast import Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


def enter(cast: Cast, subject: Subject, form: str, **values: str) -> None:
    """Save values of a form at screening: `12 umol/L`."""
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form=form)
    for item, text in values.items():
        value, _, unit = text.partition(" ")
        services.save_item(actor=cast.actor(), entry=entry, item_id=item, typed=Typed(value, unit))


def page(cast: Cast, subject: Subject, form: str) -> str:
    return cast.client("investigator").get(f"/subjects/{subject.number}/SCR/{form}/").content.decode()


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
