"""What became of an ablated lesion."""

from __future__ import annotations

from datetime import date

import pytest

from imaging.rules.ablation import (
    IllegalStep,
    LesionOutcome,
    LesionRead,
    LesionState,
    after_ablation,
    allowed_outcomes,
    imaging_due,
    lesion_course,
    primary_efficacy,
    recurrence_confirmed,
)

P1, P2 = date(2025, 3, 4), date(2025, 4, 15)
SCANS = [date(2025, 4, 4), date(2025, 5, 15), date(2025, 8, 15)]
COMPLETE, RESIDUAL, LTP, NE = (
    LesionOutcome.COMPLETE,
    LesionOutcome.RESIDUAL,
    LesionOutcome.LTP,
    LesionOutcome.NE,
)


def states(outcomes: list[LesionOutcome], ablated: list[date], procedures: list[date]) -> list[LesionState]:
    reads = [LesionRead(day, outcome) for day, outcome in zip(SCANS, outcomes, strict=False)]
    return [step.state for step in lesion_course(ablated, reads, procedures, 2)]


def test_complete_then_local_progression():
    assert states([COMPLETE, COMPLETE, LTP], [P1], [P1]) == ["ABLATED", "COMPLETE", "COMPLETE", "LTP"]


def test_residual_tumour_is_treated_again_while_a_procedure_is_left():
    assert states([RESIDUAL, COMPLETE], [P1, P2], [P1, P2]) == ["ABLATED", "RESIDUAL", "ABLATED", "COMPLETE"]


def test_residual_tumour_after_the_last_procedure_has_failed():
    assert states([RESIDUAL, RESIDUAL], [P1, P2], [P1, P2])[-1] is LesionState.FAILED


def test_not_evaluable_changes_nothing():
    assert states([NE, COMPLETE], [P1], [P1]) == ["ABLATED", "ABLATED", "COMPLETE"]


@pytest.mark.parametrize(
    ("outcomes", "ablated"),
    [
        ([LTP], [P1]),
        ([COMPLETE, RESIDUAL], [P1]),
        ([RESIDUAL, COMPLETE], [P1]),
        ([COMPLETE], []),
        ([COMPLETE], [P1, P2]),
    ],
)
def test_contradictions_are_refused(outcomes, ablated):
    with pytest.raises(IllegalStep, match="2025-0"):
        states(outcomes, ablated, [P1])


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (LesionState.BASELINE, set()),
        (LesionState.ABLATED, {COMPLETE, RESIDUAL, NE}),
        (LesionState.COMPLETE, {COMPLETE, LTP, NE}),
        (LesionState.RESIDUAL, {RESIDUAL, NE}),
        (LesionState.LTP, {LTP, NE}),
    ],
)
def test_the_reader_is_offered_only_what_is_possible(state, offered):
    assert allowed_outcomes(state) == offered


def test_a_lesion_in_progression_is_not_ablated_again():
    with pytest.raises(IllegalStep):
        after_ablation(LesionState.LTP)


@pytest.mark.parametrize(
    ("reads", "efficacy"),
    [
        ([(SCANS[0], COMPLETE)], True),
        ([(SCANS[0], NE), (SCANS[1], RESIDUAL)], False),
        ([(SCANS[0], NE)], None),
        ([(P1, RESIDUAL), (SCANS[0], COMPLETE)], True),
    ],
)
def test_primary_efficacy_is_judged_on_the_first_assessable_scan(reads, efficacy):
    assert primary_efficacy([LesionRead(*read) for read in reads], P1) is efficacy


def test_imaging_stops_after_recurrence_or_discontinuation():
    target = date(2025, 7, 4)
    assert recurrence_confirmed(LesionState.LTP)
    assert recurrence_confirmed(LesionState.FAILED)
    assert not recurrence_confirmed(LesionState.RESIDUAL)
    assert imaging_due(True, target, None, None)
    assert imaging_due(True, target, target, None)
    assert not imaging_due(True, target, date(2025, 7, 3), None)
    assert not imaging_due(True, target, None, date(2025, 7, 3))
    assert not imaging_due(False, target, None, None)
