"""A simulation that was made, as its page shows it: one card for each kind of change, and the subjects behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PLURALS = {
    "criterion": "criteria",
    "stratum": "strata",
    "sub-study": "sub-studies",
    "verification": "rules of verification",
}
CARDS = (
    ("", "Subjects on an earlier version"),
    ("verdict", "Eligibility verdicts that flip"),
    ("visits", "Visits planned anew"),
    ("queries", "Queries that open or close"),
    ("signatures", "To be signed again"),
    ("retired", "Kept, not asked any more"),
    ("affected", "Randomised or treated"),
)
"""What of a subject's impact makes it part of a card, and the words of the card; of no key: everybody."""


@dataclass(frozen=True)
class Card:
    """How much of one kind, and of how many subjects; following it narrows the list to them."""

    key: str
    words: str
    number: int
    subjects: int
    chosen: bool


def cards(subjects: Sequence[Mapping[str, Any]], chosen: str) -> list[Card]:
    """The cards at the head of the page."""
    return [_card(key, words, subjects, chosen) for key, words in CARDS]


def _card(key: str, words: str, subjects: Sequence[Mapping[str, Any]], chosen: str) -> Card:
    found = reached(subjects, key)
    listed = [each[key] for each in found if key and isinstance(each[key], list)]
    number = sum(map(len, listed)) if listed else len(found)
    changing = len(found) if key else sum(bool(each["changes"]) for each in subjects)
    return Card(key, words, number, changing, key == chosen)


def reached(subjects: Sequence[Mapping[str, Any]], key: str) -> list[Mapping[str, Any]]:
    """Subjects whom one kind of change reaches; all of them where there is no such kind."""
    if key not in dict(CARDS) or not key:
        return list(subjects)
    return [each for each in subjects if each[key]]


def kept_in_words(kept: Mapping[str, int]) -> str:
    """What of a protocol stays as it is: `35 forms, 31 criteria`."""
    return ", ".join(
        f"{number} {part if number == 1 else PLURALS.get(part, part + 's')}"
        for part, number in kept.items()
        if number
    )
