"""Excalibur criteria: both sides of every limit, and what is missing is never a no."""

from __future__ import annotations

from typing import Any

import pytest

from tests.packs.judging import outcome, outcomes, patient, verdict
from tests.vectors import vectors
from trials.packs import bundled_protocol

E = "EXCALIBUR"
WOMAN = {
    "SEX": "F", "MALEREL": ..., "CONDOM": ..., "CHILDPOT": "Y", "BRSTFD": "N", "MENSCONF": "N",
    "CONTRAC": "Y", "CONTRMETH": "IUD", "BRTHDAT": "1988-05-05",
}  # fmt: skip
LATER = {"REFDAT": "2025-11-20"}


@pytest.mark.parametrize("row", vectors("patients")["rows"], ids=lambda row: str(row["id"]))
def test_worked_patients_come_out_as_published(row: dict[str, Any]) -> None:
    non_passing: dict[str, str] = {}
    for name, expected in row["verdicts"].items():
        found = outcomes(row["trial"], name, row["facts"])
        assert verdict(found) == expected
        non_passing |= {key: value for key, value in found.items() if value not in {"MET", "ABSENT", "NA"}}
    assert non_passing == row["non_passing"]


def lab(value: str | None, unit: str, limit: str | None = None) -> dict[str, Any]:
    return {"value": value, "unit": unit, **({"ULN": limit, "LLN": limit} if limit else {})}


def hcg(*rows: tuple[str, str] | tuple[str, str, str]) -> list[dict[str, str]]:
    return [{"date": r[0], "result": r[1], "sensitivity": r[2] if len(r) > 2 else "Y"} for r in rows]


def lungs(*mm: str, **changes: str) -> dict[str, Any]:
    lesion = {"RESECT": "Y", "CURABLE": "Y", "certainty": "DEFINITE"}
    return {"LUNG": [{"mm": size, **lesion, **changes} for size in mm]}


def episode(end: str | None, success: str = "Y", relapse: str = "N") -> dict[str, Any]:
    return {"EHHIST": "Y", "EH_EPISODES": [{"EHSUCC": success, "EHENDDAT": end, "EHNEWREL": relapse}]}


