"""The page of scores: the course equals the endpoint's, and lists cost the same for two subjects and for six."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.selectors import access_of
from casebook.facts import facts_of
from endpoints.rules.pro_deterioration import time_to_deterioration
from endpoints.rules.timeline import FollowUp, FormScore
from patients.models import Subject
from qol.models import Invitation
from qol.rules.course import Filled, course_of, points
from qol.rules.fhsi_8_version_4 import ITEMS, Fhsi8Score, score_fhsi8
from qol.rules.questionnaire import deterioration_of, questionnaire_of
from qol.selectors import questionnaires_expected, questionnaires_expected_of
from qol.services import invite
from tests.cast import Cast
from tests.qol.desk import Desk, load
from trials.packs import bundled_protocol

TREATED = date(2025, 3, 4)
INFUSION = datetime.fromisoformat("2025-03-04T10:00+01:00")


def score(value: str | None) -> Fhsi8Score:
    return Fhsi8Score(None if value is None else Decimal(value), 8, (), "")


def filled(when: str, value: str | None) -> Filled:
    completed = datetime.fromisoformat(when) if "T" in when else date.fromisoformat(when)
    return Filled(completed, score(value))


@pytest.mark.parametrize(
    ("later", "deteriorated"),
    [("21", True), ("21.1", False), ("24", False), ("20.571428", True), (None, False)],
)
def test_a_drop_of_the_threshold_is_deterioration_and_less_is_not(
    later: str | None, deteriorated: bool
) -> None:
    forms = [filled("2025-03-01", "24"), filled("2025-04-05", later)]
    points_ = course_of(forms, started=TREATED, threshold=Decimal(3))
    assert [point.baseline for point in points_] == [True, False]
    assert points_[1].deteriorated is deteriorated


@pytest.mark.parametrize(
    ("same_day", "is_baseline"),
    [("2025-03-04T09:59+01:00", True), ("2025-03-04T10:00+01:00", False), ("2025-03-04", False)],
)
def test_the_baseline_is_completed_before_the_first_infusion(same_day: str, is_baseline: bool) -> None:
    forms = [filled("2025-03-01", "24"), filled(same_day, "20"), filled("2025-04-05", "18")]
    course = course_of(forms, started=TREATED, first_infusion=INFUSION, threshold=Decimal(3))
    assert [point.baseline for point in course] == [not is_baseline, is_baseline, False]
    assert course[2].change == (Decimal(-2) if is_baseline else Decimal(-6))


@pytest.mark.parametrize(
    "scores",
    [
        {"2025-03-01": "24", "2025-04-05": "21"},
        {"2025-03-01": "23", "2025-04-05": "21", "2025-07-05": "20"},
        {"2025-03-01": "24", "2025-04-05": None, "2025-07-05": "22"},
        {"2025-03-04": "24", "2025-04-05": "10"},
        {"2025-03-04T09:00+01:00": "24", "2025-03-04T12:00+01:00": "20", "2025-07-05": "24"},
        {"2025-03-01": "2", "2025-04-05": "0"},
    ],
)
def test_the_course_deteriorates_where_the_endpoint_does(scores: dict[str, str | None]) -> None:
    forms = [filled(when, value) for when, value in scores.items()]
    course = course_of(forms, started=TREATED, first_infusion=INFUSION, threshold=Decimal(3))
    follow_up = FollowUp(
        procedures=(TREATED,),
        forms=tuple(FormScore(each.completed, each.result.score) for each in forms if each.completed),
        first_infusion=INFUSION,
    )
    row = time_to_deterioration(follow_up, 36, Decimal(3))
    first = next((point.filled.on for point in course if point.deteriorated), None)
    assert first == (row.adt if row.cnsr == 0 else None)
    assert any(point.baseline for point in course) is (row.cnsr is not None)


@pytest.mark.parametrize(
    ("value", "shown"), [("17.6", "17.6"), ("24", "24"), ("18.25", "18.3"), ("27.428571", "27.4")]
)
def test_a_score_is_shown_with_one_decimal_rounded_once(value: str, shown: str) -> None:
    assert points(Decimal(value)) == shown


def test_the_protocol_says_form_items_and_threshold() -> None:
    protocol = bundled_protocol("THERMODOX")
    questionnaire = questionnaire_of(protocol)
    assert questionnaire is not None
    assert (questionnaire.form, questionnaire.items["Hep2"], questionnaire.time_item) == (
        "QS",
        "HEP2",
        "QSTIM",
    )
    found = deterioration_of(protocol, questionnaire.instrument)
    assert found is not None
    assert (found[0], found[1].paramcd) == (Decimal(3), "PROD")
    assert questionnaire_of(bundled_protocol("EXCALIBUR")) is None


WORKED = [
    ("2 1 3 0 2 2 0 1", "21"),
    ("0 0 0 0 0 0 0 0", "32"),
    ("1 - 2 0 1 2 0 1", "24"),
    ("3 2 - 1 - 3 0 -", "17.6"),
    ("2 1 - - 1 - 0 -", ""),
    ("4 4 4 4 4 4 4 4", "0"),
]


@pytest.mark.django_db
@pytest.mark.req("PRO-05")
def test_a_score_through_the_form_equals_the_calculator(cast: Cast) -> None:
    for responses, shown in WORKED:
        desk = Desk(cast)
        desk.paper("BL", "2025-03-01", responses)
        page = cast.client("monitor").get(f"/subjects/{desk.subject.number}/quality-of-life/")
        row = page.context["shown"].rows[0]
        answers = {
            item: None if answer == "-" else int(answer)
            for item, answer in zip(ITEMS, responses.split(), strict=True)
        }
        assert row.point.filled.result == score_fhsi8(answers)
        assert row.score == shown


@pytest.mark.django_db
def test_the_page_shows_change_and_deterioration_with_its_reason(cast: Cast) -> None:
    desk = Desk(cast)
    desk.paper("BL", "2025-03-01", "1 - 2 0 1 2 0 1", complete=True)
    desk.treat("2025-03-04T10:00")
    desk.happened("D14", "2025-03-19")
    desk.paper("D14", "2025-03-19", "2 1 3 0 2 2 0 1", complete=True)
    page = cast.client("investigator").get(f"/subjects/{desk.subject.number}/quality-of-life/")
    text = page.content.decode()
    assert "24 at baseline, 21 now: a drop of 3, at least 3 points" in text
    assert "A drop of 3 points or more from baseline" in text
    assert page.context["shown"].chart == (("BL", Decimal(24)), ("D14", Decimal(21)))
    assert "<svg" in page.context["chart"]


@pytest.mark.django_db
def test_expected_questionnaires_are_those_of_visits_that_took_place(cast: Cast) -> None:
    load(cast)
    desk = Desk(cast)
    desk.treat("2025-03-04T10:00")
    assert questionnaires_expected_of(desk.subject) == []
    desk.happened("D14", "2025-03-19")
    desk.happened("M1", "2025-04-05")
    link, _ = invite(actor=desk.actor, subject=desk.subject, visit=desk.visit("M1"), language="en")
    found = questionnaires_expected(access_of(cast.people["coordinator"]))
    assert [(str(each.visit), each.due, each.invitation) for each in found] == [
        ("D14", date(2025, 3, 25), None),
        ("M1", date(2025, 4, 11), link),
    ]
    desk.paper("D14", "2025-03-19", "2 1 3 0 2 2 0 1", complete=True)
    assert [str(each.visit) for each in questionnaires_expected_of(desk.subject)] == ["M1"]
    assert questionnaires_expected(access_of(cast.people["coordinator2"])) == []


def _subjects(cast: Cast, number: int) -> list[Subject]:
    subjects = []
    for _ in range(number):
        desk = Desk(cast)
        desk.treat("2025-03-04T10:00")
        desk.happened("M1", "2025-04-05")
        invite(actor=desk.actor, subject=desk.subject, visit=desk.visit("M1"), language="en")
        subjects.append(desk.subject)
    return subjects


@pytest.mark.django_db
def test_the_work_list_costs_the_same_for_two_and_for_six(cast: Cast, statements: Callable[[], Any]) -> None:
    load(cast)
    access = access_of(cast.people["coordinator"])
    _subjects(cast, 2)
    with statements() as few:
        assert len(questionnaires_expected(access)) == 2
    _subjects(cast, 4)
    with statements() as many:
        assert len(questionnaires_expected(access)) == 6
    assert len(few.counted) == len(many.counted) <= 3


@pytest.mark.django_db
def test_the_page_costs_the_same_with_one_form_and_with_three(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    load(cast)
    desk = Desk(cast)
    desk.treat("2025-03-04T10:00")
    client = cast.client("coordinator")
    address = f"/subjects/{desk.subject.number}/quality-of-life/"
    client.get(address)
    with statements() as few:
        client.get(address)
    for visit, on in (("BL", "2025-03-01"), ("D14", "2025-03-19"), ("M1", "2025-04-05")):
        desk.paper(visit, on, "2 1 3 0 2 2 0 1", complete=True)
    invite(actor=desk.actor, subject=desk.subject, visit=desk.visit("M4"), language="en")
    with statements() as many:
        client.get(address)
    assert Invitation.objects.count() == 1
    assert facts_of(desk.subject, date(2025, 4, 7)).document["FHSI8"]
    assert len(few.counted) == len(many.counted) <= 14
