"""RECIST 1.1 over the reads of one case, with each step of the arithmetic in words. Pure.

The page shows what stands here and computes nothing itself. Time points are numbered, never dated: a blinded reader
sees these words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from imaging.rules.new_lesions import CONFIRMED, UNEQUIVOCAL, Point, progression_of
from imaging.rules.new_lesions import WORDS as NEW_LESION_WORDS
from imaging.rules.recist_1_1 import (
    MAX_TARGETS,
    MAX_TARGETS_PER_ORGAN,
    MEASURABLE_MM,
    MEASURABLE_NODE_MM,
    NORMAL_NODE_MM,
    PROGRESSION_MM,
    PROGRESSION_SHARE,
    RESPONSE_SHARE,
    Assessed,
    RecistRefused,
    Response,
    Target,
    Timepoint,
    assess_timepoints,
)

NODE: Final = "LYMPH NODE"
TARGET, NON_TARGET = "TARGET", "NON-TARGET"
ABSENT, TOO_SMALL, NOT_EVALUABLE, SPLIT, MERGED = "ABSENT", "TOO_SMALL", "NE", "SPLIT", "MERGED"
LEAST_PARTS: Final = 2
TOO_SMALL_MM: Final = Decimal(5)
"""A target that is there and too small to measure counts as 5 mm (Eisenhauer 2009, section 3.1.2)."""
THIN_SLICE_MM: Final = Decimal(5)
THICK_SLICES: Final = 2
"""Above 5 mm slices, a lesion is measurable from twice their thickness on (Eisenhauer 2009, section 3.1.1)."""
TARGET_STEP: Final = "Target lesions"
LIMIT: Final = (
    f"not counted: RECIST 1.1 takes at most {MAX_TARGETS} targets, {MAX_TARGETS_PER_ORGAN} in an organ."
)
_HUNDRED = Decimal(100)
_TENTH = Decimal("0.1")
_EPOCH = date(1, 1, 1)


@dataclass(frozen=True)
class SizedLesion:
    """A lesion that RECIST judges."""

    name: str
    organ: str
    role: str

    @property
    def nodal(self) -> bool:
        """Whether its short axis counts instead of its longest diameter."""
        return self.organ == NODE

    @property
    def axis(self) -> str:
        """Which of its diameters counts, in words."""
        return "short axis" if self.nodal else "longest diameter"


@dataclass(frozen=True)
class Sizes:
    """What was said at one time point.

    Attributes
    ----------
    number
        Number of the time point.
    mm
        Size of each target that was judged, in mm: None is not evaluable; a target left out is not judged yet.
    non_target
        Response of the non-target lesions; empty where not said.
    new_lesion
        What was said of a new lesion (`imaging.rules.new_lesions`).
    how
        How the size of a target came about that is not one measure: its parts, or the lesion with which it merged.
    """

    number: int
    mm: Mapping[str, Decimal | None] = field(default_factory=dict)
    non_target: str = ""
    new_lesion: str = ""
    how: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One step of the arithmetic: what is worked out, how, and what comes out."""

    what: str
    working: str
    result: str


@dataclass(frozen=True)
class Course:
    """Response at the last of several time points.

    Attributes
    ----------
    assessed
        Responses of all time points; empty where they cannot be assessed.
    steps
        The arithmetic of the last one.
    waiting
        Targets of the last one that are not judged yet.
    remarks
        What the reader should look at again.
    problem
        Why it cannot be assessed.
    """

    assessed: Sequence[Assessed] = ()
    steps: Sequence[Step] = ()
    waiting: Sequence[str] = ()
    remarks: Sequence[str] = ()
    problem: str = ""

    @property
    def last(self) -> Assessed | None:
        """The last time point; None while a target of it is not judged."""
        return self.assessed[-1] if self.assessed and not self.waiting else None

    @property
    def figures(self) -> Sequence[tuple[str, str]]:
        """Sum and changes at a glance, rounded for the eye; the steps have them exactly."""
        now = self.last
        if now is None:
            return ()
        shown = [("Sum" if now.sum_mm is not None else "Measured part", _eye(now.measured_mm, "mm"))]
        if now.change_from_baseline_pct is not None:
            shown.append(("From baseline", signed_share(now.change_from_baseline_pct)))
        if now.change_from_nadir_pct is not None and now.nadir_mm is not None:
            shown.append(
                (f"From {_eye(now.nadir_mm, 'mm')}, the smallest", signed_share(now.change_from_nadir_pct))
            )
        return shown

    @property
    def rule(self) -> str:
        """The rule that gives the response of the target lesions."""
        return next((step.working for step in self.steps if step.what == TARGET_STEP), "")

    @property
    def overall(self) -> str:
        """Overall response at the last time point; empty at the baseline and while it cannot be told."""
        return str(self.last.overall) if self.last and self.last.overall else ""