MET, NOT, OPEN, NA = "MET", "NOT MET", "UNDETERMINED", "NA"
INCLUSION = [
    ("EX-I-1a", {}, MET),
    ("EX-I-1a", {"HISTO": "OTHER"}, NOT),
    ("EX-I-1a", {"HISTO": "NOT VERIFIED"}, NOT),
    ("EX-I-1a", {"PRIMRES": "N"}, NOT),
    ("EX-I-1a", {"PRIMADEQ": None}, OPEN),
    ("EX-I-2a", {"LIVMETN": 6}, MET),
    ("EX-I-2a", {"LIVMETN": 5}, NOT),
    ("EX-I-2a", {"LIVMETN": None}, OPEN),
    ("EX-I-2a", {"LIVMETN": 20, "LIVMETNQ": "GE"}, MET),
    ("EX-I-2a", {"L1RESP": "SD", "L1INSUFF": "N", "L1TOX": "Y"}, MET),
    ("EX-I-2a", {"L1RESP": "SD", "L1INSUFF": "Y", "L1TOX": "N"}, MET),
    ("EX-I-2a", {"L1RESP": "SD", "L1INSUFF": "N", "L1TOX": "N"}, NOT),
    ("EX-I-2a", {"L1RESP": "NE", "L1INSUFF": "N", "L1TOX": "N"}, OPEN),
    ("EX-I-3", {"EHHIST": "N"}, NA),
    ("EX-I-3", {"EHHIST": None}, OPEN),
    ("EX-I-3", {**LATER, **episode("2023-11-19")}, MET),
    ("EX-I-3", {**LATER, **episode("2023-11-20")}, NOT),
    ("EX-I-3", {**LATER, **episode("2023-11")}, OPEN),
    ("EX-I-3", {**LATER, **episode("2023-10")}, MET),
    ("EX-I-3", {**LATER, **episode("2022")}, MET),
    ("EX-I-3", {**LATER, **episode("2024")}, NOT),
    ("EX-I-3", {**LATER, **episode(None)}, OPEN),
    ("EX-I-3", {**LATER, **episode("2020-01-01", success="N")}, NOT),
    ("EX-I-3", {**LATER, **episode("2020-01-01", relapse="Y")}, NOT),
    ("EX-I-3", {"EHHIST": "Y", "EH_EPISODES": []}, OPEN),
    ("EX-I-3", {"EHHIST": "Y"}, OPEN),
    ("EX-I-4a", {"PLAN2L": "N"}, NOT),
    ("EX-I-4a", {"PLAN2L": None}, OPEN),
    ("EX-I-4b", {"L2START": "N"}, NA),
    ("EX-I-4b", {"L2START": None}, OPEN),
    ("EX-I-4b", {"REFDAT": "2025-04-07", "L2START": "Y", "L2EVALYN": "Y", "L2EVALDAT": "2025-04-08"}, MET),
    ("EX-I-4b", {"REFDAT": "2025-04-07", "L2START": "Y", "L2EVALYN": "N"}, MET),
    ("EX-I-4b", {"REFDAT": "2025-04-07", "L2START": "Y", "L2EVALYN": "Y", "L2EVALDAT": "2025-04-07"}, NOT),
    ("EX-I-4b", {"REFDAT": "2025-04-07", "L2START": "Y", "L2EVALYN": "Y", "L2EVALDAT": "2025-03-31"}, NOT),
    ("EX-I-4b", {"REFDAT": "2025-04-07", "L2START": "Y", "L2EVALYN": None}, OPEN),
    ("EX-I-5a", {"ECOG": 0}, MET),
    ("EX-I-5a", {"ECOG": 1}, MET),
    ("EX-I-5a", {"ECOG": 2}, NOT),
    ("EX-I-5a", {"ECOG": None}, OPEN),
    ("EX-I-5b.1", {"LB__HGB": lab("10.01", "g/dL")}, MET),
    ("EX-I-5b.1", {"LB__HGB": lab("101", "g/L")}, MET),
    ("EX-I-5b.1", {"LB__HGB": lab("6.3", "mmol/L")}, MET),
    ("EX-I-5b.1", {"LB__HGB": lab("10.0", "g/dL")}, NOT),
    ("EX-I-5b.1", {"LB__HGB": lab("100", "g/L")}, NOT),
    ("EX-I-5b.1", {"LB__HGB": lab("6.2", "mmol/L")}, NOT),
    ("EX-I-5b.1", {"LB__HGB": None}, OPEN),
    ("EX-I-5b.1", {"LB__HGB": lab("12", "mg/mg")}, OPEN),
    ("EX-I-5b.2", {"LB__NEUT": lab("1.01", "10^9/L")}, MET),
    ("EX-I-5b.2", {"LB__NEUT": lab("1010", "/uL")}, MET),
    ("EX-I-5b.2", {"LB__NEUT": lab("1.0", "10^9/L")}, NOT),
    ("EX-I-5b.2", {"LB__NEUT": None}, OPEN),
    ("EX-I-5b.3", {"LB__PLAT": lab("76", "10^9/L")}, MET),
    ("EX-I-5b.3", {"LB__PLAT": lab("75", "10^9/L")}, NOT),
    ("EX-I-5b.3", {"LB__PLAT": lab("75", "K/uL")}, NOT),
    ("EX-I-5b.4", {"LB__BILI": lab("37.4", "umol/L", "25")}, MET),
    ("EX-I-5b.4", {"LB__BILI": lab("37.5", "umol/L", "25")}, NOT),
    ("EX-I-5b.4", {"LB__BILI": lab("1.4", "mg/dL", "1")}, MET),
    ("EX-I-5b.4", {"LB__BILI": lab("11", "umol/L")}, OPEN),
    ("EX-I-5b.5", {"LB__AST": lab("224", "U/L", "45")}, MET),
    ("EX-I-5b.5", {"LB__AST": lab("225", "U/L", "45")}, NOT),
    ("EX-I-5b.6", {"LB__ALT": lab("349", "U/L", "70")}, MET),
    ("EX-I-5b.6", {"LB__ALT": lab("350", "U/L", "70")}, NOT),
    ("EX-I-5b.7", {"LB__CREAT": lab("131", "umol/L", "105")}, MET),
    ("EX-I-5b.7", {"LB__CREAT": lab("131.25", "umol/L", "105")}, NOT),
    ("EX-I-5b.8", {"LB__ALB": lab("36.1", "g/L", "36")}, MET),
    ("EX-I-5b.8", {"LB__ALB": lab("36", "g/L", "36")}, NOT),
    ("EX-I-5b.8", {"LB__ALB": lab("40", "g/L")}, OPEN),
    ("EX-I-5c", {}, NA),
    ("EX-I-5c", {"SEX": "F", "CHILDPOT": "N"}, NA),
    ("EX-I-5c", {"SEX": "F", "CHILDPOT": None}, OPEN),
    ("EX-I-5c", {**WOMAN, "PREGTESTS": hcg(("2025-06-01", "NEG"), ("2025-06-15", "NEG"))}, MET),
    ("EX-I-5c", {**WOMAN, "PREGTESTS": hcg(("2025-06-01", "NEG"), ("2025-06-14", "NEG"))}, OPEN),
    ("EX-I-5c", {**WOMAN, "PREGTESTS": hcg(("2025-06-01", "NEG"))}, OPEN),
    ("EX-I-5c", {**WOMAN, "PREGTESTS": []}, OPEN),
    ("EX-I-5c", {**WOMAN, "PREGTESTS": hcg(("2025-06-01", "NEG"), ("2025-06-15", "POS"))}, NOT),
    ("EX-I-5c", {**WOMAN, "PREGTESTS": hcg(("2025-06-01", "NEG"), ("2025-06-15", "INDET"))}, OPEN),
    (
        "EX-I-5c",
        {**WOMAN, "PREGTESTS": hcg(("2025-06-01", "NEG"), ("2025-06-08", "POS"), ("2025-06-15", "NEG"))},
        OPEN,
    ),
    ("EX-I-5c", {**WOMAN, "MENSCONF": "Y", "PREGTESTS": hcg(("2025-09-10", "NEG"))}, MET),
    ("EX-I-5c", {**WOMAN, "MENSCONF": "Y", "PREGTESTS": hcg(("2025-09-10", "NEG", "HS"))}, MET),
    ("EX-I-5c", {**WOMAN, "MENSCONF": "Y", "PREGTESTS": hcg(("2025-09-10", "NEG", "N"))}, OPEN),
    ("EX-I-5c", {**WOMAN, "MENSCONF": "Y", "PREGTESTS": hcg(("2025-09-16", "NEG"))}, OPEN),
    (
        "EX-I-5c",
        {**WOMAN, "MENSCONF": "Y", "PREGTESTS": hcg(("2025-09-10", "NEG"), ("2025-09-12", "POS"))},
        NOT,
    ),
    ("EX-I-5c", {**WOMAN, "MENSCONF": "Y", "PREGTESTS": hcg(("2025-09-10", "INDET"))}, OPEN),
    ("EX-I-5d", WOMAN, MET),
    ("EX-I-5d", {**WOMAN, "CONTRMETH": "CONDOM"}, NOT),
    ("EX-I-5d", {**WOMAN, "CONTRAC": "N"}, NOT),
    ("EX-I-5d", {**WOMAN, "CONTRMETH": None}, OPEN),
    ("EX-I-5e", {"MALEREL": "N"}, NA),
    ("EX-I-5e", {"MALEREL": "Y", "CONDOM": "Y"}, MET),
    ("EX-I-5e", {"MALEREL": "Y", "CONDOM": "N"}, NOT),
    ("EX-I-5e", {"MALEREL": None}, OPEN),
    ("EX-I-5e", WOMAN, NA),
    ("EX-I-6", {"RFICDAT": "2025-09-15"}, MET),
    ("EX-I-6", {"RFICDAT": "2025-09-16"}, NOT),
    ("EX-I-6", {"ICFVER_APPROVED": "N"}, NOT),
    ("EX-I-6", {"COOP": None}, OPEN),
    ("REG-AGE18", {"BRTHDAT": "2007-09-15"}, MET),
    ("REG-AGE18", {"BRTHDAT": "2007-09-16"}, NOT),
]

