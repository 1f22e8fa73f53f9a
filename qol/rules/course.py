"""Scores of one subject over time: the baseline, and how far each later score lies from it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from qol.rules.fhsi_8_version_4 import Fhsi8Score

TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Filled:
    """A questionnaire that was filled in.

    Attributes
    ----------
    completed
        An aware datetime, a date where the time is not known, None where neither is.
    """

    completed: date | datetime | None
    result: Fhsi8Score

    @property
    def on(self) -> date | None:
        """Its day."""
        return self.completed.date() if isinstance(self.completed, datetime) else self.completed


@dataclass(frozen=True)
class Point:
    """A questionnaire in its course.

    Attributes
    ----------
    change
        Score minus baseline score, in points; None before treatment, or where one of the two is not known.
    deteriorated
        Whether the drop reaches the threshold.
    """

    filled: Filled
    baseline: bool = False
    change: Decimal | None = None
    deteriorated: bool = False
    because: str = ""


def course_of(
    forms: Sequence[Filled],
    *,
    started: date | None,
    first_infusion: datetime | None = None,
    threshold: Decimal | None = None,
) -> tuple[Point, ...]:
    """Compare every score with the baseline.

    Parameters
    ----------
    forms
        In any order.
    started
        Day of the first procedure; None while there was none.
    first_infusion
        Its time, where known.
    threshold
        Drop in points that counts as deterioration, inclusive; None where the protocol names none.

    Returns
    -------
    tuple of Point
        In the order of `forms`.

    References
    ----------
    Protocol, endpoint "time to deterioration"; REACH and REACH-2 (Chau 2017, Zhu 2020) for 3 points.

    Notes
    -----
    The baseline is the last evaluable form completed before the first infusion. A form of the day of the infusion
    without a time cannot be shown to precede it: it is neither baseline nor follow-up.
    """
    before = [each for each in forms if each.result.evaluable and _before(each, started, first_infusion)]
    baseline = max(before, key=_clock, default=None)
    return tuple(_point(each, baseline, started, first_infusion, threshold) for each in forms)


def _point(
    each: Filled,
    baseline: Filled | None,
    started: date | None,
    first_infusion: datetime | None,
    threshold: Decimal | None,
) -> Point:
    score = each.result.score
    if each is baseline:
        return Point(
            each, baseline=True, because="Baseline: the last evaluable form before the first infusion"
        )
    if score is None or started is None or _before(each, started, first_infusion):
        return Point(each)
    if not _after(each, started, first_infusion):
        return Point(each, because="On the day of the first infusion, time not known: not compared")
    if baseline is None or baseline.result.score is None:
        return Point(each, because="No evaluable form before the first infusion: nothing to compare with")
    change = score - baseline.result.score
    if threshold is None or change > -threshold:
        return Point(each, change=change)
    because = (
        f"{points(baseline.result.score)} at baseline, {points(score)} now: a drop of {points(-change)}, "
        f"at least {points(threshold)} points"
    )
    return Point(each, change=change, deteriorated=True, because=because)


def _before(each: Filled, started: date | None, first_infusion: datetime | None) -> bool:
    if each.on is None:
        return False
    if started is None:
        return True
    if isinstance(each.completed, datetime) and first_infusion is not None:
        return each.completed < first_infusion
    return each.on < started


def _after(each: Filled, started: date, first_infusion: datetime | None) -> bool:
    if each.on is None:
        return False
    if isinstance(each.completed, datetime) and first_infusion is not None:
        return each.completed > first_infusion
    return each.on > started


def _clock(each: Filled) -> tuple[date, float]:
    moment = each.completed.timestamp() if isinstance(each.completed, datetime) else 0.0
    return each.on or date.min, moment


def points(score: Decimal) -> str:
    """A score as shown: rounded half away from zero to one decimal, without a trailing zero."""
    rounded = score.quantize(TENTH, rounding=ROUND_HALF_UP)
    text = format(rounded, "f")
    return text.removesuffix(".0") if text.endswith(".0") else text