def size_of(status: str, marks: Sequence[tuple[Decimal, Decimal | None]], *, nodal: bool) -> Decimal | None:
    """Size of a target that counts, in mm; None where it is not evaluable.

    Parameters
    ----------
    status
        `ABSENT`, `TOO_SMALL`, `NE`, `SPLIT`, `MERGED` with the name of the lesion that holds both, or empty
        where it was measured.
    marks
        Long and short diameter of each mark, the newest last; for a node a single length is its short axis.

    Raises
    ------
    LookupError
        It was neither measured nor said how it is there, or a lesion in parts has fewer than two.

    Notes
    -----
    Parts of a lesion that split are added up. Of lesions that merged, the one that holds both has the diameter of the
    whole, and the other one adds nothing.

    References
    ----------
    Eisenhauer 2009 (Eur J Cancer 45:228), section 4.3.1 and appendix II, lesions that split or coalesce.
    """
    said = {ABSENT: Decimal(0), TOO_SMALL: TOO_SMALL_MM, NOT_EVALUABLE: None}
    if status in said:
        return said[status]
    if merged_into(status):
        return Decimal(0)
    sizes = [short_mm if nodal and short_mm is not None else long_mm for long_mm, short_mm in marks]
    if len(sizes) < (LEAST_PARTS if status == SPLIT else 1):
        raise LookupError("not judged yet")
    return sum(sizes, Decimal(0)) if status == SPLIT else sizes[-1]


def merged_into(status: str) -> str:
    """Name of the lesion that holds this one, where they merged; else empty."""
    return status.removeprefix(f"{MERGED} ") if status.startswith(f"{MERGED} ") else ""


def how_sized(status: str, marks: Sequence[tuple[Decimal, Decimal | None]], *, nodal: bool) -> str:
    """How a size came about that is not one measure, in words; else empty."""
    if merged_into(status):
        return f"in {merged_into(status)}"
    if status != SPLIT:
        return ""
    sizes = [short_mm if nodal and short_mm is not None else long_mm for long_mm, short_mm in marks]
    return " + ".join(_number(mm) for mm in sizes)


def recist_course(
    lesions: Iterable[SizedLesion], points: Sequence[Sizes], slice_mm: Decimal | None = None
) -> Course:
    """Response at the last time point, step by step.

    Parameters
    ----------
    lesions
        Lesions of the case; only targets are added up.
    points
        The time points read so far, the baseline first.
    slice_mm
        Thickness of the baseline's slices, mm, where known.

    References
    ----------
    Eisenhauer 2009 (Eur J Cancer 45:228), sections 3.1, 4.3, 4.4, tables 1 and 2.
    """
    points = (_as_baseline(points[0]), *points[1:])
    first, last = points[0], points[-1]
    known = list(lesions)
    targets = _counted(known, first)
    waiting = tuple(name for name in targets if name not in last.mm)
    remarks = tuple(
        f"{each.name}: {LIMIT}" for each in known if each.role == TARGET and each.name not in targets
    )
    if last is first:
        remarks += tuple(_small_targets(targets, first, slice_mm))
    try:
        timepoints = [_timepoint(targets, point) for point in points]
        assessed = assess_timepoints(timepoints)
    except RecistRefused as refused:
        return Course(waiting=waiting, remarks=remarks, problem=f"RECIST 1.1 gives no response: {refused}")
    steps = _steps_so_far(targets, points, assessed) if waiting else _steps(targets, points, assessed)
    return Course(assessed, tuple(steps), waiting, remarks)