MDT = {"REFDAT": "2025-06-20", "MDTDAT": "2025-06-13", "PETDAT": "2025-05-02", "CTDAT": "2025-06-13"}
PRESENT, ABSENT = "PRESENT", "ABSENT"
EXCLUSION = [
    ("EX-E-1", {"HAIANAT": "NOT SUITABLE"}, PRESENT),
    ("EX-E-1", {"HAIANAT": "NOT ASSESSED"}, OPEN),
    ("EX-E-1", {"HAIANAT": None}, OPEN),
    ("EX-E-2", {"DIAPH": "Y"}, PRESENT),
    ("EX-E-2", {"DIAPH": "ND"}, OPEN),
    ("EX-E-3", {"BONECNS": "Y"}, PRESENT),
    ("EX-E-4", MDT, ABSENT),
    ("EX-E-4", {**MDT, "PETDAT": "2025-05-01"}, OPEN),
    ("EX-E-4", {**MDT, "CTDAT": "2025-06-14"}, OPEN),
    ("EX-E-4", {**MDT, "CTDAT": ...}, OPEN),
    ("EX-E-4", {**MDT, "CTDAT": ..., "MRDAT": "2025-06-01"}, ABSENT),
    ("EX-E-4", {**MDT, "PETDAT": None}, OPEN),
    ("EX-E-4", {**MDT, "MDTDAT": None}, OPEN),
    ("EX-E-4", {**MDT, "FINDINGS": {"LOCREC": "Y"}}, PRESENT),
    ("EX-E-4", {**MDT, "FINDINGS": {"NRLN": "Y"}, "PETDAT": "2025-05-01"}, PRESENT),
    ("EX-E-4", {**MDT, "FINDINGS": {"NRLN": "Y"}, "PETDAT": "2025-05-01", "CTDAT": "2025-05-01"}, OPEN),
    ("EX-E-4", {**MDT, "FINDINGS": {"NRLN": "EQUIVOCAL"}}, OPEN),
    ("EX-E-4", {**MDT, "FINDINGS": {"PERIT": "Y", "PERITCUR": "N"}}, PRESENT),
    ("EX-E-4", {**MDT, "FINDINGS": {"PERIT": "Y", "PERITCUR": "Y"}}, ABSENT),
    ("EX-E-4", {**MDT, "FINDINGS": {"PERIT": "Y"}}, OPEN),
    ("EX-E-4", {**MDT, "FINDINGS": {"OTHEH": "Y"}}, ABSENT),
    ("EX-E-4", {**MDT, "FINDINGS": lungs("30")}, ABSENT),
    ("EX-E-4", {**MDT, "FINDINGS": lungs("8", CURABLE="N")}, PRESENT),
    ("EX-E-4", {**MDT, "FINDINGS": lungs("8", CURABLE="N", certainty="EQUIVOCAL")}, OPEN),
    ("EX-E-5", {"IMPALLERGY": "Y"}, PRESENT),
    ("EX-E-6", {}, NA),
    ("EX-E-6", {"SEX": "F", "BRSTFD": "Y"}, PRESENT),
    ("EX-E-6", {"SEX": "F", "BRSTFD": None}, OPEN),
    ("EX-E-7", {"PSYCH": "Y"}, PRESENT),
    ("EX-E-7", {"PSYCH": None}, OPEN),
    ("EX-E-8", {"INFECT": "Y", "NUTR": None}, PRESENT),
    ("EX-E-8", {"MARROW": None}, OPEN),
    ("EX-E-9", {"OTHREAS": "Y"}, PRESENT),
    ("E1-E-2", {"BRAFRES": "WT"}, ABSENT),
    ("E1-E-2", {"BRAFRES": "V600E"}, PRESENT),
    ("E1-E-2", {"BRAFRES": "V600 OTHER"}, PRESENT),
    ("E1-E-2", {"BRAFRES": "NON-V600"}, PRESENT),
    ("E1-E-2", {"BRAFRES": "NOT TESTED"}, OPEN),
    ("E1-E-2", {"BRAFRES": "INCONCLUSIVE"}, OPEN),
    ("E1-E-3", {**MDT, "FINDINGS": lungs("15", "9", "7")}, ABSENT),
    ("E1-E-3", {**MDT, "FINDINGS": lungs("15", "9", "7", "4")}, PRESENT),
    ("E1-E-3", {**MDT, "FINDINGS": lungs("16")}, PRESENT),
    ("E1-E-3", {**MDT, "FINDINGS": lungs("15.1")}, PRESENT),
    ("E1-E-3", {**MDT, "FINDINGS": lungs("9", RESECT="N")}, PRESENT),
    ("E1-E-3", {**MDT, "FINDINGS": lungs("9", certainty="EQUIVOCAL")}, OPEN),
    (
        "E1-E-3",
        {**MDT, "FINDINGS": {"LUNG": [*lungs("9", certainty="EQUIVOCAL")["LUNG"], *lungs("16")["LUNG"]]}},
        PRESENT,
    ),
    ("E1-E-3", {**MDT, "FINDINGS": {"OTHEH": "Y"}}, PRESENT),
    ("E1-E-3", {**MDT, "FINDINGS": {"PERIT": "Y", "PERITCUR": "Y"}}, PRESENT),
    ("E1-E-3", {**MDT, "FINDINGS": {"OTHEH": "EQUIVOCAL"}}, OPEN),
    ("E1-E-3", {**MDT, "FINDINGS": lungs("16"), "PETDAT": "2025-05-01", "CTDAT": "2025-05-01"}, OPEN),
    ("E1-E-4", {"LIVMAX_MM": 100}, ABSENT),
    ("E1-E-4", {"LIVMAX_MM": 101}, PRESENT),
    ("E1-E-4", {"LIVMAX_MM": None}, OPEN),
    (
        "E1-E-5",
        {"HEIGHT_CM": "170", "WEIGHT_KG": "86.7"},
        ABSENT,
    ),  # exactly 30; above it in binary arithmetic
    ("E1-E-5", {"HEIGHT_CM": "100", "WEIGHT_KG": "30.01"}, PRESENT),
    ("E1-E-5", {"HEIGHT_CM": None}, OPEN),
    ("E1-E-6", {**LATER, "MALIG_LATEST_DATES": ["2020-11-19"]}, ABSENT),
    ("E1-E-6", {**LATER, "MALIG_LATEST_DATES": ["2020-11-20"]}, PRESENT),
    ("E1-E-6", {**LATER, "MALIG_LATEST_DATES": ["2020"]}, OPEN),
    ("E1-E-6", {**LATER, "MALIG_LATEST_DATES": ["2010-01-01", "2021"]}, PRESENT),
    ("E1-E-6", {**LATER, "MALIG_LATEST_DATES": None}, OPEN),
    ("E1-E-7", {**LATER, "BRTHDAT": "1955-11-21"}, ABSENT),
    ("E1-E-7", {**LATER, "BRTHDAT": "1955-11-20"}, PRESENT),
    ("E1-E-7", {**LATER, "BRTHDAT": "1955-11"}, OPEN),
    ("E1-E-7", {**LATER, "BRTHDAT": "1956"}, ABSENT),
]


