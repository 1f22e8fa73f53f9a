"""RECIST 1.1: response per timepoint from target sums, non-target lesions and new lesions.

The thresholds are those of the published edition and so stand here; a trial cannot set them.
RECIST must not judge ablated lesions (`imaging.rules.ablation` does): an ablation zone is larger than its
tumour by intention.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

MAX_TARGETS = 5
MAX_TARGETS_PER_ORGAN = 2
MEASURABLE_MM = Decimal(10)
MEASURABLE_NODE_MM = Decimal(15)
NORMAL_NODE_MM = Decimal(10)  # a short axis below this is a normal node
PROGRESSION_SHARE = Decimal("0.20")
PROGRESSION_MM = Decimal(5)
RESPONSE_SHARE = Decimal("0.30")


class Response(StrEnum):
    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"


NON_TARGET_RESPONSES = frozenset({Response.CR, Response.NON_CR_NON_PD, Response.PD, Response.NE})


class RecistRefused(ValueError):
    """A timepoint that cannot be assessed as it stands; `place` says where."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(reason)
        self.place = place


@dataclass(frozen=True)
class Target:
    """A target lesion at one timepoint: longest diameter, or short axis of a node, in mm; None is not evaluable."""

    organ: str
    nodal: bool
    mm: Decimal | None


@dataclass(frozen=True)
class Timepoint:
    """One assessment. `non_target` None: there are none, or (where there were some) they were not assessed."""

    on: date
    targets: Mapping[str, Target]
    non_target: Response | None = None
    new_lesion: bool = False


@dataclass(frozen=True)
class Assessed:
    """The response at one timepoint. Lengths in mm, changes in per cent, unrounded.

    `sum_mm` is None when a target was not evaluable; `measured_mm` is the sum of what was measured.
    `nadir_mm` is the smallest complete sum before this timepoint, the baseline included (at the baseline:
    its own sum); None where the baseline has none. `target` is None at the baseline and where there are no targets;
    `overall` is None at the baseline.
    """

    on: date
    sum_mm: Decimal | None
    measured_mm: Decimal
    nadir_mm: Decimal | None
    change_from_baseline_pct: Decimal | None
    change_from_nadir_pct: Decimal | None
    target: Response | None
    overall: Response | None
    because: str


@dataclass(frozen=True)
class _Earlier:
    """What a timepoint is compared with: the baseline's sum, the smallest sum so far, and a complete response.

    `unmeasured` names the targets without a size at the baseline: then there is nothing to compare with.
    """

    start: Decimal
    nadir: Decimal
    unmeasured: tuple[str, ...] = ()
    complete: bool = False

    def and_then(self, assessed: Assessed) -> _Earlier:
        """The same with one more timepoint; an incomplete sum is no nadir."""
        whole = assessed.sum_mm
        return replace(
            self,
            nadir=self.nadir if whole is None else min(self.nadir, whole),
            complete=self.complete or assessed.overall is Response.CR,
        )


def assess_timepoints(timepoints: Sequence[Timepoint]) -> list[Assessed]:
    """Responses of all timepoints, the first being the baseline.

    Parameters
    ----------
    timepoints
        In order of date. A target of the baseline that a later timepoint leaves out counts as not evaluable.

    Returns
    -------
    list of Assessed
        As long as `timepoints`. Each response rests on its own and earlier timepoints only.

    Raises
    ------
    RecistRefused
        No timepoint, dates not ascending, more than 5 targets or 2 in an organ, a baseline target of 0 mm, a target
        that the baseline does not have.

    References
    ----------
    Eisenhauer 2009 (Eur J Cancer 45:228), sections 3.1, 4.3, 4.4 and table 1; docs/definitions.md, “Response”.

    Notes
    -----
    After a complete overall response, or a nadir of 0 mm (all targets had gone), any target that comes back (a node: to
    10 mm or more) is progression, whatever its size (note to table 3, and EORTC's clarification of it). Sums with a
    target not evaluable never become the nadir. A target not evaluable at the baseline leaves nothing to compare with:
    the targets are NE from then on. With non-target lesions at the baseline, a timepoint that does not mention them
    counts as NE for them.
    """
    _checked(timepoints)
    baseline, *later = timepoints
    start, unmeasured = _total(baseline), _not_evaluable(baseline)
    results = [_baseline_row(baseline, start, unmeasured)]
    earlier = _Earlier(start, start, unmeasured)
    had_non_target = baseline.non_target is not None
    for timepoint in later:
        whole = _complete(timepoint, baseline)
        had_non_target = had_non_target or whole.non_target is not None
        non_target = Response.NE if had_non_target and whole.non_target is None else whole.non_target
        assessed = _assess(whole, earlier, non_target)
        results.append(assessed)
        earlier = earlier.and_then(assessed)
    return results


