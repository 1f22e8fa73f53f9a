"""Where a slice lies in the patient, and how far apart two points are. Millimetres, exact decimals.

References
----------
.. [1] DICOM PS3.3 2026c, C.7.6.2 "Image Plane Module", equation C.7.6.2.1-1.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from imaging.dicom.reader import DicomFile, values_of

Point = tuple[Decimal, Decimal, Decimal]

_HALF = Decimal("0.5")
_MAX_MM = Decimal(1_000_000)
"""Farther from the origin of its coordinates no patient lies."""


def _dot(a: Sequence[Decimal], b: Sequence[Decimal]) -> Decimal:
    return sum((x * y for x, y in zip(a, b, strict=True)), Decimal(0))


def _minus(a: Point, b: Point) -> Point:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def distance_mm(a: Point, b: Point) -> Decimal:
    """Straight distance between two points of the patient's coordinate system, mm."""
    step = _minus(a, b)
    return _dot(step, step).sqrt()


@dataclass(frozen=True)
class Plane:
    """The plane of one slice.

    Attributes
    ----------
    position
        Centre of the first pixel, mm (Image Position (Patient)).
    along_row, along_column
        Unit vectors in which the column index and the row index grow (Image Orientation (Patient)).
    row_spacing, column_spacing
        Distance between rows and between columns, mm (Pixel Spacing).
    """

    position: Point
    along_row: Point
    along_column: Point
    row_spacing: Decimal
    column_spacing: Decimal
    rows: int
    columns: int

    @property
    def normal(self) -> Point:
        """Unit vector across the slice."""
        (a, b, c), (d, e, f) = self.along_row, self.along_column
        return (b * f - c * e, c * d - a * f, a * e - b * d)

    @property
    def depth(self) -> Decimal:
        """Position of the slice along its normal, mm."""
        return _dot(self.position, self.normal)

    def on_image(self, point: Point) -> tuple[Decimal, Decimal]:
        """Column and row of a point in pixels; the centre of the first pixel is 0, 0."""
        step = _minus(point, self.position)
        return _dot(step, self.along_row) / self.column_spacing, _dot(
            step, self.along_column
        ) / self.row_spacing

    def holds(self, point: Point, *, tolerance_mm: Decimal) -> bool:
        """Whether a point lies in the slice: within `tolerance_mm` of its plane and inside the image."""
        step = _minus(point, self.position)
        if abs(_dot(step, self.normal)) > tolerance_mm:
            return False
        column = _dot(step, self.along_row) / self.column_spacing
        row = _dot(step, self.along_column) / self.row_spacing
        return -_HALF <= column <= self.columns - _HALF and -_HALF <= row <= self.rows - _HALF


def plane_of(file: DicomFile) -> Plane | None:
    """The plane of an image; None where position, orientation or spacing is missing or makes no sense."""
    values = values_of(file)
    position, orientation = values.decimals(0x00200032), values.decimals(0x00200037)
    spacing, rows, columns = (
        values.decimals(0x00280030),
        values.integer(0x00280010),
        values.integer(0x00280011),
    )
    if position is None or orientation is None or spacing is None or not rows or not columns:
        return None
    return plane_from(position, orientation, spacing, rows, columns)


def plane_from(
    position: Sequence[Decimal],
    orientation: Sequence[Decimal],
    spacing: Sequence[Decimal],
    rows: int,
    columns: int,
) -> Plane | None:
    """A plane from the attributes of an image; None where these are not a plane."""
    if (len(position), len(orientation), len(spacing)) != (3, 6, 2) or min(spacing) <= 0:
        return None
    if any(abs(number) >= _MAX_MM for number in (*position, *orientation, *spacing)):
        return None
    along_row, along_column = tuple(orientation[:3]), tuple(orientation[3:])
    lengths = (_dot(along_row, along_row), _dot(along_column, along_column))
    if any(abs(length - 1) > Decimal("0.01") for length in lengths):
        return None
    if abs(_dot(along_row, along_column)) > Decimal("0.01"):
        return None
    return Plane(
        (position[0], position[1], position[2]),
        (orientation[0], orientation[1], orientation[2]),
        (orientation[3], orientation[4], orientation[5]),
        spacing[0],
        spacing[1],
        rows,
        columns,
    )


def slice_distance_mm(depths: Sequence[Decimal]) -> Decimal | None:
    """Usual distance between neighbouring slices, mm; None for fewer than two places."""
    steps = _steps(depths)
    return median(steps) if steps else None


def extent_mm(depths: Sequence[Decimal]) -> Decimal | None:
    """From the first to the last slice, mm; None for fewer than two places."""
    return max(depths) - min(depths) if len(set(depths)) > 1 else None


def gaps(depths: Sequence[Decimal]) -> int:
    """How many slices seem to be missing: places where the step is more than 1.5 times the usual one."""
    steps = _steps(depths)
    if not steps:
        return 0
    usual = median(steps)
    return sum(int((step / usual).to_integral_value()) - 1 for step in steps if step > usual * Decimal("1.5"))


def _steps(depths: Sequence[Decimal]) -> list[Decimal]:
    ordered = sorted(set(depths))
    return [after - before for before, after in itertools.pairwise(ordered)]
