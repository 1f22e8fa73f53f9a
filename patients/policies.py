"""Which way a subject may move through a trial. Pure data and one question."""

from __future__ import annotations

from collections.abc import Mapping

MOVES: Mapping[str, frozenset[str]] = {
    "SCREENING": frozenset({"ELIGIBLE", "SCREEN_FAILURE", "DISCONTINUED"}),
    "ELIGIBLE": frozenset({"SCREENING", "ENROLLED", "ON_TREATMENT", "SCREEN_FAILURE", "DISCONTINUED"}),
    "ENROLLED": frozenset({"ON_TREATMENT", "FOLLOW_UP", "DISCONTINUED", "COMPLETED"}),
    "ON_TREATMENT": frozenset({"FOLLOW_UP", "DISCONTINUED", "COMPLETED"}),
    "FOLLOW_UP": frozenset({"ON_TREATMENT", "COMPLETED", "DISCONTINUED"}),
    "COMPLETED": frozenset(),
    "DISCONTINUED": frozenset(),
    "SCREEN_FAILURE": frozenset({"SCREENING"}),
}


def may_move(old: str, new: str) -> bool:
    """Tell whether a subject may go from status `old` to status `new`."""
    return new in MOVES[old]


OFF_STUDY = frozenset({"COMPLETED", "DISCONTINUED", "SCREEN_FAILURE"})
"""Who has left the trial stays on the version that applied."""
