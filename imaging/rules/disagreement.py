"""Where two readers of the same images differ so that an adjudicator must decide. Pure.

The charter names what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

LTP, RESIDUAL, PROGRESSION = "LTP", "RESIDUAL", "PD"


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
    """

    time_point: int
    evaluable: bool
    outcomes: Mapping[str, str] = field(default_factory=dict)
    overall: str = ""
    new_lesion: str = ""
    ltp_since: Mapping[str, int] = field(default_factory=dict)
    progression_since: int | None = None


def differences(first: Reading, second: Reading, variables: Collection[str]) -> tuple[str, ...]:
    """Variables of the charter in which two readings of the same time point differ, in the charter's order.

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
    return tuple(name for name in variables if RULES[name](first, second))


def _lesions_with(outcome: str, reading: Reading) -> frozenset[str]:
    return frozenset(lesion for lesion, said in reading.outcomes.items() if said == outcome)


def _ltp(first: Reading, second: Reading) -> bool:
    return _lesions_with(LTP, first) != _lesions_with(LTP, second)


def _residual(first: Reading, second: Reading) -> bool:
    return _lesions_with(RESIDUAL, first) != _lesions_with(RESIDUAL, second)


def _ltp_date(first: Reading, second: Reading) -> bool:
    both = set(first.ltp_since) & set(second.ltp_since)
    return any(
        _noticed_now(first.ltp_since[lesion], second.ltp_since[lesion], first.time_point) for lesion in both
    )


def _progression_date(first: Reading, second: Reading) -> bool:
    if first.progression_since is None or second.progression_since is None:
        return False
    return _noticed_now(first.progression_since, second.progression_since, first.time_point)


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
    "evaluability": lambda first, second: first.evaluable != second.evaluable,
}
"""The rule of each variable that a charter may name."""

WORDS: Final[Mapping[str, str]] = {
    "ltp": "Local tumour progression",
    "ltp_date": "Time point of local tumour progression",
    "residual": "Residual tumour",
    "overall_response": "Overall response",
    "progression_date": "Time point of progression",
    "new_lesion": "New lesion",
    "evaluability": "Whether the images can be read",
}
"""The variables in words."""
