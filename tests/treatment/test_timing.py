"""Timing of procedures by the rules of the pack."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from foundation.documents import DocumentError
from tests.vectors import vectors
from treatment.calculator import calculate_timing
from treatment.rules.timing import span_in_words

DAY = "2025-03-04T"
TIMES = {
    "prophylaxis_start": "2025-03-03T08:30+01:00",
    "infusion_start": f"{DAY}08:30+01:00",
    "infusion_end": f"{DAY}09:00+01:00",
    "ablation_start": f"{DAY}08:50+01:00",
    "ablation_end": f"{DAY}11:00+01:00",
}


def findings(*procedures: dict[str, Any], **document: Any) -> list[dict[str, Any]]:
    numbered = [{"number": number, **times} for number, times in enumerate(procedures, start=1)]
    return calculate_timing({"procedures": numbered, **document})["findings"]


def outcome(rule: str, *procedures: dict[str, Any], number: int | None = 1, **document: Any) -> str | None:
    found = [each["outcome"] for each in findings(*procedures, **document)
             if each["rule"] == rule and each["procedure"] == number]  # fmt: skip
    return found[0] if found else None


@pytest.mark.parametrize("row", vectors("timing")["rows"], ids=lambda row: row["id"])
def test_worked_examples(row):
    found = {each["rule"]: each for each in findings(row["times"])}
    assert {rule: found[rule]["outcome"] for rule in row["outcomes"]} == row["outcomes"]
    assert {rule: found[rule]["measured"] for rule in row["measured"]} == row["measured"]


def test_a_third_procedure_fails_the_hard_rule():
    found = next(each for each in findings(TIMES, TIMES, TIMES) if each["rule"] == "TD-T8")
    assert (found["outcome"], found["severity"], found["measured"]) == ("FAIL", "hard", "3 procedures")
    assert outcome("TD-T8", TIMES, TIMES, number=None) == "PASS"


@pytest.mark.parametrize(
    ("rule", "changes", "expected"),
    [
        ("TD-T1", {"prophylaxis_start": f"{DAY}08:30+01:00"}, "FAIL"),
        ("TD-T1", {"prophylaxis_start": f"{DAY}08:29+01:00"}, "PASS"),
        ("TD-T2", {"prophylaxis_start": "2025-03-03T12:30+01:00"}, "PASS"),
        ("TD-T2", {"prophylaxis_start": "2025-03-03T12:31+01:00"}, "FAIL"),
        ("TD-T2", {"prophylaxis_start": "2025-03-03T04:30+01:00"}, "PASS"),
        ("TD-T2", {"prophylaxis_start": "2025-03-03T04:29+01:00"}, "FAIL"),
        ("TD-T4", {"infusion_end": f"{DAY}09:05+01:00"}, "PASS"),
        ("TD-T4", {"infusion_end": f"{DAY}09:05:01+01:00"}, "FAIL"),
        ("TD-T4", {"infusion_end": f"{DAY}08:55+01:00"}, "PASS"),
        ("TD-T4", {"infusion_end": f"{DAY}08:54+01:00"}, "FAIL"),
        ("TD-T4", {"infusion_end": f"{DAY}09:40+01:00", "interrupted": True}, "PASS"),
        ("TD-T4", {"infusion_end": None, "interrupted": True}, "PASS"),
        ("TD-T5", {"ablation_start": None}, "UNKNOWN"),
        ("TD-T6", {"ablation_end": None}, "UNKNOWN"),
        ("TD-T7", {"ablation_end": f"{DAY}08:50+01:00"}, "PASS"),
        ("TD-T7", {"ablation_end": f"{DAY}08:49+01:00"}, "FAIL"),
        ("TD-T7", {"infusion_end": f"{DAY}08:30+01:00"}, "FAIL"),
        ("TD-T7", {"infusion_end": None}, "UNKNOWN"),
        ("TD-T10", {"ablation_start": None, "ablation_end": None}, "UNKNOWN"),
    ],
)
def test_boundaries(rule, changes, expected):
    assert outcome(rule, {**TIMES, **changes}) == expected


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        ("2025-03-03T08:29+01:00", "PASS"),
        ("2025-03-03T08:30+01:00", "FAIL"),
        ("2025-02-17", "PASS"),
        ("2025-03-05", "FAIL"),
        ("2025-03-03", "UNKNOWN"),
    ],
)
def test_consent_comes_before_the_first_dose(consent, expected):
    assert outcome("TD-T7", TIMES, consent=consent) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [("08:15", "PASS"), ("08:16", "FAIL"), ("07:30", "PASS"), ("07:29", "FAIL"), (None, "UNKNOWN")],
)
def test_intravenous_premedication(at, expected):
    dose = {"procedure": 1, "drug": "famotidine", "at": at and f"{DAY}{at}+01:00"}
    assert outcome("TD-T3", TIMES, premedication=[dose]) == expected


def test_the_dose_that_starts_the_prophylaxis_is_no_intravenous_one():
    dose = {"procedure": 1, "drug": "dexamethasone", "at": TIMES["prophylaxis_start"]}
    assert outcome("TD-T3", TIMES, premedication=[dose]) is None


def lesion(**changes: Any) -> dict[str, Any]:
    return {"id": "T01", "unresectable": True, "planned_procedure": 1, "ablated_in": [1], **changes}


@pytest.mark.parametrize(
    ("lesions", "outcome_", "severity"),
    [
        ([lesion()], "PASS", "deviation"),
        ([lesion(ablated_in=[])], "FAIL", "deviation"),
        ([lesion(ablated_in=[]), lesion(id="T02", planned_procedure=2, ablated_in=[])], "PASS", "deviation"),
        ([lesion(planned_procedure=3)], "FAIL", "deviation"),
        ([lesion(planned_procedure=None)], "UNKNOWN", "deviation"),
        ([lesion(unresectable=False, planned_procedure=None, ablated_in=[])], "PASS", "deviation"),
    ],
)
def test_coverage_of_the_lesions(lesions, outcome_, severity):
    found = next(each for each in findings(TIMES, lesions=lesions) if each["rule"] == "TD-T9")
    assert (found["outcome"], found["severity"]) == (outcome_, severity)


def test_a_plan_that_leaves_a_lesion_out_is_stopped_before_treatment():
    found = next(
        each
        for each in findings(lesions=[lesion(planned_procedure=3, ablated_in=[])])
        if each["rule"] == "TD-T9"
    )
    assert (found["outcome"], found["severity"]) == ("FAIL", "hard")


def test_without_a_list_of_lesions_nothing_is_said_of_them():
    assert outcome("TD-T9", TIMES, number=None) is None


def test_the_interval_is_asked_of_the_second_procedure_only():
    later = {name: text.replace("2025-03-0", "2025-04-0") for name, text in TIMES.items()}
    assert outcome("TD-T11", TIMES, later) is None
    found = next(each for each in findings(TIMES, later) if each["rule"] == "TD-T11")
    assert (found["procedure"], found["outcome"], found["measured"]) == (2, "PASS", "31 days")


def test_a_finding_says_what_is_not_recorded():
    found = next(each for each in findings({**TIMES, "ablation_start": None}) if each["rule"] == "TD-T5")
    assert found["because"].endswith("not known, ablation start not recorded")


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (
            {"procedures": [{"number": 1, "infusion_start": "2025-03-04T08:30"}]},
            "procedures[0].infusion_start",
        ),
        ({"procedures": [{"number": 1}, {"number": 1}]}, "procedures[1].number"),
        (
            {"procedures": [], "premedication": [{"procedure": 1, "drug": "x", "at": None}]},
            "premedication[0].procedure",
        ),
        ({"procedures": [{"number": 1}], "lesions": [lesion(ablated_in=[2])]}, "lesions[0].ablated_in[0]"),
        ({"procedures": [{"number": 1}], "lesions": [lesion(), lesion()]}, "lesions[1].id"),
        ({"procedures": [{"number": 0}]}, "procedures[0].number"),
        ({"procedures": [{"number": 1, "start": None}]}, "procedures[0].start"),
    ],
)
def test_bad_input_is_named_by_its_place(document, path):
    with pytest.raises(DocumentError) as refused:
        calculate_timing(document)
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [("155", "min", "155 min"), ("-5", "min", "-5 min"), ("0.5", "min", "0 min 30 s"), ("18.5", "h", "18.5 h"),
     ("24", "h", "24 h"), ("21.25", "days", "21.25 days")],
)  # fmt: skip
def test_spans_in_words(value, unit, words):
    assert span_in_words(Decimal(value), unit) == words
