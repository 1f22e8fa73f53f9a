"""What people write about data: reasons, questions, answers. Kept to the letter, or refused with a sentence."""

from __future__ import annotations

from casebook.errors import EmptyTextError, ReasonTooShortError, TextRefusedError
from casebook.rules.cells import CONTROL

SHORTEST_REASON = 3
LONGEST_REASON = 500
LONGEST_MESSAGE = 10_000


def plain(text: str, *, field: str, most: int) -> str:
    """The words without blanks around them; may be empty.

    Raises
    ------
    TextRefusedError
        They hold control characters, or there are too many.
    """
    words = text.strip()
    if CONTROL.search(words):
        raise TextRefusedError(field=field, why="The text holds characters that cannot be kept.")
    if len(words) > most:
        raise TextRefusedError(field=field, why=f"The text has {len(words):,} characters; {most:,} fit here.")
    return words


def reason_given(text: str, *, most: int = LONGEST_REASON) -> str:
    """A reason that has to be given.

    Raises
    ------
    ReasonTooShortError, TextRefusedError
    """
    words = plain(text, field="reason", most=most)
    if len(words) < SHORTEST_REASON:
        raise ReasonTooShortError(field="reason")
    return words


def message_written(text: str) -> str:
    """A question or an answer.

    Raises
    ------
    EmptyTextError, TextRefusedError
    """
    words = plain(text, field="text", most=LONGEST_MESSAGE)
    if not words:
        raise EmptyTextError(field="text")
    return words
