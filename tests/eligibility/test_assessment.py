"""Eligibility of patients by the criteria of the packs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.rules.assessment import (
    Assessment,
    Criteria,
    CriterionOutcome,
    SetAssessment,
    Verdict,
    failing_first,
    route,
    verdict_of,
)
from tests.vectors import vectors
from trials.packs import bundled_protocol

PATIENTS = {row["id"]: row for row in vectors("patients")["rows"]}
EXCALIBUR, THERMODOX = Criteria(bundled_protocol("EXCALIBUR")), Criteria(bundled_protocol("THERMODOX"))
MET, NOT_MET, UNDETERMINED = CriterionOutcome.MET, CriterionOutcome.NOT_MET, CriterionOutcome.UNDETERMINED


def facts(**changes: Any) -> dict[str, Any]:
    """The eligible patient V01 on 20 November 2025, changed."""
    document = copy.deepcopy(PATIENTS["V01"]["facts"])
    document.update(
        REFDAT="2025-11-20",
        RFICDAT="2025-11-10",
        MDTDAT="2025-11-07",
        PETDAT="2025-10-20",
        CTDAT="2025-10-22",
    )
    for key, value in changes.items():
        if key.startswith("LB_"):
            document["LB"][key[3:]] = value
        else:
            document[key] = value
    return document


def assess(document: Mapping[str, Any], criteria: Criteria = EXCALIBUR) -> Assessment:
    return criteria.assess(document, date.fromisoformat(document["REFDAT"]))


def outcome(criterion: str, **changes: Any) -> str:
    results = {each.criterion.id: each for each in assess(facts(**changes)).sets["EXCALIBUR-1"].criteria}
    return results[criterion].outcome.value


@pytest.mark.parametrize("row", PATIENTS.values(), ids=lambda row: row["id"])
def test_worked_patients(row):
    found = assess(row["facts"], EXCALIBUR if row["trial"] == "EXCALIBUR" else THERMODOX)
    assert {name: each.verdict.value for name, each in found.sets.items()} == row["verdicts"]
    failing = {r.criterion.id: r.outcome.value for each in found.sets.values() for r in each.criteria if not r.passed
               and r.outcome is not CriterionOutcome.NA}  # fmt: skip
    assert failing == row["non_passing"]


def hb(value: str | None, unit: str | None = "g/dL") -> dict[str, Any]:
    return {"value": value, "unit": unit}


@pytest.mark.parametrize(
    ("criterion", "changes", "expected"),
    [
        ("EX-I-5b.1", {"LB_HGB": hb("10.01")}, "MET"),
        ("EX-I-5b.1", {"LB_HGB": hb("101", "g/L")}, "MET"),
        ("EX-I-5b.1", {"LB_HGB": hb("6.3", "mmol/L")}, "MET"),
        ("EX-I-5b.1", {"LB_HGB": hb("10.0")}, "NOT MET"),
        ("EX-I-5b.1", {"LB_HGB": hb("100", "g/L")}, "NOT MET"),
        ("EX-I-5b.1", {"LB_HGB": hb("6.2", "mmol/L")}, "NOT MET"),
        ("EX-I-5b.1", {"LB_HGB": None}, "UNDETERMINED"),
        ("EX-I-5b.1", {"LB_HGB": hb("12", "furlong")}, "UNDETERMINED"),
        ("EX-I-5b.1", {"LB_HGB": hb("12", None)}, "UNDETERMINED"),
        ("EX-I-5b.4", {"LB_BILI": {"value": "37.4", "unit": "umol/L", "ULN": "25"}}, "MET"),
        ("EX-I-5b.4", {"LB_BILI": {"value": "37.5", "unit": "umol/L", "ULN": "25"}}, "NOT MET"),
        ("EX-I-5b.4", {"LB_BILI": {"value": "37.4", "unit": "umol/L"}}, "UNDETERMINED"),
        ("EX-I-5b.7", {"LB_CREAT": {"value": "131.25", "unit": "umol/L", "ULN": "105"}}, "NOT MET"),
        ("EX-I-5b.8", {"LB_ALB": {"value": "36.1", "unit": "g/L", "LLN": "36"}}, "MET"),
        ("EX-I-5b.8", {"LB_ALB": {"value": "36", "unit": "g/L", "LLN": "36"}}, "NOT MET"),
        ("E1-E-5", {"WEIGHT_KG": "86.7", "HEIGHT_CM": "170"}, "ABSENT"),
        ("E1-E-5", {"WEIGHT_KG": "86.73", "HEIGHT_CM": "170"}, "PRESENT"),
        ("E1-E-7", {"BRTHDAT": "1955-11-21"}, "ABSENT"),
        ("E1-E-7", {"BRTHDAT": "1955-11-20"}, "PRESENT"),
        ("E1-E-6", {"MALIG_LATEST_DATES": ["2020-11-19"]}, "ABSENT"),
        ("E1-E-6", {"MALIG_LATEST_DATES": ["2020-11-20"]}, "PRESENT"),
        ("E1-E-6", {"MALIG_LATEST_DATES": ["2020"]}, "UNDETERMINED"),
    ],
)
def test_boundaries_hold_in_the_assessment(criterion, changes, expected):
    assert outcome(criterion, **changes) == expected


def test_a_criterion_that_does_not_apply_passes():
    found = assess(facts())
    results = {each.criterion.id: each for each in found.sets["EXCALIBUR-1"].criteria}
    assert results["EX-I-5d"].outcome is CriterionOutcome.NA
    assert results["EX-I-5d"].passed
    assert results["EX-I-5d"].because.startswith("not applicable: Sex M")


def test_unknown_applicability_leaves_a_criterion_open():
    assert outcome("EX-I-4b", L2START=None) == "UNDETERMINED"


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, "OFFER EXCALIBUR-1"),
        ({"BRAFRES": "V600E"}, "OFFER EXCALIBUR-2"),
        ({"BRAFRES": "NOT TESTED"}, "HOLD"),
        ({"BRAFRES": "V600E", "ECOG": None}, "HOLD"),
        ({"ECOG": 2}, "SCREEN FAILURE"),
        ({"ECOG": 2, "BRAFRES": None}, "SCREEN FAILURE"),
    ],
)
def test_routing(changes, decision):
    found = assess(facts(**changes)).route
    assert found is not None
    assert found.decision == decision


def test_a_hold_says_what_to_resolve_first():
    found = assess(facts(BRAFRES=None)).route
    assert found is not None
    assert found.because == "Excalibur 1: undetermined (E1-E-2 BRAF positive); resolve this first"
    assert found.offer is None


def test_an_undetermined_set_holds_even_where_a_later_one_fails():
    def a_set(name: str, verdict: Verdict) -> SetAssessment:
        return SetAssessment(name, name, verdict, None, ())

    assert route([a_set("A", Verdict.UNDETERMINED), a_set("B", Verdict.INELIGIBLE)]).decision == "HOLD"
    assert route([]).decision == "SCREEN FAILURE"


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([], "ELIGIBLE"),
        ([MET, CriterionOutcome.NA, CriterionOutcome.ABSENT], "ELIGIBLE"),
        ([MET, UNDETERMINED], "UNDETERMINED"),
        ([UNDETERMINED, NOT_MET], "INELIGIBLE"),
        ([UNDETERMINED, CriterionOutcome.PRESENT], "INELIGIBLE"),
    ],
)
def test_ineligible_dominates_undetermined(outcomes, verdict):
    assert verdict_of(outcomes).value == verdict


def test_the_blood_tests_roll_up_to_one_criterion():
    def rolled(**changes: Any) -> tuple[str, int]:
        up = {
            (each.number, each.kind): each for each in assess(facts(**changes)).sets["EXCALIBUR-2"].rolled_up
        }
        return up["5b", "inclusion"].outcome.value, len(up["5b", "inclusion"].leaves)

    assert rolled() == ("MET", 8)
    assert rolled(LB_HGB=None) == ("UNDETERMINED", 8)
    assert rolled(LB_HGB=None, LB_PLAT={"value": "75", "unit": "10^9/L"}) == ("NOT MET", 8)


def test_evidence_tells_value_unit_and_limit():
    results = {each.criterion.id: each for each in assess(facts()).sets["EXCALIBUR-1"].criteria}
    evidence = [(each.label, each.value, each.unit) for each in results["EX-I-5b.4"].evidence]
    assert evidence == [("Bilirubin", "11", "umol/L"), ("ULN of Bilirubin", "25", "umol/L")]
    assert "= 25.83;" in results["E1-E-5"].because


def test_what_is_missing_is_named_by_its_place():
    episode = {"EHSUCC": "Y", "EHENDDAT": "2023-11", "EHNEWREL": "N"}
    results = {
        e.criterion.id: e
        for e in assess(facts(EHHIST="Y", EH_EPISODES=[episode])).sets["EXCALIBUR-1"].criteria
    }
    assert results["EX-I-3"].missing == ("EH_EPISODES[0].EHENDDAT",)
    assert "partial date" in results["EX-I-3"].because


def test_too_few_tests_are_named_though_nothing_is_blank():
    woman = facts(SEX="F", CHILDPOT="Y", MENSCONF="N", BRSTFD="N", CONTRAC="Y", CONTRMETH="IUD",
                  PREGTESTS=[{"date": "2025-11-18", "result": "NEG", "sensitivity": "Y"}])  # fmt: skip
    results = {each.criterion.id: each for each in assess(woman).sets["EXCALIBUR-1"].criteria}
    assert results["EX-I-5c"].outcome is UNDETERMINED
    assert "PREGTESTS" in results["EX-I-5c"].missing


def test_an_old_value_is_not_known_any_more():
    assert outcome("EX-I-5b.1", DATES={"LB.HGB": "2025-11-06"}) == "MET"
    assert outcome("EX-I-5b.1", DATES={"LB.HGB": "2025-11-05"}) == "UNDETERMINED"


def test_an_eligible_verdict_ends_with_the_first_criterion_that_does():
    found = assess(facts(BRTHDAT="1955-12-01", DATES={"LB.HGB": "2025-11-20"}))
    assert found.sets["EXCALIBUR-1"].valid_until == date(2025, 11, 30)  # the 70th birthday is the day after
    assert found.sets["EXCALIBUR-2"].valid_until == date(2025, 12, 4)  # 14 days after the blood test


def test_an_ineligible_verdict_stands_while_one_criterion_fails():
    anniversary = {"EHSUCC": "Y", "EHENDDAT": "2024-01-15", "EHNEWREL": "N"}
    assert assess(facts(EHHIST="Y", EH_EPISODES=[anniversary])).sets["EXCALIBUR-2"].valid_until == date(
        2026, 1, 15
    )
    both = assess(facts(EHHIST="Y", EH_EPISODES=[anniversary], PRIMRES="N"))
    assert both.sets["EXCALIBUR-2"].valid_until is None


def test_failing_criteria_come_first():
    ordered = failing_first(assess(facts(ECOG=2, BRAFRES=None)).sets["EXCALIBUR-1"].criteria)
    assert [each.criterion.id for each in ordered[:2]] == ["EX-I-5a", "E1-E-2"]


yes_no = st.sampled_from(["Y", "N", None])
documents = st.fixed_dictionaries(
    {},
    optional={
        "HISTO": st.sampled_from(["ADENOCARCINOMA", "OTHER", None]),
        "ECOG": st.sampled_from([0, 1, 2, None]),
        "LIVMETN": st.sampled_from([5, 6, 20, None]),
        "LIVMAX_MM": st.sampled_from([100, 101, None]),
        "BRAFRES": st.sampled_from(["WT", "V600E", "NOT TESTED", None]),
        "BRTHDAT": st.sampled_from(["1955-11-20", "1955-11-21", "1955", None]),
        "WEIGHT_KG": st.sampled_from(["86.7", "120", None]),
        "MALIG_LATEST_DATES": st.sampled_from([[], ["2020"], ["2024-01-01"], [None]]),
        "PETDAT": st.sampled_from(["2025-10-20", "2025-01-01", None]),
        "FINDINGS": st.fixed_dictionaries(
            {},
            optional={name: st.sampled_from(["Y", "N", "EQUIVOCAL"]) for name in ("NRLN", "LOCREC", "OTHEH")},
        ),
        "BONECNS": yes_no,
        "DIAPH": yes_no,
        "OTHREAS": yes_no,
        "L2START": yes_no,
        "LB_HGB": st.sampled_from([hb("12"), hb("9"), None]),
    },
)


@settings(max_examples=150)
@given(changes=documents)
def test_whoever_may_enter_excalibur_1_may_enter_excalibur_2(changes):
    found = assess(facts(**changes))
    one, two = found.sets["EXCALIBUR-1"].verdict, found.sets["EXCALIBUR-2"].verdict
    assert one is not Verdict.ELIGIBLE or two is Verdict.ELIGIBLE
    assert two is not Verdict.INELIGIBLE or one is Verdict.INELIGIBLE
    if one is Verdict.UNDETERMINED:
        assert found.route is not None
        assert found.route.decision == "HOLD"


@settings(max_examples=100)
@given(changes=documents, data=st.data())
def test_filling_in_what_is_missing_never_turns_a_decided_verdict(changes, data):
    blank = sorted(key for key, value in changes.items() if value is None)
    if not blank:
        return
    known = {"ECOG": 2, "LIVMETN": 20, "LIVMAX_MM": 100, "BRAFRES": "V600E", "BRTHDAT": "1955-11-20",
             "WEIGHT_KG": "86.7", "PETDAT": "2025-10-20", "HISTO": "OTHER", "LB_HGB": hb("9")}  # fmt: skip
    key = data.draw(st.sampled_from(blank))
    before, after = assess(facts(**changes)), assess(facts(**{**changes, key: known.get(key, "Y")}))
    for name, each in before.sets.items():
        if each.verdict is not Verdict.UNDETERMINED:
            assert after.sets[name].verdict is each.verdict
