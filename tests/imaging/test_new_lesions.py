"""Doubtful new lesions that are confirmed later, and lesions that split or merge."""

from __future__ import annotations

from decimal import Decimal

import pytest

from imaging.errors import OutcomeRefusedError, ReadIncompleteError
from imaging.models import Measurement, Read
from imaging.rules.disagreement import Reading, differences
from imaging.rules.new_lesions import Point, Progressed, doubtful_since, progression_of
from imaging.rules.recist_course import SPLIT, SizedLesion, Sizes, recist_course, size_of
from imaging.selectors.judging import course_of, lesions_to_judge, new_lesion_options
from imaging.selectors.priors import reading_of
from imaging.services import record_findings
from imaging.services.signing import missing_in
from tests.imaging.conftest import Desk
from tests.imaging.reader import actor_of, mark, send, sign, size
from tests.imaging.test_response import begun, measured, sized

__all__ = ["sized"]


def points(answers: str, overall: str = "") -> list[Point]:
    """Time points from letters: the answer about a new lesion at each, `-` where there is none."""
    said = overall.split() if overall else ["PD" if letter in "YC" else "SD" for letter in answers]
    return [
        Point(number, response, letter.strip("-"))
        for number, (letter, response) in enumerate(zip(answers, said, strict=True), start=1)
    ]


@pytest.mark.parametrize(
    ("answers", "since"),
    [("N", None), ("NE", 2), ("NEE", 2), ("NENE", 4), ("NE-", 2), ("NEN", None), ("NEY", None), ("NE-E", 2)],
)
def test_since_when_a_doubtful_lesion_is_followed(answers: str, since: int | None) -> None:
    assert doubtful_since(points(answers)) == since


@pytest.mark.parametrize(
    ("answers", "overall", "found"),
    [
        ("NNN", "", None),
        ("NEE", "", None),
        ("NNY", "", Progressed(3, 3)),
        ("NEC", "", Progressed(2, 3)),
        ("NEEC", "", Progressed(2, 4)),
        ("NE-C", "SD SD NE PD", Progressed(2, 4)),
        ("NENEC", "", Progressed(4, 5)),
        ("NENC", "", Progressed(4, 4)),
        ("NNE", "SD PD PD", Progressed(2, 2)),
        ("NEEC", "SD SD PD PD", Progressed(2, 4)),
        ("NECC", "SD SD PD PD", Progressed(2, 3)),
    ],
)
def test_progression_counts_from_the_first_sight_of_what_is_confirmed(
    answers: str, overall: str, found: Progressed | None
) -> None:
    assert progression_of(points(answers, overall)) == found


def test_two_readers_who_date_it_differently_differ_where_it_was_noticed() -> None:
    dated_back = Reading(3, evaluable=True, overall="PD", progression_since=2, progression_noticed=3)
    now = Reading(3, evaluable=True, overall="PD", progression_since=3, progression_noticed=3)
    assert differences(dated_back, now, ("progression_date",)) == ("progression_date",)
    assert differences(dated_back, dated_back, ("progression_date",)) == ()
    before = Reading(3, evaluable=True, overall="PD", progression_since=1, progression_noticed=1)
    assert differences(before, dated_back, ("progression_date",)) == ("progression_date",)


MARKS = [(Decimal(12), Decimal(7)), (Decimal(8), Decimal(5))]


@pytest.mark.parametrize(
    ("status", "nodal", "mm"),
    [
        (SPLIT, False, 20),
        (SPLIT, True, 12),
        ("", False, 8),
        ("", True, 5),
        ("MERGED T01", False, 0),
        ("NE", False, None),
    ],
)
def test_the_size_of_a_lesion_in_parts_and_of_one_in_another(
    status: str, nodal: bool, mm: int | None
) -> None:
    assert size_of(status, MARKS, nodal=nodal) == (None if mm is None else Decimal(mm))


@pytest.mark.parametrize(("status", "marks"), [(SPLIT, MARKS[:1]), (SPLIT, []), ("", [])])
def test_a_lesion_that_is_not_measured_enough_has_no_size(
    status: str, marks: list[tuple[Decimal, Decimal | None]]
) -> None:
    with pytest.raises(LookupError):
        size_of(status, marks, nodal=False)


