"""The page and the calculator can never differ: worked patients, entered on forms, come to the same."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from eligibility.calculator import calculate_eligibility
from eligibility.selectors import evaluation_of, outcomes_document
from tests.cast import Cast
from tests.eligibility.entering import Nurse
from tests.vectors import vectors

pytestmark = pytest.mark.django_db
TODAY = date(2025, 12, 1)
PATIENTS = {row["id"]: row for row in vectors("patients")["rows"]}
LUNG = {"mm": "15", "RESECT": "Y", "CURABLE": "Y", "certainty": "DEFINITE"}
CHANGES: dict[str, dict[str, Any]] = {
    "as they are": {},
    "two boundaries": {"LIVMAX_MM": "100.1", "ECOG": "2"},
    "lung lesions": {"LUNGYN": "Y", "FINDINGS": {"LUNG": [LUNG] * 4}},
    "earlier disease": {"EHHIST": "Y", "EH_EPISODES": [{"EHSUCC": "Y", "EHENDDAT": "2023-09", "EHNEWREL": "N"}]},
    "another cancer": {"MALIGYN": "Y", "MALIG_LATEST_DATES": ["2021-02"]},
    "nothing known of the tumour": {"BRAFRES": None, "LIVMETN": None},
}  # fmt: skip
CASES = [("V01", name) for name in CHANGES] + [(each, "as they are") for each in ("V03", "V04", "V08")]


@pytest.mark.parametrize(("patient", "change"), CASES)
def test_the_casebook_and_the_calculator_come_to_the_same(cast: Cast, patient: str, change: str) -> None:
    row = PATIENTS[patient]
    facts = {**copy.deepcopy(row["facts"]), **CHANGES[change]}
    subject = cast.subject(row["trial"])
    Nurse(cast, subject).enter_facts(facts, dated={"LB": facts["REFDAT"]})
    calculated = calculate_eligibility({"trial": row["trial"], "facts": facts})
    found = evaluation_of(subject, date.fromisoformat(facts["REFDAT"]))
    kept = outcomes_document(found)
    assert {name: each["verdict"] for name, each in kept["sets"].items()} == {
        name: each["verdict"] for name, each in calculated["sets"].items()
    }
    by_id = {each["id"]: each["outcome"] for part in calculated["sets"].values() for each in part["criteria"]}
    assert {name: each["outcome"] for name, each in kept["criteria"].items()} == by_id
    if calculated["routing"] is not None:
        assert found.assessment.route is not None
        assert found.assessment.route.decision == calculated["routing"]["decision"]
    if change == "as they are":
        assert {name: each["verdict"] for name, each in kept["sets"].items()} == row["verdicts"]


def test_the_page_shows_what_the_calculator_says(cast: Cast) -> None:
    row = PATIENTS["V03"]
    subject = cast.subject(row["trial"])
    Nurse(cast, subject).enter_facts(row["facts"], dated={"LB": row["facts"]["REFDAT"]})
    page = cast.client("coordinator").get(
        f"/subjects/{subject.number}/eligibility/?as_of={row['facts']['REFDAT']}"
    )
    shown = page.context["shown"]
    states = {each.criterion.id: each.state for part in shown.sections for each in part.rows}
    assert {name for name, state in states.items() if state == "unknown"} == set(row["non_passing"])
    assert shown.route.title == "Hold"
