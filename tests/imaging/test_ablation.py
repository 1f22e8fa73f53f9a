"""What became of an ablated lesion."""

from __future__ import annotations

from functools import reduce

import pytest

from imaging.rules.ablation import (
    IllegalStep,
    LesionOutcome,
    LesionState,
    after_ablation,
    after_read,
    allowed_outcomes,
    ends_scans,
)

COMPLETE, RESIDUAL, LTP, NE = (
    LesionOutcome.COMPLETE,
    LesionOutcome.RESIDUAL,
    LesionOutcome.LTP,
    LesionOutcome.NE,
)
ABLATION = None


def state_after(*events: LesionOutcome | None) -> LesionState:
    """Where a lesion stands after ablations and reads."""

    def step(state: LesionState, event: LesionOutcome | None) -> LesionState:
        return after_ablation(state) if event is None else after_read(state, event)

    return reduce(step, events, LesionState.BASELINE)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "BASELINE"),
        ([ABLATION], "ABLATED"),
        ([ABLATION, ABLATION], "ABLATED"),
        ([ABLATION, COMPLETE, COMPLETE], "COMPLETE"),
        ([ABLATION, COMPLETE, COMPLETE, LTP], "LTP"),
        ([ABLATION, COMPLETE, LTP, LTP], "LTP"),
        ([ABLATION, RESIDUAL, RESIDUAL], "RESIDUAL"),
        ([ABLATION, RESIDUAL, ABLATION, COMPLETE], "COMPLETE"),
        ([ABLATION, NE, COMPLETE, NE], "COMPLETE"),
    ],
)
def test_a_lesion_goes_from_ablation_to_read(events, state):
    assert state_after(*events) == state


@pytest.mark.parametrize(
    "events",
    [
        [ABLATION, LTP],
        [ABLATION, COMPLETE, RESIDUAL],
        [ABLATION, RESIDUAL, COMPLETE],
        [ABLATION, COMPLETE, LTP, COMPLETE],
        [COMPLETE],
        [NE],
        [ABLATION, COMPLETE, ABLATION],
        [ABLATION, COMPLETE, LTP, ABLATION],
    ],
)
def test_contradictions_are_refused(events):
    with pytest.raises(IllegalStep):
        state_after(*events)


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


@pytest.mark.parametrize(
    ("outcomes", "before", "most", "ended"),
    [
        ([COMPLETE, NE], 2, 2, False),
        ([COMPLETE, LTP], 1, 2, True),
        ([RESIDUAL], 1, 2, False),
        ([RESIDUAL], 2, 2, True),
        ([COMPLETE, RESIDUAL], 3, 2, True),
        ([RESIDUAL], 5, None, False),
        ([], 2, 2, False),
    ],
)
def test_scans_end_with_progression_or_with_residual_tumour_that_is_not_treated(
    outcomes, before, most, ended
):
    assert ends_scans(outcomes, before, most) is ended
