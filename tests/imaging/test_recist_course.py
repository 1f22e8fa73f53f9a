"""RECIST 1.1 over the reads of a case: which targets count, and what is shown of the arithmetic."""

from __future__ import annotations

from decimal import Decimal

import pytest

from imaging.rules.recist_course import (
    LIMIT,
    NODE,
    NON_TARGET,
    TARGET,
    Course,
    SizedLesion,
    Sizes,
    beyond_limit,
    recist_course,
)

LIVER, SPLEEN, LUNG, KIDNEY = "LIVER", "SPLEEN", "LUNG", "KIDNEY"
ORGANS = (LIVER, LIVER, LUNG, LUNG, NODE, NODE, SPLEEN, KIDNEY)


def targets(*organs: str) -> list[SizedLesion]:
    return [SizedLesion(f"T0{number}", organ, TARGET) for number, organ in enumerate(organs, start=1)]


def course(*points: dict[str, str | None], organs: tuple[str, ...] = (LIVER, LIVER)) -> Course:
    sizes = [
        Sizes(number, {name: None if mm is None else Decimal(mm) for name, mm in point.items()})
        for number, point in enumerate(points, start=1)
    ]
    return recist_course(targets(*organs), sizes)


def steps(shown: Course) -> dict[str, tuple[str, str]]:
    return {step.what: (step.working, step.result) for step in shown.steps}


def test_a_whole_sum_is_compared_with_the_baseline_and_the_smallest() -> None:
    shown = course({"T01": "60", "T02": "40"}, {"T01": "30", "T02": "20"}, {"T01": "40", "T02": "0"})

    assert shown.overall == "PR"
    assert steps(shown)["Sum of diameters"] == ("T01 40 + T02 0", "40 mm")
    assert steps(shown)["Change from baseline"] == ("(40 − 100) ÷ 100", "−60 mm, −60 %")
    assert steps(shown)["Change from the smallest sum"] == ("(40 − 50) ÷ 50", "−10 mm, −20 %")
    assert [name for name, _ in shown.figures] == ["Sum", "From baseline", "From 50.0 mm, the smallest"]


def test_no_change_is_shown_of_a_sum_that_lacks_a_target() -> None:
    shown = course({"T01": "60", "T02": "40"}, {"T01": "40", "T02": None})

    assert shown.overall == "NE"
    assert steps(shown)["Measured part of the sum"] == ("T01 40 + T02 NE", "40 mm")
    assert steps(shown)["Change of the sum"] == ("T02 not evaluable", "not known")
    assert not [name for name in steps(shown) if name.startswith("Change from")]
    assert shown.figures == [("Measured part", "40.0 mm")]


@pytest.mark.parametrize(
    ("now", "overall", "part"),
    [
        ("120", "PD", ("(120 − 100) ÷ 100", "+20 mm, +20 %")),
        ("119.9", "NE", None),
    ],
)
def test_the_measured_part_is_compared_where_it_alone_is_progression(
    now: str, overall: str, part: tuple[str, str] | None
) -> None:
    shown = course({"T01": "60", "T02": "40"}, {"T01": now, "T02": None})

    assert shown.overall == overall
    assert steps(shown).get("Measured part against the smallest sum") == part
    assert steps(shown)["Change of the sum"] == ("T02 not evaluable", "not known")


@pytest.mark.parametrize("size", [None, "0"])
def test_a_target_without_a_size_at_the_first_time_point_leaves_no_response(size: str | None) -> None:
    shown = course({"T01": "60", "T02": size}, {"T01": "30", "T02": "10"})

    assert shown.overall == "NE"
    assert shown.rule == "NE: T02 not measured at time point 1"
    assert steps(shown)["Baseline sum"] == ("T02 not measured at time point 1", "none")
    assert not [name for name in steps(shown) if name.startswith(("Change", "Smallest"))]


def test_a_target_that_nobody_asked_for_at_the_first_time_point_has_no_size_there() -> None:
    assert course({"T01": "60"}, {"T01": "30", "T02": "10"}).rule == "NE: T02 not measured at time point 1"


@pytest.mark.parametrize(
    ("organs", "sized", "beyond"),
    [
        ((LIVER, LIVER, LIVER), ["T01"], ""),
        ((LIVER, LIVER, LIVER), ["T01", "T02"], "T03"),
        ((LIVER, LIVER, LIVER), ["T01", "T03"], "T02"),
        ((LIVER, LIVER, NODE), ["T01", "T02"], ""),
        (ORGANS[:6], ["T01", "T02", "T03", "T04"], ""),
        (ORGANS[:6], ["T01", "T02", "T03", "T04", "T05"], "T06"),
        (ORGANS, ["T01", "T02", "T03", "T05", "T07"], "T04 T06 T08"),
        ((LIVER, LIVER, LIVER), ["T01", "T02", "T03"], ""),
    ],
)
def test_no_more_than_five_targets_count_and_two_in_an_organ(
    organs: tuple[str, ...], sized: list[str], beyond: str
) -> None:
    assert sorted(beyond_limit(targets(*organs), sized)) == beyond.split()


def test_non_target_lesions_neither_fill_the_limit_nor_fall_under_it() -> None:
    lesions = [*targets(LIVER, LIVER), SizedLesion("NT01", LIVER, NON_TARGET)]

    assert beyond_limit(lesions, ["T01", "NT01"]) == frozenset()
    assert beyond_limit(lesions, ["T01", "T02"]) == frozenset()


def test_a_target_beyond_the_limit_is_neither_counted_nor_waited_for() -> None:
    shown = course({"T01": "60", "T02": "40"}, {"T01": "30", "T02": "20"}, organs=(LIVER, LIVER, LIVER))

    assert (shown.overall, shown.waiting) == ("PR", ())
    assert steps(shown)["Sum of diameters"] == ("T01 30 + T02 20", "50 mm")
    assert shown.remarks == (f"T03: {LIMIT}",)


def test_more_targets_than_may_be_leave_no_response_and_say_why() -> None:
    shown = course({"T01": "60", "T02": "40", "T03": "20"}, organs=(LIVER, LIVER, LIVER))

    assert (shown.overall, shown.assessed) == ("", ())
    assert shown.problem == "RECIST 1.1 gives no response: 3 target lesions in LIVER; at most 2 an organ"