def beyond_limit(lesions: Iterable[SizedLesion], sized: Collection[str]) -> frozenset[str]:
    """Targets that cannot count: as many others as may be are measured at the baseline, in all or in their organ.

    Parameters
    ----------
    sized
        Names of the lesions that have a size at the baseline.

    References
    ----------
    Eisenhauer 2009, section 4.2: at most five target lesions, at most two in an organ.
    """
    targets = [lesion for lesion in lesions if lesion.role == TARGET]
    organs = Counter(lesion.organ for lesion in targets if lesion.name in sized)
    return frozenset(
        lesion.name
        for lesion in targets
        if lesion.name not in sized
        and (organs.total() >= MAX_TARGETS or organs[lesion.organ] >= MAX_TARGETS_PER_ORGAN)
    )


def _counted(lesions: Collection[SizedLesion], first: Sizes) -> dict[str, SizedLesion]:
    """Targets that are added up, by name."""
    beyond = beyond_limit(lesions, [name for name, mm in first.mm.items() if mm])
    return {each.name: each for each in lesions if each.role == TARGET and each.name not in beyond}


def _as_baseline(point: Sizes) -> Sizes:
    """The first time point: a target that is not there has no size to compare with."""
    return replace(point, mm={name: mm or None for name, mm in point.mm.items()})


def _timepoint(targets: Mapping[str, SizedLesion], point: Sizes) -> Timepoint:
    """The time point for the rules, under a number instead of a date."""
    sizes = {name: Target(each.organ, each.nodal, point.mm.get(name)) for name, each in targets.items()}
    said = Response(point.non_target) if point.non_target in set(Response) else None
    return Timepoint(_EPOCH + timedelta(days=point.number), sizes, said, point.new_lesion in UNEQUIVOCAL)


def _small_targets(
    targets: Mapping[str, SizedLesion], first: Sizes, slice_mm: Decimal | None
) -> Iterable[str]:
    for name, lesion in targets.items():
        mm, least = first.mm.get(name), least_measurable_mm(lesion, slice_mm)
        if mm is not None and mm < least:
            yield f"{name}: {lesion.axis} {_mm(mm)} is below {_mm(least)}, too small for a target lesion."


def least_measurable_mm(lesion: SizedLesion, slice_mm: Decimal | None) -> Decimal:
    """Size from which a lesion is measurable, mm: 10, a node 15; twice the slice thickness where slices exceed 5 mm.

    References
    ----------
    Eisenhauer 2009, section 3.1.1 and appendix II.
    """
    if lesion.nodal:
        return MEASURABLE_NODE_MM
    thick = slice_mm is not None and slice_mm > THIN_SLICE_MM
    return max(MEASURABLE_MM, slice_mm * THICK_SLICES) if thick and slice_mm is not None else MEASURABLE_MM


# The arithmetic in words ----------------------------------------------------------------------------------------------


def _steps_so_far(
    targets: Collection[str], points: Sequence[Sizes], assessed: Sequence[Assessed]
) -> Iterable[Step]:
    """What can be said before every target is judged: a sum that lacks one must not look like a response."""
    if targets:
        yield Step("Sum so far", _addition(targets, points[-1]), _mm(assessed[-1].measured_mm))
    if targets and len(points) > 1:
        yield from _references(targets, points, assessed)


def _steps(targets: Collection[str], points: Sequence[Sizes], assessed: Sequence[Assessed]) -> Iterable[Step]:
    last, now = points[-1], assessed[-1]
    if targets:
        sum_of = "Sum of diameters" if now.sum_mm is not None else "Measured part of the sum"
        yield Step(sum_of, _addition(targets, last), _mm(now.measured_mm))
    if len(points) == 1:
        return
    if targets:
        yield from _references(targets, points, assessed)
        yield from _changes(targets, last, assessed)
    yield Step(TARGET_STEP, _rule_of_targets(targets, points, now), str(now.target or "none"))
    yield Step("Non-target lesions", "as you judged them", last.non_target or "not said")
    yield from _new_lesion(points, assessed)
    yield Step("Overall response", now.because.rsplit("; ", 1)[-1], str(now.overall or ""))


def _new_lesion(points: Sequence[Sizes], assessed: Sequence[Assessed]) -> Iterable[Step]:
    """The answer about a new lesion, and from when one counts that had been doubtful."""
    last = points[-1]
    yield Step("New lesion", "as you judged it", NEW_LESION_WORDS.get(last.new_lesion, "not said").lower())
    shown = [
        Point(point.number, str(row.overall or ""), point.new_lesion)
        for point, row in zip(points, assessed, strict=True)
    ]
    found = progression_of(shown)
    if last.new_lesion == CONFIRMED and found is not None and found.since < found.noticed:
        working = f"seen first at time point {found.since}, confirmed at time point {found.noticed}"
        yield Step("Progression counts from", working, f"time point {found.since}")