def progression_date(assessed: Sequence[Assessed]) -> date | None:
    """The first date with overall response PD, or None."""
    return next((row.on for row in assessed if row.overall is Response.PD), None)


def baseline_remarks(baseline: Timepoint) -> list[str]:
    """What a reader should look at again: targets below the size that counts as measurable."""
    return list(_too_small(baseline))


def _too_small(baseline: Timepoint) -> Iterator[str]:
    for name, target in baseline.targets.items():
        least = MEASURABLE_NODE_MM if target.nodal else MEASURABLE_MM
        if target.mm is not None and target.mm < least:
            axis = "short axis" if target.nodal else "longest diameter"
            yield f"{name}: {axis} {target.mm} mm at baseline is below the measurable {least} mm"


def _checked(timepoints: Sequence[Timepoint]) -> None:
    if not timepoints:
        raise RecistRefused("timepoints", "at least the baseline is needed")
    _check_baseline(timepoints[0])
    for index, (before, after) in enumerate(pairwise(timepoints), start=1):
        place = f"timepoints[{index}]"
        if after.on <= before.on:
            raise RecistRefused(
                f"{place}.date", f"{after.on} does not follow {before.on}, the timepoint before"
            )
        for name, target in after.targets.items():
            _check_target(f"{place}.targets.{name}", target, timepoints[0].targets.get(name))


def _check_baseline(baseline: Timepoint) -> None:
    place = "timepoints[0].targets"
    if len(baseline.targets) > MAX_TARGETS:
        raise RecistRefused(place, f"{len(baseline.targets)} target lesions; at most {MAX_TARGETS}")
    organs = Counter(target.organ for target in baseline.targets.values())
    for organ, count in organs.items():
        if count > MAX_TARGETS_PER_ORGAN:
            raise RecistRefused(
                place, f"{count} target lesions in {organ}; at most {MAX_TARGETS_PER_ORGAN} an organ"
            )
    for name, target in baseline.targets.items():
        if target.mm is not None and target.mm <= 0:
            raise RecistRefused(f"{place}.{name}.mm", "a target lesion needs its size in mm at the baseline")


def _check_target(place: str, target: Target, first: Target | None) -> None:
    if first is None:
        raise RecistRefused(
            place, "not a target lesion of the baseline; a lesion that appears later is a new lesion"
        )
    if (target.organ, target.nodal) != (first.organ, first.nodal):
        raise RecistRefused(place, "organ and nodal must be as at the baseline")
    if target.mm is not None and target.mm < 0:
        raise RecistRefused(f"{place}.mm", "a size must not be negative")


def _complete(timepoint: Timepoint, baseline: Timepoint) -> Timepoint:
    """The timepoint with every target of the baseline, those left out as not evaluable."""
    targets = {
        name: timepoint.targets.get(name, Target(first.organ, first.nodal, None))
        for name, first in baseline.targets.items()
    }
    return Timepoint(timepoint.on, targets, timepoint.non_target, timepoint.new_lesion)


def _total(timepoint: Timepoint) -> Decimal:
    return sum((target.mm for target in timepoint.targets.values() if target.mm is not None), Decimal(0))


def _not_evaluable(timepoint: Timepoint) -> tuple[str, ...]:
    return tuple(name for name, target in timepoint.targets.items() if target.mm is None)


def _baseline_row(baseline: Timepoint, start: Decimal, unmeasured: Sequence[str]) -> Assessed:
    because = f"baseline: sum {start} mm over {len(baseline.targets)} target lesions"
    if not baseline.targets:
        because = "baseline without target lesions"
    elif unmeasured:
        because = f"baseline without a sum: {', '.join(unmeasured)} not measured"
    whole = None if unmeasured else start
    return Assessed(baseline.on, whole, start, whole, None, None, None, None, because)