@pytest.mark.parametrize(("criterion", "changes", "expected"), INCLUSION + EXCLUSION)
def test_both_sides_of_every_limit(criterion: str, changes: dict[str, Any], expected: str) -> None:
    assert outcome(E, criterion, patient("V01", **changes)) == expected


def test_every_criterion_has_a_passing_and_a_failing_case() -> None:
    rows = INCLUSION + EXCLUSION
    failing = {row[0] for row in rows if row[2] in {NOT, PRESENT}}
    assert failing == {each.id for each in bundled_protocol(E).criteria}


@pytest.mark.parametrize("fact", ["LB.HGB", "LB.ALB", "ECOG"])
def test_a_value_older_than_its_look_back_is_unknown(fact: str) -> None:
    criterion = {"LB.HGB": "EX-I-5b.1", "LB.ALB": "EX-I-5b.8", "ECOG": "EX-I-5a"}[fact]
    assert outcome(E, criterion, patient("V01", DATES={fact: "2025-09-01"})) == MET
    assert outcome(E, criterion, patient("V01", DATES={fact: "2025-08-31"})) == OPEN


def test_the_last_pregnancy_test_is_at_most_a_week_old() -> None:
    tested = {**WOMAN, "PREGTESTS": hcg(("2025-08-20", "NEG"), ("2025-09-08", "NEG")), "PREGLAST": "NEG"}
    assert outcome(E, "EX-I-5c", patient("V01", **tested, DATES={"PREGLAST": "2025-09-08"})) == MET
    assert outcome(E, "EX-I-5c", patient("V01", **tested, DATES={"PREGLAST": "2025-09-07"})) == OPEN


def test_whoever_is_eligible_for_excalibur_1_is_eligible_for_excalibur_2() -> None:
    protocol = bundled_protocol(E)
    one, two = ({each.id for each in protocol.criteria_of(name)} for name in ("EXCALIBUR-1", "EXCALIBUR-2"))
    assert two < one


@pytest.mark.parametrize(
    ("change", "first", "second"),
    [
        ({"BRAFRES": "V600E"}, "INELIGIBLE", "ELIGIBLE"),
        ({"BRTHDAT": "1950-01-01"}, "INELIGIBLE", "ELIGIBLE"),
        ({"BRAFRES": None}, "UNDETERMINED", "ELIGIBLE"),
        ({"ECOG": 2}, "INELIGIBLE", "INELIGIBLE"),
        ({"ECOG": None, "BRAFRES": "V600E"}, "INELIGIBLE", "UNDETERMINED"),
    ],
)
def test_what_excludes_from_excalibur_1_leaves_excalibur_2_open(
    change: dict[str, Any], first: str, second: str
) -> None:
    facts = patient("V01", **change)
    assert verdict(outcomes(E, "EXCALIBUR-1", facts)) == first
    assert verdict(outcomes(E, "EXCALIBUR-2", facts)) == second
