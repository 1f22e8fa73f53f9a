"""When visits are due: targets and windows from anchors, in calendar arithmetic.

A target is always counted from its anchor, never from the visit before it, so that a late
visit moves nothing. Window edges are separate numbers: a window printed "(+ 7 days)" has
nothing before its target.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class Start(StrEnum):
    """From which date of its anchor a visit is counted."""

    FIRST = "first"
    LAST = "last"
    EACH = "each"


class ScheduleAnchor(StrEnum):
    """Which procedure the month visits are counted from."""

    FIRST_PROC = "FIRST_PROC"
    LAST_PROC = "LAST_PROC"


class MonthMode(StrEnum):
    """How long a month is."""

    CALENDAR = "calendar"
    DAYS_28 = "28"
    DAYS_30 = "30"
    DAYS_MEAN = "30.4375"


@dataclass(frozen=True)
class VisitRule:
    """One visit of a protocol: so many days or months after an anchor, with its window in days."""

    code: str
    name: str
    anchor: str
    start: Start
    days: int | None = None
    months: int | None = None
    before: int = 0
    after: int = 0
    imaging: bool = False

    def __post_init__(self) -> None:
        if (self.days is None) == (self.months is None):
            raise ValueError(f"visit {self.code} needs either days or months after its anchor")
        if self.before < 0 or self.after < 0:
            raise ValueError(f"visit {self.code}: the edges of a window are counted away from the target")


@dataclass(frozen=True)
class SchedulePlan:
    """The anchored visits of a protocol, in its order, and what its anchors are called."""

    visits: tuple[VisitRule, ...]
    anchor_labels: Mapping[str, str]


@dataclass(frozen=True)
class ScheduleSettings:
    """What a trial may set otherwise than its visit list; None leaves the visit list as it is."""

    schedule_anchor: ScheduleAnchor | None = None
    month_mode: MonthMode = MonthMode.CALENDAR
    win_before: int | None = None
    win_after: int | None = None


@dataclass(frozen=True)
class PlannedVisit:
    """One visit with its dates. `sequence` counts visits of one code (a Day 14 after each procedure)."""

    code: str
    sequence: int
    target: date
    earliest: date
    latest: date
    because: str

    def holds(self, on: date) -> bool:
        """Whether `on` lies in the window, both edges included."""
        return self.earliest <= on <= self.latest


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month where it has none.

    Parameters
    ----------
    day, months
        Calendar date; whole months, negative to go back.

    References
    ----------
    docs/definitions.md, “Schedule” "Month": 31 January + 1 month is 28 or 29 February.
    """
    years, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(years, month0 + 1)[1]
    return date(years, month0 + 1, min(day.day, last))


def study_day(reference: date, on: date) -> int:
    """Study day as SDTM `--DY` counts it: the reference date is day 1 and there is no day 0."""
    offset = (on - reference).days
    return offset + 1 if offset >= 0 else offset


def plan_visits(
    plan: SchedulePlan,
    anchors: Mapping[str, Sequence[date]],
    settings: ScheduleSettings | None = None,
) -> list[PlannedVisit]:
    """All visits that the anchors known so far make due, in order of their targets.

    Parameters
    ----------
    plan
        Visits of the protocol.
    anchors
        Dates that have happened, by anchor name, in any order. A visit whose anchor has no date is left out.
    settings
        Deviating choices of the trial.

    Returns
    -------
    list of PlannedVisit
        Ordered by target, then by the order of the protocol. Window edges are inclusive dates.

    Notes
    -----
    With two procedures, a visit counted from *each* of them appears twice (`sequence` 1 and 2), and visits
    counted from the *last* appear once, re-anchored. `schedule_anchor` decides between first and last only;
    it leaves *each* alone. The anchor date is day 0: Day 14 is the anchor + 14 days.
    """
    chosen = settings or ScheduleSettings()
    planned: list[tuple[date, int, PlannedVisit]] = []
    for place, rule in enumerate(plan.visits):
        label = plan.anchor_labels.get(rule.anchor, rule.anchor)
        dates = sorted(anchors.get(rule.anchor, ()))
        for sequence, (day, which) in enumerate(_starts(rule, dates, chosen), start=1):
            visit = _planned(rule, sequence, day, f"{which} {label}".strip(), chosen)
            planned.append((visit.target, place, visit))
    return [visit for _, _, visit in sorted(planned, key=lambda row: row[:2])]


