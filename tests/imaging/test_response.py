"""Reads of sizes: which targets are measured, and when a response needs a reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse

from audit.context import acting
from casebook.models import Entry
from imaging.errors import MeasurementRefusedError, OutcomeRefusedError, ReadIncompleteError
from imaging.models import LesionOutcome, Question, Read
from imaging.selectors.judging import AT_BASELINE, course_of, lesions_to_judge
from imaging.services import open_read, record_findings
from imaging.services.signing import missing_in
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.reader import actor_of, charter_of, mark, read_of, send, sign, size


@pytest.fixture
def sized(desk: Desk) -> Iterator[Desk]:
    """A desk whose charter asks for sizes; T01 and T02 are targets in the liver."""
    with charter_of(desk, assessments=("recist",)):
        yield desk


def target(desk: Desk, name: str, organ: str = "LIVER", role: str = "TARGET") -> None:
    """One more lesion on the site's list."""
    values = {"TULNKID": {"value": name}, "TULOC": {"value": organ}, "TUORRES": {"value": role}}
    with acting(SETUP):
        Entry.objects.create(
            subject=desk.subject, visit=desk.visits["BL"], form="TU", repeat=int(name[-2:]), values=values
        )


def begun(desk: Desk, visit: str, **said: str) -> Read:
    """A read in which all is said but the sizes."""
    read = read_of(desk, visit)
    actor = actor_of(read.reader)
    open_read(actor=actor, read=read)
    return record_findings(actor=actor, read=read, image_quality="OPTIMAL", new_lesion="N", **said)


def measured(desk: Desk, visit: str, *, said: dict[str, str] | None = None, **lengths: float) -> Read:
    """The same with the lengths of lesions."""
    read = begun(desk, visit, **(said or {}))
    for lesion, length in lengths.items():
        mark(read, lesion, length)
    return read


def unreadable(desk: Desk, visit: str) -> Read:
    """A read of images that cannot be read."""
    read = begun(desk, visit)
    said = {"image_quality": "INADEQUATE", "quality_reason": "Motion"}
    return record_findings(actor=actor_of(read.reader), read=read, **said)


def older_answer(read: Read, lesion: str, status: str) -> None:
    """An answer about a size as it was taken before a baseline had to be measured."""
    with acting(SETUP):
        LesionOutcome.objects.create(
            read=read, subject=read.subject, lesion=lesion, question=Question.SIZE, outcome=status
        )


@pytest.mark.parametrize("status", ["NE", "TOO_SMALL", "ABSENT"])
def test_a_baseline_is_not_signed_without_a_measure_of_each_target(sized: Desk, status: str) -> None:
    send(sized, "BL")
    read = measured(sized, "BL", T01=30.0)
    with pytest.raises(OutcomeRefusedError, match="measured at the first time point"):
        size(read, "T02", status)
    assert missing_in(read) == ["a measure of T02, which every later one is compared with"]

    older_answer(read, "T02", status)
    with pytest.raises(ReadIncompleteError, match="a measure of T02"):
        sign(read)

    mark(read, "T02", 20.0)
    assert sign(read).state == "SIGNED"


def test_a_later_time_point_may_say_why_a_target_is_not_measured(sized: Desk) -> None:
    send(sized, "BL", "M1")
    sign(measured(sized, "BL", T01=30.0, T02=20.0))
    read = measured(sized, "M1", T01=30.0, said={"overall": "NE"})
    assert missing_in(read) == ["the size of T02"]

    size(read, "T02", "NE")

    assert sign(read).derived == "NE"


def test_an_unreadable_first_time_point_leaves_the_baseline_to_the_next(sized: Desk) -> None:
    send(sized, "BL", "M1")
    sign(unreadable(sized, "BL"))

    with pytest.raises(OutcomeRefusedError, match="measured at the first time point"):
        size(begun(sized, "M1"), "T01", "NE")


def test_a_target_that_the_baseline_has_no_size_of_leaves_the_response_to_the_reader(sized: Desk) -> None:
    send(sized, "BL", "M1")
    sign(measured(sized, "BL", T01=30.0, T02=20.0))
    target(sized, "T03", "LUNG")
    read = measured(sized, "M1", T01=20.0, T02=10.0, T03=10.0, said={"overall": "PR"})

    course = course_of(read)
    assert course is not None
    assert (course.overall, course.rule) == ("NE", "NE: T03 not measured at time point 1")
    assert missing_in(read) == ["why your response differs from the rules"]


