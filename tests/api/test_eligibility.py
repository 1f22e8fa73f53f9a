"""Eligibility for programs: read, never signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from casebook.rules.cells import Typed
from eligibility.models import Assessment
from tests.api.conftest import problem, type_program
from tests.cast import Cast
from tests.eligibility.case import Case

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_that_day() -> Iterator[None]:
    """The day on which the worked patient is eligible."""
    with time_machine.travel(datetime(2025, 9, 15, 10, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


def test_the_criteria_come_with_evidence_and_lead_somewhere(case: Case, program: type_program) -> None:
    shown = program("monitor").get(f"subjects/{case.subject.number}/eligibility/").json()
    assert shown["as_of"] == "2025-09-15"
    assert (shown["route"]["verdict"], shown["route"]["decision"]) == ("ELIGIBLE", "OFFER EXCALIBUR-1")
    assert shown["sets"]["EXCALIBUR-1"]["verdict"] == "ELIGIBLE"
    assert {each["outcome"] for each in shown["criteria"].values()} <= {"MET", "ABSENT", "NA"}
    assert any(each["evidence"] for each in shown["criteria"].values())
    assert shown["standing"] == {"state": "none", "assessment": None, "changes": [], "expired": None}
    assert not Assessment.objects.exists()


def test_another_day_may_be_asked_and_a_future_one_may_not(case: Case, program: type_program) -> None:
    address = f"subjects/{case.subject.number}/eligibility/"
    mine = program("investigator")
    assert mine.get(address, as_of="2025-09-01").json()["as_of"] == "2025-09-01"
    for day in ("2025-09-16", "soon"):
        assert "as_of" in problem(mine.get(address, as_of=day), 422, "invalid")["errors"]


def test_what_was_signed_is_read_and_a_changed_fact_makes_it_stale(case: Case, program: type_program) -> None:
    kept = case.sign()
    mine = program("investigator")
    base = f"subjects/{case.subject.number}/"
    [row] = mine.get(f"{base}assessments/").json()["items"]
    assert (row["reference"], row["decision"], row["signed_by"]) == (
        str(kept.reference), "ELIGIBLE", "Investigator Person",
    )  # fmt: skip
    detail = mine.get(f"{base}assessments/{kept.reference}/").json()
    assert (detail["digest"], detail["facts"]["ECOG"]) == (kept.digest, kept.facts["ECOG"])
    assert mine.get(f"{base}eligibility/").json()["standing"]["state"] == "signed"
    case.nurse.enter("LB", {"HGB": Typed("10.0", "g/dL")})
    standing = mine.get(f"{base}eligibility/").json()["standing"]
    assert (standing["state"], standing["assessment"]) == ("stale", str(kept.reference))
    assert [(each["label"], each["after"]) for each in standing["changes"]] == [
        ("Haemoglobin", "10.0 g/dL, 10 Sep 2025")
    ]


def test_signing_is_not_offered_to_programs(case: Case, program: type_program) -> None:
    mine = program("investigator")
    for address in ("eligibility/", "assessments/"):
        answer = mine.post(f"subjects/{case.subject.number}/{address}", {"decision": "ELIGIBLE"})
        problem(answer, 405, "method_not_allowed")
    problem(mine.post(f"subjects/{case.subject.number}/eligibility/sign/", {}), 404, "not_found")


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("coordinator", 200),
        ("datamanager", 200),
        ("coordinator2", 404),
        ("sponsor", 404),
        ("radiologist", 404),
    ],
)
def test_eligibility_by_role(case: Case, program: type_program, role: str, status: int) -> None:
    mine = program(role)
    base = f"subjects/{case.subject.number}/"
    kept = case.sign()
    for address in ("eligibility/", "assessments/", f"assessments/{kept.reference}/"):
        assert mine.get(base + address).status_code == status


def test_an_assessment_is_found_under_its_own_subject_only(
    cast: Cast, case: Case, program: type_program
) -> None:
    kept, other = case.sign(), cast.subject()
    address = f"subjects/{other.number}/assessments/{kept.reference}/"
    problem(program("monitor").get(address), 404, "not_found")
