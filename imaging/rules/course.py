"""Where a lesion stands when a reader opens the next scan. Pure; builds on the lesion's states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from imaging.rules.ablation import (
    IllegalStep,
    LesionOutcome,
    LesionState,
    after_ablation,
    after_read,
    allowed_outcomes,
)


@dataclass(frozen=True)
class EarlierRead:
    """Outcomes that were signed for an earlier scan, by lesion."""

    scanned_on: date
    outcomes: Mapping[str, str]


WORDS: Final[Mapping[LesionState, str]] = {
    LesionState.BASELINE: "",
    LesionState.ABLATED: "First scan after an ablation: tumour at the edge now is residual, not progression.",
    LesionState.COMPLETE: "The ablation was complete before: tumour at its edge now is local progression.",
    LesionState.RESIDUAL: "Tumour was left and not treated since: it is still residual.",
    LesionState.LTP: "Local progression was read before and stays.",
}
"""The rule that gives what may be said, by where the lesion stands."""


def standing(
    lesion: str, reads: Iterable[EarlierRead], procedures: Iterable[date], scanned_on: date
) -> LesionState:
    """Where a lesion stands before a scan is read.

    Parameters
    ----------
    lesion
        Identifier of the lesion.
    reads
        Signed reads of earlier scans.
    procedures
        Days of ablation procedures. Which lesions were treated is not shown to the reader; a procedure counts for
        every lesion that could still be treated.
    scanned_on
        Day of the scan.

    References
    ----------
    docs/definitions.md, “Ablation” (after Ahmed 2014 and Puijk 2021).
    """
    events: list[tuple[date, int, LesionOutcome | None]] = [
        (day, 1, None) for day in procedures if day < scanned_on
    ]
    for read in reads:
        said = read.outcomes.get(lesion)
        if said in set(LesionOutcome) and read.scanned_on < scanned_on:
            events.append((read.scanned_on, 0, LesionOutcome(str(said))))
    state = LesionState.BASELINE
    for _day, _rank, outcome in sorted(events, key=lambda event: event[:2]):
        state = _next(state, outcome)
    return state


def options_for(
    lesion: str, reads: Iterable[EarlierRead], procedures: Iterable[date], scanned_on: date
) -> frozenset[LesionOutcome]:
    """What may be said of a lesion on a scan; nothing before any procedure. Parameters as of `standing`."""
    return allowed_outcomes(standing(lesion, reads, procedures, scanned_on))


def _next(state: LesionState, outcome: LesionOutcome | None) -> LesionState:
    try:
        return after_ablation(state) if outcome is None else after_read(state, outcome)
    except IllegalStep:
        return state