def test_the_third_target_in_an_organ_takes_no_measure_and_is_not_waited_for(sized: Desk) -> None:
    target(sized, "T03")
    target(sized, "T04", "LUNG")
    send(sized, "BL")
    read = measured(sized, "BL", T01=30.0, T02=20.0)
    with pytest.raises(MeasurementRefusedError, match="T03: not counted"):
        mark(read, "T03", 25.0)
    assert [each.lesion.name for each in lesions_to_judge(read) if each.asks_size] == ["T01", "T02", "T04"]

    mark(read, "T04", 12.0)

    assert sign(read).state == "SIGNED"


def test_the_sixth_target_takes_no_measure(sized: Desk) -> None:
    organs = {"T03": "LUNG", "T04": "LUNG", "T05": "LYMPH NODE", "T06": "SPLEEN"}
    for name, organ in organs.items():
        target(sized, name, organ)
    send(sized, "BL")
    read = measured(sized, "BL", T01=30.0, T02=20.0, T03=20.0, T04=20.0, T05=20.0)

    with pytest.raises(MeasurementRefusedError, match="T06: not counted"):
        mark(read, "T06", 25.0)
    assert missing_in(read) == []


def measured_before_it_was_a_target(desk: Desk) -> Read:
    """A baseline with a third lesion of the liver that nothing speaks against measuring."""
    target(desk, "NT03", role="NON-TARGET")
    return measured(desk, "BL", T01=30.0, T02=20.0, NT03=20.0)


def called_a_target(desk: Desk) -> None:
    with acting(SETUP):
        row = Entry.objects.get(subject=desk.subject, form="TU", repeat=3)
        row.values["TUORRES"]["value"] = "TARGET"
        row.save()


def test_a_baseline_that_no_rule_can_begin_with_is_not_signed(sized: Desk) -> None:
    send(sized, "BL")
    read = measured_before_it_was_a_target(sized)
    assert missing_in(read) == []

    called_a_target(sized)

    with pytest.raises(ReadIncompleteError, match="3 target lesions in LIVER; at most 2 an organ"):
        sign(read)


def test_a_response_that_no_rule_gives_needs_a_reason(sized: Desk) -> None:
    send(sized, "BL", "M1")
    sign(measured_before_it_was_a_target(sized))
    called_a_target(sized)
    read = measured(sized, "M1", T01=20.0, T02=10.0, NT03=10.0, said={"overall": "PR"})
    assert missing_in(read) == ["what your response rests on"]
    with pytest.raises(ReadIncompleteError):
        sign(read)

    read = record_findings(actor=actor_of(read.reader), read=read, response_comment="T01 and T02 shrank.")

    assert sign(read).derived == ""


def test_a_response_at_the_first_readable_time_point_needs_a_reason(sized: Desk) -> None:
    send(sized, "BL", "M1")
    sign(unreadable(sized, "BL"))

    read = measured(sized, "M1", T01=20.0, T02=10.0, said={"overall": "SD"})

    assert missing_in(read) == ["what your response rests on"]


def test_the_response_of_the_rules_needs_no_reason_and_another_one_does(sized: Desk) -> None:
    send(sized, "BL", "M1")
    sign(measured(sized, "BL", T01=30.0, T02=20.0))
    read = measured(sized, "M1", T01=30.0, T02=20.0, said={"overall": "SD"})
    assert missing_in(read) == []

    read = record_findings(actor=actor_of(read.reader), read=read, overall="PD")

    assert missing_in(read) == ["why your response differs from the rules"]


def test_the_page_says_at_the_lesion_what_a_target_needs(sized: Desk) -> None:
    target(sized, "T03")
    send(sized, "BL")
    read = begun(sized, "BL")

    def shown() -> str:
        client = sized.cast.client(read.reader.username)
        return str(client.get(reverse("reading-case", args=[read.opaque])).content.decode())

    assert shown().count(AT_BASELINE) == 3
    assert "Not evaluable" not in shown()
    mark(read, "T01", 30.0)
    mark(read, "T02", 20.0)

    assert (shown().count(AT_BASELINE), shown().count("Not counted: RECIST 1.1")) == (2, 1)
    assert 'data-lesion-select="T03"' not in shown()
