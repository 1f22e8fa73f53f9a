"""When visits are due."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import vectors
from visits.rules.schedule import (
    MonthMode,
    PlannedVisit,
    ScheduleAnchor,
    SchedulePlan,
    ScheduleSettings,
    Start,
    VisitRule,
    add_months,
    assign_visit,
    days_outside,
    plan_visits,
    study_day,
)

VECTORS = vectors("schedule")
MONTHS = (1, 4, 7, 10, 13, 16, 19, 22, 25)
PLAN = SchedulePlan(
    visits=(
        VisitRule("D14", "Day 14", "PROCEDURES", Start.EACH, days=14, after=7),
        *(
            VisitRule(f"M{m}", f"Month {m}", "PROCEDURES", Start.LAST, months=m, after=7, imaging=True)
            for m in MONTHS
        ),
    ),
    anchor_labels={"PROCEDURES": "procedure"},
)
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


def plan(*procedures: str, settings: ScheduleSettings | None = None) -> list[PlannedVisit]:
    return plan_visits(PLAN, {"PROCEDURES": [date.fromisoformat(day) for day in procedures]}, settings)


@pytest.mark.parametrize("row", VECTORS["rows"], ids=lambda row: row["anchor"])
def test_targets_and_windows_are_those_of_the_reference_table(row):
    planned = {
        visit.code: [visit.earliest.isoformat(), visit.latest.isoformat()] for visit in plan(row["anchor"])
    }
    assert planned == row["visits"]
    assert all(visit.target == visit.earliest for visit in plan(row["anchor"]))


@pytest.mark.parametrize("row", VECTORS["months"], ids=lambda row: f"{row['anchor']}+{row['months']}")
def test_months_are_calendar_months_clipped_to_the_months_end(row):
    assert add_months(date.fromisoformat(row["anchor"]), row["months"]).isoformat() == row["target"]


def test_two_procedures_bring_a_day_14_each_and_months_from_the_last():
    planned = plan("2025-03-04", "2025-04-01")
    assert [(visit.code, visit.sequence, visit.target.isoformat()) for visit in planned[:4]] == [
        ("D14", 1, "2025-03-18"),
        ("D14", 2, "2025-04-15"),
        ("M1", 1, "2025-05-01"),
        ("M4", 1, "2025-08-01"),
    ]
    assert len(planned) == 11


def test_months_count_from_the_first_procedure_where_the_trial_says_so():
    settings = ScheduleSettings(schedule_anchor=ScheduleAnchor.FIRST_PROC)
    planned = plan("2025-03-04", "2025-04-01", settings=settings)
    assert [visit.code for visit in planned[:3]] == ["D14", "M1", "D14"]
    month = next(visit for visit in planned if visit.code == "M1")
    assert month.target == date(2025, 4, 4)
    assert "first procedure 4 Mar 2025" in month.because


def test_the_order_in_which_procedures_are_named_does_not_matter():
    assert plan("2025-04-01", "2025-03-04") == plan("2025-03-04", "2025-04-01")


def test_the_derivation_can_be_read():
    by_code = {visit.code: visit.because for visit in plan("2025-01-31")}
    assert by_code["M4"] == "Month 4 = last procedure 31 Jan 2025 + 4 months"
    assert by_code["D14"] == "Day 14 = procedure 31 Jan 2025 + 14 days"
    assert by_code["M1"].endswith("+ 1 month (February 2025 has no day 31, so its last day)")


@pytest.mark.parametrize(
    ("mode", "m1", "m4", "m25"),
    [
        (MonthMode.DAYS_28, "2025-04-01", "2025-06-24", "2027-02-02"),
        (MonthMode.DAYS_30, "2025-04-03", "2025-07-02", "2027-03-24"),
        (MonthMode.DAYS_MEAN, "2025-04-03", "2025-07-04", "2027-04-04"),
    ],
)
def test_months_of_a_fixed_length(mode, m1, m4, m25):
    targets = {
        v.code: v.target.isoformat() for v in plan("2025-03-04", settings=ScheduleSettings(month_mode=mode))
    }
    assert (targets["M1"], targets["M4"], targets["M25"]) == (m1, m4, m25)


def test_a_two_sided_window():
    visit = plan("2025-03-04", settings=ScheduleSettings(win_before=7, win_after=7))[0]
    assert (visit.earliest, visit.target, visit.latest) == (
        date(2025, 3, 11),
        date(2025, 3, 18),
        date(2025, 3, 25),
    )


def test_no_procedure_no_visits():
    assert plan() == []


def test_both_edges_belong_to_the_window():
    visit = plan("2025-03-04")[0]
    early, late = visit.earliest - timedelta(days=1), visit.latest + timedelta(days=1)
    assert [days_outside(visit, day) for day in (early, visit.earliest, visit.latest, late)] == [-1, 0, 0, 1]
    assert [visit.holds(day) for day in (early, visit.earliest, visit.latest, late)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_visit_is_assigned_by_window_then_by_nearest_target():
    planned = plan("2025-03-04")
    assert assign_visit(planned, date(2025, 4, 11)).code == "M1"
    assert assign_visit(planned, date(2025, 4, 2)).code == "M1"
    assert assign_visit(planned, date(2025, 5, 25)).code == "M4"
    assert assign_visit(planned, date(2025, 5, 25), reach_days=30) is None
    assert assign_visit([], date(2025, 5, 25)) is None


def test_a_window_wins_over_a_nearer_target():
    wide = PlannedVisit("A", 1, date(2025, 1, 1), date(2025, 1, 1), date(2025, 1, 31), "")
    near = PlannedVisit("B", 1, date(2025, 2, 1), date(2025, 2, 1), date(2025, 2, 8), "")
    assert assign_visit([wide, near], date(2025, 1, 30)) is wide


@pytest.mark.parametrize(("on", "day"), [("2025-03-04", 1), ("2025-03-05", 2), ("2025-03-03", -1)])
def test_there_is_no_study_day_zero(on, day):
    assert study_day(date(2025, 3, 4), date.fromisoformat(on)) == day


def test_a_visit_needs_one_distance():
    with pytest.raises(ValueError, match="either days or months"):
        VisitRule("X", "X", "PROCEDURES", Start.LAST)


@given(day=days, months=st.integers(0, 60))
def test_clipping_never_leaves_the_month(day, months):
    target = add_months(day, months)
    assert (target.year * 12 + target.month) - (day.year * 12 + day.month) == months
    assert target.day == day.day or (target + timedelta(days=1)).day == 1


@given(first=days, later=st.integers(1, 200))
def test_windows_follow_each_other_in_order_and_hold_their_targets(first, later):
    planned = plan_visits(PLAN, {"PROCEDURES": [first, first + timedelta(days=later)]})
    assert [v.target for v in planned] == sorted(v.target for v in planned)
    assert all(v.earliest <= v.target <= v.latest for v in planned)
