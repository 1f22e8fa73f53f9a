"""Who may do what with images and reads. Pure."""

from __future__ import annotations

from typing import Final

MAY_CHANGE: Final = frozenset({"ASSIGNED", "IN_READ"})
OPEN_BATCH: Final = "RECEIVING"
ADJUDICATORS_NUMBER: Final = 3
"""Number of a read that an adjudicator makes, after those of the first and the second reader."""

RELEASABLE: Final = frozenset(
    {
        "burned_in", "screen_capture", "comment_in_pixels", "lossy", "other_patient", "names_sent", "words_left",
        "writing",
    }
)  # fmt: skip
"""Reasons of quarantine that a person may overrule; the others are not readable images in the first place."""

COVERABLE: Final = frozenset({"burned_in", "screen_capture", "writing"})
"""Reasons of quarantine that lie in the picture, and are gone once an area of it is covered."""


def may_change_read(state: str, reader_id: int, user_id: int | None) -> bool:
    """Only the reader changes a read, and only until it is signed."""
    return state in MAY_CHANGE and user_id is not None and reader_id == user_id


def permission_to_read(number: int) -> str:
    """What one needs to open a read of one's own: a read of an adjudicator is part of the adjudication."""
    return "adjudicate.read" if number == ADJUDICATORS_NUMBER else "read.perform"


def may_release(code: str) -> bool:
    """Whether a person may let a quarantined file pass."""
    return code in RELEASABLE


def may_cover(code: str) -> bool:
    """Whether covering an area of the picture is an answer to a reason of quarantine."""
    return code in COVERABLE
