"""Where two readers of the same images differ so that an adjudicator must decide. Pure.

The charter names what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

LTP, RESIDUAL, NOT_EVALUABLE = "LTP", "RESIDUAL", "NE"
EVALUABILITY: Final = "evaluability"


@dataclass(frozen=True)
class Reading:
    """What one reader said of one time point, and since when.

    Attributes
    ----------
    time_point
        Its number in the case.
    evaluable
        Whether the images could be read.
    outcomes
        Outcome of each ablated lesion.
    overall
        Overall response; empty where none is asked.
    new_lesion
        `Y`, `N` or empty.
    ltp_since
        First time point at which this reader saw local tumour progression, by lesion.
    progression_since
        First time point with progressive disease; None where there was none.
    progression_noticed
        The one at which that was said, where a doubtful new lesion was confirmed later; else the same.
    """

    time_point: int
    evaluable: bool
    outcomes: Mapping[str, str] = field(default_factory=dict)
    overall: str = ""
    new_lesion: str = ""
    ltp_since: Mapping[str, int] = field(default_factory=dict)
    progression_since: int | None = None
    progression_noticed: int | None = None


def differences(first: Reading, second: Reading, variables: Collection[str]) -> tuple[str, ...]:
    """Variables of the charter in which two readings of the same time point differ, in the charter's order.

    Where only one of them could read the images, that is the difference, and what follows from it is not listed.

    Parameters
    ----------
    variables
        As the charter lists them.

    Raises
    ------
    KeyError
        A variable that no rule knows; packs are checked for that when they are published.

    References
    ----------
    FDA, Clinical Trial Imaging Endpoint Process Standards (2018): adjudication criteria stand in the charter.
    """
    found = tuple(name for name in variables if RULES[name](first, second))
    return (EVALUABILITY,) if EVALUABILITY in found else found


def disputed(first: Reading, second: Reading) -> tuple[str, ...]:
    """What the result of a time point consists of and two readings differ in, in words; whatever the charter asks.

    Two readings that differ in one of these are no agreed result: either the charter has an adjudicator decide, or the
    time point has none.
    """
    if first.evaluable != second.evaluable:
        return (WORDS[EVALUABILITY],)
    known = sorted({*first.outcomes, *second.outcomes})
    differing = [name for name in known if first.outcomes.get(name) != second.outcomes.get(name)]
    overall = (WORDS["overall_response"],) if first.overall != second.overall else ()
    return (*(f"outcome of {name}" for name in differing), *overall)


def _says(outcome: str, reading: Reading) -> dict[str, bool | None]:
    """Whether each lesion has an outcome; not known of one that could not be judged."""
    return {
        lesion: None if said == NOT_EVALUABLE else said == outcome
        for lesion, said in reading.outcomes.items()
    }


def _ltp(first: Reading, second: Reading) -> bool:
    return _says(LTP, first) != _says(LTP, second)


def _residual(first: Reading, second: Reading) -> bool:
    return _says(RESIDUAL, first) != _says(RESIDUAL, second)


def _ltp_date(first: Reading, second: Reading) -> bool:
    both = set(first.ltp_since) & set(second.ltp_since)
    return any(
        _noticed_now(first.ltp_since[lesion], second.ltp_since[lesion], first.time_point) for lesion in both
    )


def _progression_date(first: Reading, second: Reading) -> bool:
    if first.progression_since is None or second.progression_since is None:
        return False
    noticed = max(
        first.progression_noticed or first.progression_since,
        second.progression_noticed or second.progression_since,
    )
    return first.progression_since != second.progression_since and noticed == first.time_point


def _noticed_now(one: int, other: int, time_point: int) -> bool:
    """Dates differ, and this is the time point at which the later reader came to it: said once, not ever after."""
    return one != other and max(one, other) == time_point


RULES: Final[Mapping[str, Callable[[Reading, Reading], bool]]] = {
    "ltp": _ltp,
    "ltp_date": _ltp_date,
    "residual": _residual,
    "overall_response": lambda first, second: first.overall != second.overall,
    "progression_date": _progression_date,
    "new_lesion": lambda first, second: first.new_lesion != second.new_lesion,
    EVALUABILITY: lambda first, second: first.evaluable != second.evaluable,
}
"""The rule of each variable that a charter may name."""

WORDS: Final[Mapping[str, str]] = {
    "ltp": "Local tumour progression",
    "ltp_date": "Time point of local tumour progression",
    "residual": "Residual tumour",
    "overall_response": "Overall response",
    "progression_date": "Time point of progression",
    "new_lesion": "New lesion",
    EVALUABILITY: "Whether the images can be read",
}
"""The variables in words."""
