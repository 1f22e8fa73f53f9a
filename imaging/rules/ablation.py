"""What became of an ablated lesion: complete, residual tumour, local tumour progression.

A state machine over treatments and central reads of one lesion. Residual tumour is seen on the first
assessable scan after an ablation and is no recurrence; local tumour progression (the "local recurrence" of
the protocol) needs an earlier scan that showed the ablation to be complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class LesionState(StrEnum):
    BASELINE = "BASELINE"
    ABLATED = "ABLATED"
    COMPLETE = "COMPLETE"
    RESIDUAL = "RESIDUAL"
    FAILED = "FAILED"
    LTP = "LTP"


class LesionOutcome(StrEnum):
    """What a reader may say of an ablated lesion on one scan."""

    COMPLETE = "COMPLETE"
    RESIDUAL = "RESIDUAL"
    LTP = "LTP"
    NE = "NE"


class IllegalStep(ValueError):
    """A step that the lesion cannot take from where it stands."""


@dataclass(frozen=True)
class LesionRead:
    """The final central outcome of one lesion on one scan, dated by its acquisition."""

    acquired: date
    outcome: LesionOutcome


@dataclass(frozen=True)
class Step:
    """One step of a lesion's course and the state after it."""

    on: date
    state: LesionState
    because: str


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
    LesionState.FAILED: {LesionOutcome.RESIDUAL: LesionState.FAILED},
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


def settled(state: LesionState, procedures_used: int, max_procedures: int) -> LesionState:
    """Residual tumour with no procedure left to treat it is FAILED; every other state stays."""
    if state is LesionState.RESIDUAL and procedures_used >= max_procedures:
        return LesionState.FAILED
    return state


def lesion_course(
    ablated_on: Iterable[date], reads: Iterable[LesionRead], procedures: Sequence[date], max_procedures: int
) -> tuple[Step, ...]:
    """All steps of one lesion in order of date.

    Parameters
    ----------
    ablated_on
        When this lesion was ablated.
    reads
        Final reads of this lesion. A scan on the day of an ablation counts as taken before it.
    procedures
        Dates of all procedures of the subject, on this lesion or not: each uses up one of `max_procedures`.
    max_procedures
        As the protocol says.

    Raises
    ------
    IllegalStep
        The reads and ablations contradict each other; the message names the date.
    """
    events: list[tuple[date, int, LesionOutcome | None]] = [
        (read.acquired, 0, read.outcome) for read in reads
    ]
    events += [(day, 1, None) for day in ablated_on]
    state = LesionState.BASELINE
    steps: list[Step] = []
    for on, _, outcome in sorted(events, key=lambda event: event[:2]):
        try:
            state = after_ablation(state) if outcome is None else after_read(state, outcome)
        except IllegalStep as refused:
            raise IllegalStep(f"{on}: {refused}") from None
        used = sum(day <= on for day in procedures)
        state = settled(state, used, max_procedures)
        steps.append(Step(on, state, "ablation" if outcome is None else f"read {outcome}"))
    return tuple(steps)


def primary_efficacy(reads: Iterable[LesionRead], initial_course_ended: date) -> bool | None:
    """Primary technique efficacy of one lesion: complete ablation on the first assessable scan after the
    initial course.

    Parameters
    ----------
    reads
        Final reads of this lesion.
    initial_course_ended
        Date of the last planned procedure.

    Returns
    -------
    bool or None
        None while no scan after the initial course could be assessed.

    References
    ----------
    Ahmed 2014, terminology of image-guided ablation; docs/definitions.md, “Ablation”.
    """
    after = [
        read
        for read in reads
        if read.acquired > initial_course_ended and read.outcome is not LesionOutcome.NE
    ]
    if not after:
        return None
    return min(after, key=lambda read: read.acquired).outcome is LesionOutcome.COMPLETE


def recurrence_confirmed(state: LesionState) -> bool:
    """Whether the lesion's central reads end the imaging visits: local progression, or residual tumour that
    no procedure
    is left for (docs/definitions.md, “Imaging”)."""
    return state in (LesionState.LTP, LesionState.FAILED)


def imaging_due(
    visit_has_imaging: bool, target: date, recurrence_on: date | None, discontinued_on: date | None
) -> bool:
    """Whether a visit still asks for a scan.

    Parameters
    ----------
    visit_has_imaging
        As the visit plan says.
    target
        Target date of the visit.
    recurrence_on
        When local recurrence was confirmed (the signature of the central read), None if it was not.
    discontinued_on
        When the subject left the study.

    References
    ----------
    Seed: scans "until local recurrence is seen, the subject has discontinued, or 2 years of follow-up have
    elapsed". Stopping imaging stops neither visits nor questionnaires.
    """
    stopped = [day for day in (recurrence_on, discontinued_on) if day is not None and day < target]
    return visit_has_imaging and not stopped