def _assess(timepoint: Timepoint, earlier: _Earlier, non_target: Response | None) -> Assessed:
    measured, missing = _total(timepoint), _not_evaluable(timepoint)
    target, target_because = _target_response(timepoint, earlier, measured, missing)
    overall, overall_because = _overall(target, non_target, timepoint.new_lesion)
    whole = None if missing else measured
    compared = None if earlier.unmeasured else whole
    return Assessed(
        on=timepoint.on,
        sum_mm=whole,
        measured_mm=measured,
        nadir_mm=None if earlier.unmeasured else earlier.nadir,
        change_from_baseline_pct=_change_pct(earlier.start, compared),
        change_from_nadir_pct=_change_pct(earlier.nadir, compared),
        target=target,
        overall=overall,
        because=f"{target_because}; {overall_because}",
    )


def _change_pct(before: Decimal, after: Decimal | None) -> Decimal | None:
    if after is None or before == 0:
        return None
    return (after - before) * 100 / before


def _target_response(
    timepoint: Timepoint, earlier: _Earlier, measured: Decimal, missing: Sequence[str]
) -> tuple[Response | None, str]:
    if not timepoint.targets:
        return None, "no target lesions"
    if earlier.unmeasured:
        return Response.NE, f"targets NE: {', '.join(earlier.unmeasured)} not measured at the baseline"
    progression = _progression(timepoint, earlier, measured)
    if progression:
        return Response.PD, f"targets PD: {'measured part alone' if missing else 'sum'} {progression}"
    if missing:
        names = ", ".join(missing)
        return Response.NE, f"targets NE: {names} not evaluable and the measured part alone is no progression"
    if _all_gone(timepoint):
        return (
            Response.CR,
            f"targets CR: no target left and every node below {NORMAL_NODE_MM} mm (sum {measured} mm)",
        )
    return _by_size(earlier, measured)


def _by_size(earlier: _Earlier, measured: Decimal) -> tuple[Response, str]:
    start, nadir = earlier.start, earlier.nadir
    from_baseline = f"sum {measured} mm, {_percent(start, measured)} from baseline {start} mm"
    if start - measured >= RESPONSE_SHARE * start:
        return Response.PR, f"targets PR: {from_baseline}"
    return Response.SD, f"targets SD: {from_baseline}, {measured - nadir:+} mm from nadir {nadir} mm"


def _progression(timepoint: Timepoint, earlier: _Earlier, measured: Decimal) -> str:
    """How the measured targets show progression, in words; empty where they do not."""
    nadir, growth = earlier.nadir, measured - earlier.nadir
    if growth >= PROGRESSION_SHARE * nadir > 0 and growth >= PROGRESSION_MM:
        return f"{measured} mm, {_percent(nadir, measured)} and {growth:+} mm from nadir {nadir} mm"
    if (earlier.complete or nadir == 0) and not _all_gone(timepoint):
        return f"{measured} mm after {'all had gone' if nadir == 0 else 'a complete response'}"
    return ""


def _all_gone(timepoint: Timepoint) -> bool:
    """Whether no measured target is left: others at 0, nodes below 10 mm. Those not evaluable are not looked at."""
    return all(
        target.mm < NORMAL_NODE_MM if target.nodal else target.mm == 0
        for target in timepoint.targets.values()
        if target.mm is not None
    )


def _percent(before: Decimal, after: Decimal) -> str:
    return f"{(after - before) * 100 / before:+.1f} %"


def _overall(target: Response | None, non_target: Response | None, new_lesion: bool) -> tuple[Response, str]:
    """The table of time point responses (Eisenhauer 2009, tables 1 and 2)."""
    if new_lesion:
        return Response.PD, "new lesion"
    if target is Response.PD:
        return Response.PD, "targets progressed"
    if non_target is Response.PD:
        return Response.PD, "non-target lesions progressed unequivocally"
    if target is None:
        if non_target is None:
            return Response.NE, "neither target nor non-target lesions to assess"
        return non_target, f"non-target lesions {non_target}"
    if target is Response.CR and non_target not in (None, Response.CR):
        return Response.PR, f"targets CR but non-target lesions {non_target}"
    return target, f"non-target lesions {non_target}" if non_target else "no non-target lesions"
