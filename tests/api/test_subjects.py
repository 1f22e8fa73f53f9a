"""Subjects, visits, trials: lists by page, registering, recording."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from foundation.clock import today
from patients.models import Subject
from tests.api.conftest import Program, problem, type_program
from tests.cast import Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


def numbers(program: Program, **query: Any) -> list[str]:
    return [each["number"] for each in program.get("subjects/", **query).json()["items"]]


def test_a_site_sees_its_subjects_only(cast: Cast, program: type_program) -> None:
    here, there = cast.subject(), cast.subject(site=cast.away)
    assert numbers(program("coordinator")) == [here.number]
    assert numbers(program("coordinator2")) == [there.number]
    assert numbers(program("monitor")) == [here.number, there.number]
    problem(program("radiologist").get("subjects/"), 404, "not_found")


def test_pages_follow_each_other_without_gap_or_repetition(cast: Cast, program: type_program) -> None:
    made = sorted(cast.subject().number for _ in range(5))
    mine, found, query = program("coordinator"), [], {"limit": "2"}
    first = mine.get("subjects/", **query).json()
    found += [each["number"] for each in first["items"]]
    following = first["next"]
    while following:
        answer = mine.client.get(following, headers=mine.headers).json()
        found += [each["number"] for each in answer["items"]]
        following = answer["next"]
    assert found == made
    assert numbers(mine, after=made[2]) == made[3:]


def test_a_list_costs_the_same_for_two_and_for_twenty(
    cast: Cast, program: type_program, statements: Callable[[], Any]
) -> None:
    mine = program("coordinator")
    counts = []
    for number in (2, 18):
        for _ in range(number):
            cast.subject()
        with statements() as done:
            assert mine.get("subjects/").status_code == 200
        counts.append(len(done.counted))
    assert counts[0] == counts[1] <= 3


def test_filters_narrow_and_a_misspelt_one_is_refused(cast: Cast, program: type_program) -> None:
    one, other = cast.subject("EXCALIBUR"), cast.subject("THERMODOX")
    mine = program("coordinator")
    assert numbers(mine, trial="THERMODOX") == [other.number]
    assert numbers(mine, q=one.number[-7:], trial="EXCALIBUR") == [one.number]
    assert numbers(mine, status="ENROLLED") == []
    assert "trail" in problem(mine.get("subjects/", trail="THERMODOX"), 422, "invalid")["errors"]
    assert "status" in problem(mine.get("subjects/", status="LOST"), 422, "invalid")["errors"]
    assert "limit" in problem(mine.get("subjects/", limit="1000"), 422, "invalid")["errors"]


def test_a_patient_is_registered_for_all_trials_or_none(cast: Cast, program: type_program) -> None:
    mine = program("coordinator")
    wanted = {"patient": "P-0100", "site": "NO-01", "trials": ["THERMODOX", "EXCALIBUR"]}
    answer = mine.post("subjects/", wanted)
    assert answer.status_code == 201
    assert [each["trial"] for each in answer.json()["subjects"]] == ["EXCALIBUR", "THERMODOX"]
    problem(mine.post("subjects/", wanted), 409, "already_screened")
    assert Subject.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "status", "place"),
    [
        ({"patient": "Kari Nordmann"}, 422, "code"),
        ({"patient": 17}, 422, "patient"),
        ({"trials": []}, 422, "trials"),
        ({"name": "Kari"}, 422, "name"),
        ({"site": "SE-02"}, 404, None),
        ({"trials": ["NOSUCH"]}, 404, None),
    ],
)
def test_a_bad_registration_is_refused_at_its_place(
    cast: Cast, program: type_program, change: dict[str, Any], status: int, place: str | None
) -> None:
    wanted = {"patient": "P-0100", "site": "NO-01", "trials": ["EXCALIBUR"], **change}
    answer = program("coordinator").post("subjects/", wanted)
    assert answer.status_code == status
    if place:
        assert place in answer.json()["errors"]
    assert Subject.objects.count() == 0


def test_who_only_reads_registers_nobody(cast: Cast, program: type_program) -> None:
    wanted = {"patient": "P-0100", "site": "NO-01", "trials": ["EXCALIBUR"]}
    problem(program("monitor").post("subjects/", wanted), 403, "forbidden")
    problem(program("sponsor").post("subjects/", wanted), 404, "not_found")


def test_recording_a_procedure_plans_what_is_counted_from_it(cast: Cast, program: type_program) -> None:
    subject = cast.subject("THERMODOX")
    mine = program("coordinator")
    today_there = today("Europe/Oslo")
    visits = {each["name"]: each for each in mine.get(f"subjects/{subject.number}/visits/").json()["items"]}
    assert visits["SCR"]["state"] == "PLANNED"
    answer = mine.post(f"subjects/{subject.number}/visits/SCR/happened/", {"happened_on": "2026-03-02"})
    assert (answer.status_code, answer.json()["state"], answer.json()["happened_on"]) == (
        200, "DONE", "2026-03-02",
    )  # fmt: skip
    future = {"happened_on": (today_there + timedelta(days=1)).isoformat()}
    found = problem(
        mine.post(f"subjects/{subject.number}/visits/SCR/happened/", future), 422, "visit_in_future"
    )
    assert "happened_on" in found["errors"]
    assert Visit.objects.get(subject=subject, code="SCR").happened_on.isoformat() == "2026-03-02"  # type: ignore[union-attr]
    made = mine.post(f"subjects/{subject.number}/visits/unscheduled/", {"happened_on": "2026-03-09"})
    assert (made.status_code, made.json()["code"]) == (201, "UNS")
    missed = mine.post(f"subjects/{subject.number}/visits/BL/missed/", {"reason": "Snowed in"})
    assert missed.json()["missed_reason"] == "Snowed in"


def test_visits_belong_to_their_site(cast: Cast, program: type_program) -> None:
    address = f"subjects/{cast.subject().number}/visits/SCR/happened/"
    day = {"happened_on": "2026-03-02"}
    problem(program("coordinator2").post(address, day), 404, "not_found")
    problem(program("monitor").post(address, day), 403, "forbidden")


def test_trials_forms_and_items_can_be_read(program: type_program) -> None:
    mine = program("sponsor")
    assert [each["code"] for each in mine.get("trials/").json()["items"]] == ["EXCALIBUR", "THERMODOX"]
    assert {each["code"] for each in mine.get("trials/EXCALIBUR/").json()["sites"]} == {"NO-01", "SE-02"}
    protocol = mine.get("trials/EXCALIBUR/protocol/").json()
    assert "LB" in next(each for each in protocol["visits"] if each["code"] == "SCR")["forms"]
    form = mine.get("trials/EXCALIBUR/protocol/forms/LB/").json()
    items = {item["id"]: item for group in form["groups"] for item in group["items"]}
    assert "g/dL" in items["HGB"]["units"]
    assert isinstance(items["HGB"]["possible"]["max"], str)
    problem(mine.get("trials/EXCALIBUR/protocol/forms/NOSUCH/"), 404, "not_found")
    problem(mine.get("trials/EXCALIBUR/protocol/", version="1999"), 404, "not_found")
    problem(program("outsider").get("trials/"), 404, "not_found")
