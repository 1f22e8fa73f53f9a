"""CTCAE version 5.0: suggested grades of laboratory values (and of the ejection fraction).

The table is written as cut points in ascending severity. A band is what lies between two neighbouring cut
points, so a gap, an overlap or an empty band cannot be written down; `tests/vectors/ctcae_5_0.json` compares
it with its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise


class Direction(StrEnum):
    """Whether high or low values are the worse ones."""

    HIGH = "high"
    LOW = "low"


class Scale(StrEnum):
    """What a cut point is a multiple of."""

    UNIT = "unit"
    ULN = "ULN"
    LLN = "LLN"
    BASELINE = "baseline"


@dataclass(frozen=True)
class Cut:
    """Where a grade begins: beyond `at` times the scale. `inclusive`: the cut point itself belongs to the grade."""

    grade: int
    at: Decimal
    scale: Scale
    inclusive: bool = False


@dataclass(frozen=True)
class Grading:
    """The cut points of one term, mildest first."""

    direction: Direction
    unit: str
    cuts: tuple[Cut, ...]

    def __post_init__(self) -> None:
        for mild, bad in pairwise(self.cuts):
            if bad.grade <= mild.grade:
                raise ValueError(f"grade {bad.grade} does not follow grade {mild.grade}")
            if mild.scale is not bad.scale:
                continue
            worse = bad.at > mild.at if self.direction is Direction.HIGH else bad.at < mild.at
            if not worse:
                raise ValueError(f"grade {bad.grade} does not begin beyond grade {mild.grade}")


@dataclass(frozen=True)
class Suggestion:
    """A suggested grade: 0 none, None not to be said from what is known (`missing` names the limit)."""

    grade: int | None
    because: str
    missing: tuple[str, ...] = ()


def _cuts(scale: Scale, **grades: str) -> tuple[Cut, ...]:
    return tuple(Cut(int(grade[1:]), Decimal(at), scale) for grade, at in grades.items())


def _low(unit: str, **grades: str) -> Grading:
    """A term that begins below the lower limit of normal."""
    return Grading(Direction.LOW, unit, (Cut(1, Decimal(1), Scale.LLN), *_cuts(Scale.UNIT, **grades)))


TABLE: Mapping[str, Grading] = {
    "NEUT": _low("10^9/L", g2="1.5", g3="1.0", g4="0.5"),
    "PLAT": _low("10^9/L", g2="75", g3="50", g4="25"),
    "HGB": _low("g/dL", g2="10", g3="8"),
    "ALT": Grading(Direction.HIGH, "", _cuts(Scale.ULN, g1="1", g2="3", g3="5", g4="20")),
    "AST": Grading(Direction.HIGH, "", _cuts(Scale.ULN, g1="1", g2="3", g3="5", g4="20")),
    "BILI": Grading(Direction.HIGH, "", _cuts(Scale.ULN, g1="1", g2="1.5", g3="3", g4="10")),
    "CREAT": Grading(Direction.HIGH, "", _cuts(Scale.ULN, g1="1", g2="1.5", g3="3", g4="6")),
}
ABNORMAL_BASELINE: Mapping[str, Grading] = {
    "ALT": Grading(
        Direction.HIGH,
        "",
        (
            Cut(1, Decimal("1.5"), Scale.BASELINE, inclusive=True),
            *_cuts(Scale.BASELINE, g2="3", g3="5", g4="20"),
        ),
    ),
    "AST": Grading(
        Direction.HIGH,
        "",
        (
            Cut(1, Decimal("1.5"), Scale.BASELINE, inclusive=True),
            *_cuts(Scale.BASELINE, g2="3", g3="5", g4="20"),
        ),
    ),
    "BILI": Grading(Direction.HIGH, "", _cuts(Scale.BASELINE, g1="1", g2="1.5", g3="3", g4="10")),
}
EJECTION_FRACTION = Grading(
    Direction.LOW,
    "%",
    (Cut(2, Decimal(50), Scale.UNIT, inclusive=True), *_cuts(Scale.UNIT, g3="40", g4="20")),
)
EJECTION_FRACTION_DROP = Grading(
    Direction.HIGH,
    "points",
    (Cut(2, Decimal(10), Scale.UNIT, inclusive=True), Cut(3, Decimal(20), Scale.UNIT, inclusive=True)),
)


def suggest_grade(
    test: str,
    value: Decimal,
    lln: Decimal | None = None,
    uln: Decimal | None = None,
    baseline: Decimal | None = None,
) -> Suggestion:
    """The grade that a laboratory value suggests; the investigator decides.

    Parameters
    ----------
    test
        Key of `TABLE`.
    value
        In the unit of the table; where the table counts in multiples, in the unit of the limits.
    lln, uln
        Limits of normal in the unit of `value`.
    baseline
        Value before treatment in the same unit. Where it lies above `uln`, ALT, AST and bilirubin are graded
        by multiples of it.

    Returns
    -------
    Suggestion
        Grade 0 to 4. None where a limit that would decide is missing; a grade that rests on an absolute
        number is given all the same.

    Raises
    ------
    KeyError
        No such test in the table.

    References
    ----------
    NCI CTCAE version 5.0 (27 November 2017), Investigations and Blood disorders.
    """
    grading = TABLE[test]
    abnormal = baseline is not None and uln is not None and baseline > uln
    if abnormal and test in ABNORMAL_BASELINE:
        grading = ABNORMAL_BASELINE[test]
    return _graded(
        grading, value, {Scale.UNIT: Decimal(1), Scale.LLN: lln, Scale.ULN: uln, Scale.BASELINE: baseline}
    )


def _graded(grading: Grading, value: Decimal, scales: Mapping[Scale, Decimal | None]) -> Suggestion:
    missing: list[str] = []
    for cut in reversed(grading.cuts):
        scale = scales[cut.scale]
        if scale is None:
            missing.append(cut.scale.value)
            continue
        if _beyond(value, cut, scale, grading.direction):
            return Suggestion(cut.grade, _because(value, cut, scale, grading))
    if missing:
        names = tuple(sorted(set(missing)))
        return Suggestion(None, f"not to be graded without {', '.join(names)}", names)
    return Suggestion(0, f"{value} is below grade {grading.cuts[0].grade}")


def _beyond(value: Decimal, cut: Cut, scale: Decimal, direction: Direction) -> bool:
    edge = cut.at * scale
    if value == edge:
        return cut.inclusive
    return value > edge if direction is Direction.HIGH else value < edge


def _because(value: Decimal, cut: Cut, scale: Decimal, grading: Grading) -> str:
    sign = ">" if grading.direction is Direction.HIGH else "<"
    sign += "=" if cut.inclusive else ""
    edge = (
        f"{cut.at} {grading.unit}".strip() if cut.scale is Scale.UNIT else f"{cut.at} x {cut.scale} ({scale})"
    )
    return f"{value} {sign} {edge}: grade {cut.grade}"


def suggest_ejection_fraction_grade(value: Decimal, baseline: Decimal | None = None) -> Suggestion:
    """The grade that a left ventricular ejection fraction suggests.

    Parameters
    ----------
    value, baseline
        In per cent. The worse of resting value and drop from baseline (in percentage points) counts.

    References
    ----------
    NCI CTCAE version 5.0, "Ejection fraction decreased".

    Notes
    -----
    The source speaks in whole numbers (50 to 40, 39 to 20); what lies between 40 and 39 is below 40 and so
    grade 3.
    """
    scales: dict[Scale, Decimal | None] = {Scale.UNIT: Decimal(1)}
    found = [_graded(EJECTION_FRACTION, value, scales)]
    if baseline is not None:
        found.append(_graded(EJECTION_FRACTION_DROP, baseline - value, scales))
    return max(found, key=lambda suggestion: suggestion.grade or 0)