def _starts(rule: VisitRule, dates: list[date], settings: ScheduleSettings) -> list[tuple[date, str]]:
    if not dates:
        return []
    if rule.start is Start.EACH:
        return [
            (day, _ordinal(number) if len(dates) > 1 else "") for number, day in enumerate(dates, start=1)
        ]
    first = rule.start is Start.FIRST
    if settings.schedule_anchor is not None:
        first = settings.schedule_anchor is ScheduleAnchor.FIRST_PROC
    return [(dates[0], "first")] if first else [(dates[-1], "last")]


def _ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def _planned(
    rule: VisitRule, sequence: int, start: date, label: str, settings: ScheduleSettings
) -> PlannedVisit:
    before = rule.before if settings.win_before is None else settings.win_before
    after = rule.after if settings.win_after is None else settings.win_after
    target = _target(rule, start, settings.month_mode)
    return PlannedVisit(
        code=rule.code,
        sequence=sequence,
        target=target,
        earliest=target - timedelta(days=before),
        latest=target + timedelta(days=after),
        because=_because(rule, start, target, label, settings.month_mode),
    )


def _target(rule: VisitRule, start: date, mode: MonthMode) -> date:
    if rule.months is None:
        return start + timedelta(days=rule.days or 0)
    if mode is MonthMode.CALENDAR:
        return add_months(start, rule.months)
    days = (Decimal(mode.value) * rule.months).quantize(Decimal(1), ROUND_HALF_UP)
    return start + timedelta(days=int(days))


def day_in_words(day: date) -> str:
    """A date as people write it, in English whatever the locale: `4 Mar 2025`."""
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def _because(rule: VisitRule, start: date, target: date, label: str, mode: MonthMode) -> str:
    sentence = f"{rule.name} = {label} {day_in_words(start)} + {_length(rule, mode)}"
    clipped = rule.months is not None and mode is MonthMode.CALENDAR and target.day != start.day
    if clipped:
        sentence += f" ({MONTHS[target.month - 1]} {target.year} has no day {start.day}, so its last day)"
    return sentence


def _length(rule: VisitRule, mode: MonthMode) -> str:
    if rule.months is None:
        return f"{rule.days} {'day' if rule.days == 1 else 'days'}"
    months = f"{rule.months} {'month' if rule.months == 1 else 'months'}"
    return months if mode is MonthMode.CALENDAR else f"{months} of {mode.value} days"


def days_outside(visit: PlannedVisit, on: date) -> int:
    """By how many days `on` misses the window: 0 inside, negative when early, positive when late."""
    if on < visit.earliest:
        return (on - visit.earliest).days
    return max(0, (on - visit.latest).days)


def assign_visit(
    planned: Iterable[PlannedVisit], on: date, reach_days: int | None = None
) -> PlannedVisit | None:
    """The planned visit that a visit on this date stands for: by window first, then by nearest target.

    Parameters
    ----------
    planned
        Visits still open.
    on
        The day that the visit happened.
    reach_days
        How far from a target, in days, a visit outside every window still counts as that (late or early)
        visit; None for any distance.

    Returns
    -------
    PlannedVisit or None
        None: an unscheduled visit. Of two equally near targets the earlier one is taken.

    References
    ----------
    docs/definitions.md, “Schedule”, "assign to a planned visit by window first, then nearest target; otherwise
    unscheduled".
    """
    visits = list(planned)

    def distance(visit: PlannedVisit) -> tuple[int, date]:
        return abs((on - visit.target).days), visit.target

    within = [visit for visit in visits if visit.holds(on)]
    if within:
        return min(within, key=distance)
    near = [visit for visit in visits if reach_days is None or distance(visit)[0] <= reach_days]
    return min(near, key=distance, default=None)
