"""Excalibur after May 2023, as far as it could be read: a layer over 2021, every new thing provisional."""

from __future__ import annotations

from typing import Any

import pytest

from eligibility.calculator import calculate_eligibility
from foundation.documents import DocumentError
from trials.packs import amendments, bundled_protocol, load_pack
from trials.rules.difference import difference

FIRST = bundled_protocol("EXCALIBUR")
SECOND = bundled_protocol("EXCALIBUR", "2023-05")
GROUP_IIC = {
    "REFDAT": "2024-03-04", "HISTO": "ADENOCARCINOMA", "LIVRESECT": "NOT RESECTABLE", "GROUP": "IIC", "L1RESP": "SD",
    "L1DOSES": 4, "BILOBAR": "Y", "PRIORLN": 1, "LIVMAX_MM": "40",
}  # fmt: skip


def outcomes(
    facts: dict[str, Any], version: str | None = "2023", name: str = "EXCALIBUR-2"
) -> dict[str, str]:
    document = {"trial": "EXCALIBUR", "facts": facts} | ({"criteria_version": version} if version else {})
    found: Any = calculate_eligibility(document)
    return {each["id"]: each["outcome"] for each in found["sets"][name]["criteria"]}


def test_the_amendment_has_no_fault_and_says_only_what_differs() -> None:
    assert load_pack(amendments("EXCALIBUR")["2023-05"])[1] == []
    assert SECOND.version.label == "2023-05"
    found = difference(FIRST, SECOND)
    assert {(each.code, each.kind) for each in found.of("criterion")} == {
        ("EX-I-1a", "changed"), ("EX-I-2a", "retired"), ("EX-I-2.1", "added"), ("EX-I-2.2", "added"),
        ("EX-I-2.3", "added"), ("EX-I-4a", "changed"), ("EX-I-4c", "added"),
        ("EX-I-GRP-1", "added"), ("EX-I-GRP-2", "added"),
    }  # fmt: skip
    assert {(each.where, each.code) for each in found.of("item") if each.kind != "changed"} == {
        ("CHS", "L1DOSES"), ("CHS", "NEXTLINE"), ("CHS", "PRIORLN"), ("MDT", "BILOBAR"), ("MDT", "GROUP"),
    }  # fmt: skip
    assert not found.of("visit")
    assert not found.of("form")


def test_everything_new_waits_for_the_sponsor() -> None:
    new = {each.code for each in difference(FIRST, SECOND).of("criterion") if each.kind != "retired"}
    assert all(SECOND.criterion(each).provisional for each in new)
    assert all(stratum.provisional for stratum in SECOND.sub_study("EXCALIBUR-2").strata)


def test_2021_stays_the_default() -> None:
    facts = {"REFDAT": "2024-03-04", "HISTO": "ADENOCARCINOMA", "PRIMRES": "N"}
    assert outcomes(facts, None)["EX-I-1a"] == outcomes(facts, "2021")["EX-I-1a"] == "NOT MET"
    assert outcomes(facts, "2023")["EX-I-1a"] == outcomes(facts, "2023-05")["EX-I-1a"] == "MET"


@pytest.mark.parametrize(
    ("count", "cea", "largest", "outcome"),
    [
        (7, "1001", "40", "MET"),
        (7, "1000", "40", "NOT MET"),
        (6, "5000", "90", "NOT MET"),
        (11, "10", "51", "MET"),
        (11, "10", "50", "NOT MET"),
        (10, "10", "51", "NOT MET"),
        (16, "10", "10", "MET"),
        (15, "10", "10", "NOT MET"),
        (16, None, "10", "MET"),
        (7, None, "40", "UNDETERMINED"),
    ],
)
def test_surgery_hardly_possible(count: int, cea: str | None, largest: str, outcome: str) -> None:
    facts: dict[str, Any] = {**GROUP_IIC, "LIVMETN": count, "LIVMAX_MM": largest}
    if cea is not None:
        facts["LB"] = {"CEA": {"value": cea, "unit": "ug/L"}}
    found = outcomes(facts)
    assert found["EX-I-2.3"] == outcome
    assert found["EX-I-2.2"] == found["EX-I-4a"] == "NA"


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"L1INSUFF": "Y", "NEXTLINE": "Y", "L1TOX": "N"}, "MET"),
        ({"L1INSUFF": "Y", "NEXTLINE": "N", "L1TOX": "N"}, "NOT MET"),
        ({"L1INSUFF": "N", "NEXTLINE": "N", "L1TOX": "Y"}, "MET"),
        ({"L1INSUFF": "Y", "L1TOX": "N"}, "UNDETERMINED"),
    ],
)
def test_the_other_groups_need_a_reason_for_the_next_line(facts: dict[str, str], outcome: str) -> None:
    found = outcomes({**GROUP_IIC, **facts, "GROUP": "IIA"})
    assert (found["EX-I-2.2"], found["EX-I-2.3"]) == (outcome, "NA")


def test_a_version_that_is_not_there_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"known: 2021, 2023-05"):
        calculate_eligibility(
            {"trial": "EXCALIBUR", "criteria_version": "2022", "facts": {"REFDAT": "2024-03-04"}}
        )


@pytest.mark.parametrize(
    ("group", "first", "second"),
    [
        ("I", "MET", "NOT MET"),
        ("IIA", "NOT MET", "MET"),
        ("IIB", "NOT MET", "MET"),
        ("IIC", "NOT MET", "MET"),
        (None, "UNDETERMINED", "UNDETERMINED"),
    ],
)
def test_each_group_belongs_to_one_sub_study(group: str | None, first: str, second: str) -> None:
    facts = {**GROUP_IIC, "GROUP": group}
    assert outcomes(facts, name="EXCALIBUR-1")["EX-I-GRP-1"] == first
    assert outcomes(facts)["EX-I-GRP-2"] == second


def test_every_stratum_of_a_sub_study_is_a_group_that_its_criteria_let_in() -> None:
    for study in SECOND.sub_studies:
        for stratum in study.strata:
            for level in stratum.levels:
                facts = {**GROUP_IIC, stratum.fact: level}
                assert outcomes(facts, name=study.criteria_set)["EX-I-GRP-2"] == "MET"


def test_the_strata_are_told_before_the_amendment_is_released() -> None:
    (stratum,) = difference(FIRST, SECOND).of("stratum")
    assert (stratum.where, stratum.code, stratum.kind, stratum.after) == (
        "EXCALIBUR-2", "GROUP", "added", "IIA, IIB, IIC",
    )  # fmt: skip
    assert "Nobody is randomised before" in stratum.consequence
