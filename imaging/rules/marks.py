"""Whether a mark that a viewer sent is a measurement, and how long it is. Pure: the server's own arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from imaging.dicom.geometry import Plane, Point, distance_mm

POINTS_OF = {"Length": 2, "Bidirectional": 4}
OUT_OF_PLANE_MM = Decimal("0.5")
DISAGREEMENT_MM = Decimal("0.1")
_HUNDREDTH = Decimal("0.01")
_LIMIT = Decimal(100_000)


class MarkRefused(ValueError):
    """The mark is no measurement; the message says why."""


@dataclass(frozen=True)
class Measured:
    """A measurement that holds: ends of its axes as decimal text, and lengths in mm to a hundredth."""

    points: list[list[str]]
    long_mm: Decimal
    short_mm: Decimal | None


def measure(tool: str, points: Any, plane: Plane, *, claimed_mm: Any, unit: Any) -> Measured:
    """Check a mark and measure it again.

    Parameters
    ----------
    tool
        `Length` (two points) or `Bidirectional` (two points of the long axis, then two of the short one).
    points
        Points in the patient's coordinates, mm.
    plane
        Of the slice on which the mark was drawn.
    claimed_mm
        What the viewer showed for the (long) axis.
    unit
        Unit that the viewer showed, where it says one; nothing but `mm` is taken: counted pixels are no length.

    Raises
    ------
    MarkRefused
    """
    if unit not in (None, "mm"):
        raise MarkRefused("Only lengths in mm are taken; this image shows another unit.")
    if tool not in POINTS_OF:
        raise MarkRefused("This tool does not measure.")
    ends = _points(points, POINTS_OF[tool])
    if not all(plane.holds(end, tolerance_mm=OUT_OF_PLANE_MM) for end in ends):
        raise MarkRefused("A point does not lie on the slice.")
    axes = [distance_mm(first, second) for first, second in zip(ends[::2], ends[1::2], strict=True)]
    if not min(axes):
        raise MarkRefused("The mark has no length.")
    if abs(_number(claimed_mm) - axes[0]) > DISAGREEMENT_MM:
        raise MarkRefused(
            f"The viewer showed {claimed_mm} mm, and it is {_rounded(axes[0])} mm. Draw it again."
        )
    if len(axes) > 1 and axes[1] > axes[0]:
        axes.reverse()
    shown = [[format(value, "f") for value in end] for end in ends]
    return Measured(shown, _rounded(axes[0]), _rounded(axes[1]) if len(axes) > 1 else None)


def _rounded(length: Decimal) -> Decimal:
    return length.quantize(_HUNDREDTH, ROUND_HALF_UP)


def _points(points: Any, count: int) -> Sequence[Point]:
    if not isinstance(points, list) or len(points) != count:
        raise MarkRefused(f"The mark needs {count} points.")
    ends: list[Point] = []
    for point in points:
        if not isinstance(point, list) or len(point) != 3:
            raise MarkRefused("A point has three coordinates.")
        ends.append((_number(point[0]), _number(point[1]), _number(point[2])))
    return ends


def _number(value: Any) -> Decimal:
    """A finite number of sensible size, from JSON (a number or text) without a detour over binary rounding."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise MarkRefused("A coordinate is no number.")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise MarkRefused("A coordinate is no number.") from error
    if not number.is_finite() or abs(number) > _LIMIT:
        raise MarkRefused("A coordinate is no number.")
    return number