def _addition(counted: Collection[str], last: Sizes) -> str:
    parts = []
    for name in counted:
        mm = last.mm.get(name)
        known = name in last.mm
        how = f" ({last.how[name]})" if name in last.how else ""
        parts.append(f"{name}{how} {_number(mm)}" if mm is not None else f"{name} {'NE' if known else '?'}")
    return " + ".join(parts)


def _references(
    targets: Collection[str], points: Sequence[Sizes], assessed: Sequence[Assessed]
) -> Iterable[Step]:
    """The sums with which the last one is compared."""
    first, nadir = f"time point {points[0].number}", assessed[-1].nadir_mm
    if nadir is None:
        yield Step("Baseline sum", f"{_without_size(targets, points[0])} not measured at {first}", "none")
        return
    lowest = next(point.number for point, row in zip(points, assessed, strict=True) if row.sum_mm == nadir)
    yield Step("Baseline sum", first, _mm(assessed[0].measured_mm))
    yield Step("Smallest sum so far", f"time point {lowest}, the baseline included", _mm(nadir))


def _changes(targets: Collection[str], last: Sizes, assessed: Sequence[Assessed]) -> Iterable[Step]:
    """Changes of the sum. A part of it says nothing of a change, unless the part alone is progression."""
    now, nadir = assessed[-1], assessed[-1].nadir_mm
    if nadir is None:
        return
    if now.sum_mm is not None:
        yield _change("Change from baseline", assessed[0].measured_mm, now.sum_mm)
        yield _change("Change from the smallest sum", nadir, now.sum_mm)
        return
    yield Step("Change of the sum", f"{_without_size(targets, last)} not evaluable", "not known")
    if now.target is Response.PD:
        yield _change("Measured part against the smallest sum", nadir, now.measured_mm)


def _without_size(targets: Collection[str], point: Sizes) -> str:
    return ", ".join(name for name in targets if point.mm.get(name) is None)


def _change(what: str, before: Decimal, after: Decimal) -> Step:
    growth = after - before
    if before == 0:
        return Step(what, f"{_number(after)} − 0", f"{signed(growth)} mm")
    share = growth * _HUNDRED / before
    working = f"({_number(after)} − {_number(before)}) ÷ {_number(before)}"
    return Step(what, working, f"{signed(growth)} mm, {signed_share(share)}")


def _rule_of_targets(targets: Collection[str], points: Sequence[Sizes], now: Assessed) -> str:
    if not targets:
        return "no target lesions at the first time point"
    unmeasured = _without_size(targets, points[0])
    rules: dict[Response | None, str] = {
        Response.PD: f"PD: at least {_share(PROGRESSION_SHARE)} and {PROGRESSION_MM} mm above the smallest sum, or come"
        " back after all had gone",
        Response.CR: f"CR: all gone, every node below {NORMAL_NODE_MM} mm",
        Response.PR: f"PR: at least {_share(RESPONSE_SHARE)} below the baseline sum",
        Response.SD: "SD: neither PR nor PD",
        Response.NE: f"NE: {unmeasured} not measured at time point {points[0].number}"
        if unmeasured
        else "NE: a target is not evaluable, and the rest alone is no progression",
    }
    return rules.get(now.target, "")


def _share(share: Decimal) -> str:
    return f"{share * _HUNDRED:.0f} %"


def _number(mm: Decimal) -> str:
    """A size without zeros that say nothing."""
    return format(mm.normalize(), "f") if mm else "0"


def _eye(mm: Decimal, unit: str) -> str:
    return f"{mm.quantize(_TENTH, ROUND_HALF_UP)} {unit}"


def signed_share(per_cent: Decimal) -> str:
    """A change in per cent, to a tenth."""
    return f"{signed(per_cent.quantize(_TENTH, ROUND_HALF_UP))} %"


def _mm(mm: Decimal) -> str:
    return f"{_number(mm)} mm"


def signed(value: Decimal) -> str:
    """A change with its sign; the minus is a real one."""
    text = _number(abs(value))
    return text if text == "0" else f"{'−' if value < 0 else '+'}{text}"
