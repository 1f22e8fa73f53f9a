"""The times of a ThermoDox procedure, at their limits and in the night when the clock changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.packs.judging import timing
from trials.packs import bundled_protocol


def at(clock: str, day: str = "2025-03-04") -> str:
    return f"{day}T{clock}+01:00"


def procedure(**times: Any) -> dict[str, Any]:
    usual = {
        "NUMBER": 1,
        "P0": at("08:10:00", "2025-03-03"),
        "T0": at("08:30:00"),
        "T1": at("09:00:00"),
        "A0": at("08:50:00"),
        "A1": at("11:05:00"),
        "ABLATIONS": 1,
    }
    return {**usual, **times}


CASES = [
    ("TD-T5", procedure(A0=at("08:45:00")), "PASS"),
    ("TD-T5", procedure(A0=at("08:44:59")), "FAIL"),
    ("TD-T5", procedure(A0=None), "UNKNOWN"),
    ("TD-T6", procedure(A1=at("11:30:00")), "PASS"),
    ("TD-T6", procedure(A1=at("11:30:01")), "FAIL"),
    ("TD-T6", procedure(T0="2025-03-30T01:30:00+01:00", A1="2025-03-30T05:30:00+02:00"), "PASS"),
    ("TD-T6", procedure(T0="2025-03-30T01:30:00+01:00", A1="2025-03-30T05:30:01+02:00"), "FAIL"),
    ("TD-T1", procedure(), "PASS"),
    ("TD-T1", procedure(P0=at("08:30:00")), "FAIL"),
    ("TD-T2", procedure(), "PASS"),
    ("TD-T2", procedure(P0=at("14:00:00", "2025-03-03")), "FAIL"),
    ("TD-T2", procedure(P0=at("12:30:00", "2025-03-03")), "PASS"),
    ("TD-T2", procedure(P0=at("04:29:00", "2025-03-03")), "FAIL"),
    ("TD-T3", {**procedure(), "AT": at("08:00:00"), "DRUG": "DEXAMETHASONE"}, "PASS"),
    ("TD-T3", {**procedure(), "AT": at("07:30:00"), "DRUG": "DEXAMETHASONE"}, "PASS"),
    ("TD-T3", {**procedure(), "AT": at("07:29:00"), "DRUG": "DEXAMETHASONE"}, "FAIL"),
    ("TD-T3", {**procedure(), "AT": at("08:16:00"), "DRUG": "DEXAMETHASONE"}, "FAIL"),
    ("TD-T3", {**procedure(), "AT": at("08:10:00", "2025-03-03"), "DRUG": "DEXAMETHASONE"}, "NA"),
    ("TD-T4", procedure(T1=at("09:05:00")), "PASS"),
    ("TD-T4", procedure(T1=at("09:06:00")), "FAIL"),
    ("TD-T4", procedure(T1=at("09:40:00"), EXITRPYN="N"), "FAIL"),
    ("TD-T4", procedure(T1=at("09:40:00"), EXITRPYN="Y"), "PASS"),
    ("TD-T7", procedure(), "PASS"),
    ("TD-T7", procedure(CONSENT=at("09:00:00", "2025-02-20")), "PASS"),
    ("TD-T7", procedure(CONSENT=at("09:00:00", "2025-03-03")), "FAIL"),
    ("TD-T7", procedure(A1=at("08:49:00")), "FAIL"),
    ("TD-T7", procedure(T1=None), "UNKNOWN"),
    ("TD-T10", procedure(), "PASS"),
    ("TD-T10", procedure(ABLATIONS=0), "FAIL"),
    ("TD-T10", procedure(T0=None), "FAIL"),
    ("TD-T10", procedure(T0=None, ABLATIONS=0), "NA"),
    ("TD-T11", procedure(), "NA"),
    ("TD-T11", procedure(PREVIOUS_T0=at("08:30:00", "2025-02-25")), "PASS"),
    ("TD-T8", {"DONE": 2}, "PASS"),
    ("TD-T8", {"DONE": 3}, "FAIL"),
]


@pytest.mark.parametrize(("rule_id", "facts", "expected"), CASES)
def test_timing(rule_id: str, facts: dict[str, Any], expected: str) -> None:
    allowed = {each.id: each.scope for each in bundled_protocol("THERMODOX").timing}
    names = bundled_protocol("THERMODOX").timing_schema(allowed[rule_id])
    assert timing(rule_id, {key: value for key, value in facts.items() if key in names}) == expected


def lesion(plan: int | None, ablations: int = 0, unresectable: str = "Y") -> dict[str, Any]:
    return {"LNKID": "T01", "UNRESECT": unresectable, "PLANPROC": plan, "ABLATIONS": ablations}


@pytest.mark.parametrize(
    ("lesions", "done", "expected"),
    [
        ([lesion(1), lesion(2)], 0, "PASS"),
        ([lesion(1), lesion(0)], 0, "FAIL"),
        ([lesion(1), lesion(None)], 0, "UNKNOWN"),
        ([lesion(None, unresectable="N"), lesion(1)], 0, "PASS"),
        ([lesion(1, 1), lesion(2, 0)], 1, "PASS"),
        ([lesion(1, 1), lesion(2, 0)], 2, "FAIL"),
        ([lesion(1, 1), lesion(2, 1)], 2, "PASS"),
    ],
)
def test_every_unresectable_lesion_is_planned_and_in_the_end_ablated(
    lesions: list[dict[str, Any]], done: int, expected: str
) -> None:
    planned = max((each["PLANPROC"] or 0 for each in lesions), default=0)
    assert timing("TD-T9", {"LESIONS": lesions, "DONE": done, "PLANNED": planned}) == expected


def test_an_interval_is_asked_for_only_once_the_sponsor_sets_one() -> None:
    second = procedure(PREVIOUS_T0=at("08:30:00", "2025-02-25"), min_interval_days=21)
    assert timing("TD-T11", second) == "FAIL"


def test_the_severities_are_those_of_the_protocol() -> None:
    severity = {each.id: each.severity for each in bundled_protocol("THERMODOX").timing}
    hard = {"TD-T1", "TD-T5", "TD-T7", "TD-T8", "TD-T9", "TD-T10"}
    assert {key for key, value in severity.items() if value == "hard"} == hard
    assert {key for key, value in severity.items() if value == "deviation"} == {"TD-T6"}


def test_the_dose_section_says_which_numbers_are_not_the_sponsors() -> None:
    dose = bundled_protocol("THERMODOX").dose
    assert dose is not None
    assert (dose.per_m2.value, dose.per_m2.provisional) == (50, False)
    assert (dose.formula.value, dose.formula.provisional) == ("mosteller", True)
    assert dose.bsa_cap.value is None
    assert (dose.concentration.value, dose.vial_mg.value, dose.round_mg.value) == (2, 30, 1)
    assert (dose.warn_pct.value, dose.block_pct.value) == (5, 10)


def test_the_prophylaxis_regimen_is_borrowed_and_marked() -> None:
    steps = bundled_protocol("THERMODOX").premedication
    assert [(each.drug, each.dose, each.route, each.minutes_before) for each in steps] == [
        ("Dexamethasone", 20, "ORAL", 1440),
        ("Dexamethasone", 20, "INTRAVENOUS", 30),
        ("Diphenhydramine", 50, "INTRAVENOUS", 30),
        ("Famotidine", 20, "INTRAVENOUS", 30),
    ]
    assert all(each.provisional for each in steps)
