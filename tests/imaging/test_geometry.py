"""Points, planes and distances in millimetres."""

from __future__ import annotations

from decimal import Decimal

import pytest

from imaging.dicom.geometry import distance_mm, gaps, plane_from, plane_of, slice_distance_mm
from imaging.dicom.reader import read
from tests.imaging.dicom_files import one_slice

D = Decimal
AXIAL = [D(1), D(0), D(0), D(0), D(1), D(0)]


def test_distance_is_exact() -> None:
    assert distance_mm((D(0), D(0), D(0)), (D(3), D(4), D(12))) == 13
    assert distance_mm((D("0.1"), D(0), D(0)), (D("0.3"), D(0), D(0))) == D("0.2")


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((D(0), D(0), D(10)), True),
        ((D(-1), D("-0.5"), D(10)), True),
        ((D("-1.01"), D(0), D(10)), False),
        ((D(0), D("-0.51"), D(10)), False),
        ((D(199), D("49.5"), D(10)), True),
        ((D("199.1"), D("49.5"), D(10)), False),
        ((D(0), D(0), D("10.1")), True),
        ((D(0), D(0), D("10.11")), False),
    ],
)
def test_a_point_lies_in_the_slice_up_to_the_edge_of_its_last_pixel(
    point: tuple[D, D, D], inside: bool
) -> None:
    plane = plane_from([D(0), D(0), D(10)], AXIAL, [D(1), D(2)], rows=50, columns=100)
    assert plane is not None

    assert plane.holds(point, tolerance_mm=D("0.1")) is inside


def test_a_file_gives_its_plane() -> None:
    plane = plane_of(read(one_slice()))

    assert plane is not None
    assert (plane.depth, plane.row_spacing, plane.normal) == (0, D("5.9375"), (0, 0, 1))


@pytest.mark.parametrize(
    ("orientation", "spacing"),
    [([D(1)] * 6, [D(1), D(1)]), (AXIAL[:5], [D(1), D(1)]), (AXIAL, [D(0), D(1)]), (AXIAL, [D(1)])],
)
def test_nonsense_is_no_plane(orientation: list[D], spacing: list[D]) -> None:
    assert plane_from([D(0)] * 3, orientation, spacing, 10, 10) is None


def test_missing_slices_are_counted() -> None:
    depths = [D(n) * 5 for n in range(20)]

    assert (gaps(depths), slice_distance_mm(depths)) == (0, 5)
    assert gaps(depths[:7] + depths[9:]) == 2
    assert gaps([D(1)]) == 0
    assert slice_distance_mm([]) is None