def test_the_arithmetic_shows_the_parts() -> None:
    lesions = [SizedLesion(name, "LIVER", "TARGET") for name in ("T01", "T02")]
    first = Sizes(1, {"T01": Decimal(30), "T02": Decimal(20)})
    how = {"T01": "12 + 8", "T02": "in T01"}
    shown = recist_course(lesions, [first, Sizes(2, {"T01": Decimal(20), "T02": Decimal(0)}, how=how)])
    assert (shown.steps[0].working, shown.steps[0].result) == ("T01 (12 + 8) 20 + T02 (in T01) 0", "20 mm")
    assert shown.overall == "PR", "a merged lesion is not gone while the other one is there"


def follow(desk: Desk, visit: str, **said: str) -> Read:
    return measured(desk, visit, T01=30.0, T02=20.0, said=said)


@pytest.mark.req("IMG-07")
def test_a_doubtful_lesion_is_followed_and_confirmed_on_the_desk(sized: Desk) -> None:
    send(sized, "BL", "M1", "M4")
    first = measured(sized, "BL", T01=30.0, T02=20.0)
    assert [code for code, _ in new_lesion_options(first)] == ["Y", "N"]
    sign(first)

    second = follow(sized, "M1", overall="SD")
    assert [code for code, _ in new_lesion_options(second)] == ["Y", "N", "E"]
    with pytest.raises(OutcomeRefusedError, match="doubtful"):
        record_findings(actor=actor_of(second.reader), read=second, new_lesion="C")
    second = record_findings(actor=actor_of(second.reader), read=second, new_lesion="E")
    course = course_of(second)
    assert course is not None
    assert course.overall == "SD", "in doubt it is none"
    sign(second)

    third = follow(sized, "M4", overall="PD")
    third = record_findings(actor=actor_of(third.reader), read=third, new_lesion="C")
    course = course_of(third)
    assert course is not None
    assert course.overall == "PD"
    dated = next(step for step in course.steps if step.what == "Progression counts from")
    assert (dated.working, dated.result) == (
        "seen first at time point 2, confirmed at time point 3",
        "time point 2",
    )
    said = reading_of(sign(third))
    assert (said.progression_since, said.progression_noticed) == (2, 3)


def test_parts_are_measured_beside_each_other_and_added_up(sized: Desk) -> None:
    send(sized, "BL", "M1")
    sign(measured(sized, "BL", T01=30.0, T02=20.0))
    read = measured(sized, "M1", T02=20.0, said={"overall": "SD"})
    size(read, "T01", "SPLIT")
    mark(read, "T01", 18.0)
    assert missing_in(read) == ["a measure of each part of T01, two at least"]
    with pytest.raises(ReadIncompleteError, match="each part"):
        sign(read)
    mark(read, "T01", 9.0)

    assert not Measurement.objects.filter(read=read, erased=True).exists()
    course = course_of(read)
    assert course is not None
    assert course.steps[0].working == "T01 (18 + 9) 27 + T02 20"
    assert sign(read).state == "SIGNED"


def test_merged_lesions_have_one_diameter_and_do_not_point_at_each_other(sized: Desk) -> None:
    send(sized, "BL", "M1")
    sign(measured(sized, "BL", T01=30.0, T02=20.0))
    read = measured(sized, "M1", T01=45.0, said={"overall": "SD"})
    size(read, "T02", "MERGED T01")

    course = course_of(read)
    assert course is not None
    assert course.steps[0].working == "T01 45 + T02 (in T01) 0"
    assert course.overall == "SD"
    listed = {each.lesion.name: [code for code, _ in each.sizes] for each in lesions_to_judge(read)}
    assert "MERGED T02" not in listed["T01"]
    with pytest.raises(OutcomeRefusedError):
        size(read, "T01", "MERGED T02")
    assert sign(read).state == "SIGNED"


def test_where_ablations_are_read_a_new_lesion_is_there_or_not(desk: Desk) -> None:
    send(desk, "M1")
    assert [code for code, _ in new_lesion_options(begun(desk, "M1"))] == ["Y", "N"]
