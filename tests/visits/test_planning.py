"""Visits of a subject follow its anchors; what happened stays."""

from __future__ import annotations

from datetime import date

import pytest

from patients.models import Subject
from tests.cast import Cast
from visits.errors import VisitInFutureError
from visits.models import Visit, VisitState
from visits.services import miss_visit, plan_visits_for, record_visit

pytestmark = pytest.mark.django_db
FIRST, SECOND = date(2025, 1, 31), date(2025, 3, 4)


def plan(cast: Cast, subject: Subject, *procedures: date) -> None:
    plan_visits_for(
        actor=cast.actor(), subject=subject, anchors={"PROCEDURES": list(procedures)} if procedures else {}
    )


def visit(subject: Subject, code: str, sequence: int = 1) -> Visit:
    return Visit.objects.get(subject=subject, code=code, sequence=sequence)


def test_a_subject_in_screening_has_the_visits_that_need_no_anchor(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    codes = set(Visit.objects.filter(subject=subject).values_list("code", flat=True))
    assert {"SCR", "P1", "P2"} <= codes
    assert "M1" not in codes


def test_the_window_is_one_sided_and_months_are_clipped(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    plan(cast, subject, FIRST)
    month_1 = visit(subject, "M1")
    assert (month_1.target, month_1.earliest, month_1.latest) == (
        date(2025, 2, 28),
        date(2025, 2, 28),
        date(2025, 3, 7),
    )
    assert visit(subject, "M25").latest == date(2027, 3, 7)


def test_a_second_procedure_moves_what_was_not_done_and_adds_its_own_day_14(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    plan(cast, subject, FIRST)
    record_visit(actor=cast.actor(), visit=visit(subject, "D14"), happened_on=date(2025, 2, 14))
    plan(cast, subject, FIRST, SECOND)
    assert visit(subject, "D14").happened_on == date(2025, 2, 14)
    assert visit(subject, "D14", 2).target == date(2025, 3, 18)
    assert visit(subject, "M1").target == date(2025, 4, 4)


def test_a_month_visit_done_before_the_second_procedure_is_planned_again(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    plan(cast, subject, FIRST)
    record_visit(actor=cast.actor(), visit=visit(subject, "M1"), happened_on=date(2025, 3, 1))
    plan(cast, subject, FIRST, SECOND)
    assert visit(subject, "M1").happened_on == date(2025, 3, 1)
    assert visit(subject, "M1", 2).target == date(2025, 4, 4)


def test_planning_twice_changes_nothing(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    plan(cast, subject, FIRST)
    before = list(Visit.objects.filter(subject=subject).order_by("pk").values())
    plan(cast, subject, FIRST)
    assert list(Visit.objects.filter(subject=subject).order_by("pk").values()) == before


def test_an_anchor_that_is_taken_back_supersedes_and_its_return_revives(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    plan(cast, subject, FIRST)
    plan(cast, subject)
    assert visit(subject, "M4").state == VisitState.SUPERSEDED
    plan(cast, subject, FIRST)
    assert visit(subject, "M4").state == VisitState.PLANNED


def test_a_visit_cannot_be_recorded_before_it_happened(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    with pytest.raises(VisitInFutureError, match="is in the future"):
        record_visit(actor=cast.actor(), visit=visit(subject, "SCR"), happened_on=date(2199, 1, 1))


def test_a_missed_visit_says_why(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    plan(cast, subject, FIRST)
    missed = miss_visit(actor=cast.actor(), visit=visit(subject, "M1"), reason="In hospital elsewhere")
    assert (missed.state, missed.missed_reason) == (VisitState.MISSED, "In hospital elsewhere")
