"""Which status of a subject follows from its treatment and from how the study ended. Pure."""

from __future__ import annotations

ENDED = frozenset({"COMPLETED", "DISCONTINUED", "SCREEN_FAILURE"})
BEFORE_TREATMENT = frozenset({"ELIGIBLE", "ENROLLED"})
END_OF_STUDY = {"COMPLETED": "COMPLETED", "SCREEN FAILURE": "SCREEN_FAILURE"}
"""Status by the reason on the end-of-study form; every other reason is a discontinuation."""


def treatment_moves(status: str, *, begun: bool, over: bool) -> tuple[str, ...]:
    """Statuses that a subject passes through, in order, because of what is recorded of its treatment.

    Parameters
    ----------
    status
        Where the subject stands.
    begun
        A treatment of the trial is recorded.
    over
        The last planned treatment is complete, or treatment was ended.

    Returns
    -------
    tuple of str
        Empty where nothing moves. A second procedure brings a subject in follow-up back on treatment.
    """
    moves: list[str] = []
    if status in BEFORE_TREATMENT and begun:
        moves.append("ON_TREATMENT")
    if over and (moves or status in {"ON_TREATMENT", "ENROLLED"}):
        moves.append("FOLLOW_UP")
    if status == "FOLLOW_UP" and begun and not over:
        moves.append("ON_TREATMENT")
    return tuple(moves)


def status_at_end(reason: str) -> str:
    """Status after the end of the study for a reason of the disposition form (DSDECOD)."""
    return END_OF_STUDY.get(reason, "DISCONTINUED")
