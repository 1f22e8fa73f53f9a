"""What became of an ablated lesion: complete, residual tumour, local tumour progression.

A state machine over treatments and central reads of one lesion; it says what a reader may answer. Residual tumour is
seen on the first assessable scan after an ablation and is no recurrence; local tumour progression (the "local
recurrence" of the protocol) needs an earlier scan that showed the ablation to be complete. What follows for the subject
is worked out from the signed answers by the rules of the endpoints.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class LesionState(StrEnum):
    BASELINE = "BASELINE"
    ABLATED = "ABLATED"
    COMPLETE = "COMPLETE"
    RESIDUAL = "RESIDUAL"
    LTP = "LTP"


class LesionOutcome(StrEnum):
    """What a reader may say of an ablated lesion on one scan."""

    COMPLETE = "COMPLETE"
    RESIDUAL = "RESIDUAL"
    LTP = "LTP"
    NE = "NE"


class IllegalStep(ValueError):
    """A step that the lesion cannot take from where it stands."""


_READS: dict[LesionState, dict[LesionOutcome, LesionState]] = {
    LesionState.ABLATED: {
        LesionOutcome.COMPLETE: LesionState.COMPLETE,
        LesionOutcome.RESIDUAL: LesionState.RESIDUAL,
    },
    LesionState.COMPLETE: {
        LesionOutcome.COMPLETE: LesionState.COMPLETE,
        LesionOutcome.LTP: LesionState.LTP,
    },
    LesionState.RESIDUAL: {LesionOutcome.RESIDUAL: LesionState.RESIDUAL},
    LesionState.LTP: {LesionOutcome.LTP: LesionState.LTP},
}


def allowed_outcomes(state: LesionState) -> frozenset[LesionOutcome]:
    """What a reader may answer for a lesion in this state; NE always, save before any ablation.

    References
    ----------
    docs/definitions.md, “Ablation”, lesion state machine (after Ahmed 2014 and Puijk 2021).
    """
    if state is LesionState.BASELINE:
        return frozenset()
    return frozenset(_READS[state]) | {LesionOutcome.NE}


def after_read(state: LesionState, outcome: LesionOutcome) -> LesionState:
    """The state after a read. NE changes nothing.

    Raises
    ------
    IllegalStep
        Local progression without a complete ablation before it, residual tumour after a complete one, a read
        of a lesion that was never ablated, or a recovery without another ablation.
    """
    if outcome not in allowed_outcomes(state):
        raise IllegalStep(f"a lesion that is {state} cannot be read as {outcome}")
    return _READS[state].get(outcome, state)


def after_ablation(state: LesionState) -> LesionState:
    """The state after another ablation, which only an untreated lesion or one with residual tumour may have.

    Raises
    ------
    IllegalStep
        From any other state.
    """
    if state in (LesionState.BASELINE, LesionState.RESIDUAL, LesionState.ABLATED):
        return LesionState.ABLATED
    raise IllegalStep(f"a lesion that is {state} is not ablated again under the protocol")


def ends_scans(outcomes: Collection[str], procedures_before: int, max_procedures: int | None) -> bool:
    """Whether what was read of a subject's lesions on one scan is the last that scans are asked for.

    Parameters
    ----------
    outcomes
        What the final read says of the lesions.
    procedures_before
        Procedures before the scan; one on its day counts as done after it.
    max_procedures
        As the protocol says; None for no limit.

    References
    ----------
    docs/definitions.md, “Imaging” and “Ablation”: local progression ends them, and residual tumour when no procedure is
    left that could treat it.
    """
    none_left = max_procedures is not None and procedures_before >= max_procedures
    return LesionOutcome.LTP in outcomes or (none_left and LesionOutcome.RESIDUAL in outcomes)
