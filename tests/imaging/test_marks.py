"""What a viewer sends is measured again by the server, and only what is a measurement is kept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from imaging.dicom.geometry import plane_from
from imaging.rules.marks import MarkRefused, measure

AXIAL = [Decimal(n) for n in (1, 0, 0, 0, 1, 0)]
PLANE = plane_from([Decimal(-100), Decimal(-100), Decimal(5)], AXIAL, [Decimal(1), Decimal(1)], 200, 200)
LINE = [[0, 0, 5], [30, 40, 5]]


def measured(points: object = LINE, tool: str = "Length", claimed: object = 50, unit: object = None):
    assert PLANE is not None
    return measure(tool, points, PLANE, claimed_mm=claimed, unit=unit)


def test_a_length_is_worked_out_from_its_ends() -> None:
    result = measured()

    assert (result.long_mm, result.short_mm) == (Decimal("50.00"), None)
    assert result.points == [["0", "0", "5"], ["30", "40", "5"]]


def test_two_diameters_are_ordered_by_length() -> None:
    result = measured([[0, 0, 5], [10, 0, 5], [0, 0, 5], [0, 20, 5]], "Bidirectional", 10)

    assert (result.long_mm, result.short_mm) == (Decimal("20.00"), Decimal("10.00"))


@pytest.mark.parametrize(
    ("claimed", "fits"), [(50, True), ("50.1", True), (49.9, True), (50.11, False), (49.89, False)]
)
def test_the_viewer_may_differ_by_a_tenth_of_a_millimetre(claimed: object, fits: bool) -> None:
    if fits:
        assert measured(claimed=claimed).long_mm == 50
    else:
        with pytest.raises(MarkRefused, match=r"it is 50\.00 mm"):
            measured(claimed=claimed)


@pytest.mark.parametrize(("z", "inside"), [(5.5, True), (4.5, True), (5.51, False), (4.49, False)])
def test_points_lie_within_half_a_millimetre_of_the_slice(z: float, inside: bool) -> None:
    points = [[0, 0, z], [30, 40, z]]
    if inside:
        assert measured(points).long_mm == 50
    else:
        with pytest.raises(MarkRefused, match="not lie on the slice"):
            measured(points)


@pytest.mark.parametrize("unit", ["px", "cm US Region", "", 3])
def test_other_units_than_mm_are_refused(unit: object) -> None:
    with pytest.raises(MarkRefused, match="Only lengths in mm"):
        measured(unit=unit)


@pytest.mark.parametrize(
    ("points", "tool", "claimed"),
    [
        (LINE, "Angle", 50),
        (LINE, "Bidirectional", 50),
        ([[0, 0, 5]], "Length", 0),
        ("a line", "Length", 50),
        ([[0, 0], [1, 1]], "Length", 50),
        ([[0, 0, 5], [0, 0, 5]], "Length", 0),
        ([["NaN", 0, 5], [30, 40, 5]], "Length", 50),
        ([[float("inf"), 0, 5], [30, 40, 5]], "Length", 50),
        ([[True, 0, 5], [30, 40, 5]], "Length", 50),
        ([[None, 0, 5], [30, 40, 5]], "Length", 50),
        (LINE, "Length", None),
        (LINE, "Length", "fifty"),
        ([[0, 0, 5], [130, 40, 5]], "Length", 136),
    ],
)
def test_what_is_no_measurement_is_refused_with_a_sentence(
    points: object, tool: str, claimed: object
) -> None:
    with pytest.raises(MarkRefused) as refused:
        measured(points, tool, claimed)

    assert str(refused.value).endswith(".")
