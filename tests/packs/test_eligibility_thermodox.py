"""ThermoDox criteria: those of the published summary decide, those of sibling trials are shown as provisional."""

from __future__ import annotations

from typing import Any

import pytest

from tests.packs.judging import outcome, outcomes, patient, verdict
from trials.packs import bundled_protocol

T = "THERMODOX"
MET, NOT, OPEN, NA, PRESENT, ABSENT = "MET", "NOT MET", "UNDETERMINED", "NA", "PRESENT", "ABSENT"


def lab(value: str, unit: str) -> dict[str, str]:
    return {"value": value, "unit": unit}


CASES = [
    ("TD-S-1", {"CRC": "N"}, NOT),
    ("TD-S-1", {"LIVMET": None}, OPEN),
    ("TD-S-2", {"UNRES": "N"}, NOT),
    ("TD-S-3", {"RFACAND": "N", "MWACAND": "N"}, NOT),
    ("TD-S-3", {"RFACAND": None, "MWACAND": "Y"}, MET),
    ("TD-S-3", {"RFACAND": None, "MWACAND": "N"}, OPEN),
    ("TD-S-4", {"PLANPROC_PER_LESION": [1, 2, 2]}, MET),
    ("TD-S-4", {"PLANPROC_PER_LESION": [1, 3]}, NOT),
    ("TD-S-4", {"PLANPROC_PER_LESION": [0]}, NOT),
    ("TD-S-4", {"PLANPROC_PER_LESION": [1, None]}, OPEN),
    ("TD-S-4", {"PLANPROC_PER_LESION": []}, OPEN),
    ("TD-S-4", {"PLANPROC_PER_LESION": ...}, OPEN),
    ("TD-R-01", {"BRTHDAT": "2007-02-24"}, MET),
    ("TD-R-01", {"BRTHDAT": "2007-02-25"}, NOT),
    ("TD-R-02", {"ECOG": 2}, MET),
    ("TD-R-02", {"ECOG": 3}, NOT),
    ("TD-R-03", {"CHILDPUGH": "B"}, MET),
    ("TD-R-03", {"CHILDPUGH": "C"}, NOT),
    ("TD-R-03", {"CHILDPUGH": None}, OPEN),
    ("TD-R-04", {"LVEF": 50}, MET),
    ("TD-R-04", {"LVEF": 49}, NOT),
    ("TD-R-05", {"MAXLDIAM_MM": 70}, MET),
    ("TD-R-05", {"MAXLDIAM_MM": "70.1"}, NOT),
    ("TD-R-06", {"PRIORANTHRA": "Y"}, NOT),
    ("TD-R-07", {"LIFEEXP3M": "N"}, NOT),
    ("TD-R-07", {"LIFEEXP3M": None}, OPEN),
    ("TD-R-08", {"CARD6M": "Y"}, PRESENT),
    ("TD-R-08", {"CARD6M": None}, OPEN),
    ("TD-R-09", {}, NA),
    ("TD-R-09", {"CHILDPOT": "Y", "PREGSER": "NEG"}, MET),
    ("TD-R-09", {"CHILDPOT": "Y", "PREGSER": "POS"}, NOT),
    ("TD-R-09", {"CHILDPOT": "Y", "PREGSER": "INDET"}, OPEN),
    ("TD-R-09", {"CHILDPOT": "Y"}, OPEN),
    ("TD-R-09", {"SEX": "M", "CHILDPOT": ..., "BRSTFD": ...}, NA),
    ("TD-R-10", {"BRSTFD": "Y"}, PRESENT),
    ("TD-R-10", {"SEX": "M", "BRSTFD": ...}, NA),
    ("TD-R-11a", {"LB__PLAT": lab("75", "10^9/L")}, MET),
    ("TD-R-11a", {"LB__PLAT": lab("74", "10^9/L")}, NOT),
    ("TD-R-11b", {"LB__NEUT": lab("1.5", "10^9/L")}, MET),
    ("TD-R-11b", {"LB__NEUT": lab("1.49", "10^9/L")}, NOT),
    ("TD-R-11c", {"LB__HGB": lab("10", "g/dL")}, MET),
    ("TD-R-11c", {"LB__HGB": lab("99", "g/L")}, NOT),
    ("TD-R-11d", {"LB__CREAT": lab("2.5", "mg/dL")}, MET),
    ("TD-R-11d", {"LB__CREAT": lab("221.1", "umol/L")}, NOT),
    ("TD-R-11e", {"LB__BILI": lab("3", "mg/dL")}, MET),
    ("TD-R-11e", {"LB__BILI": lab("51.4", "umol/L")}, NOT),
    ("TD-R-11f", {"LB__ALB": lab("2.8", "g/dL")}, MET),
    ("TD-R-11f", {"LB__ALB": lab("27.9", "g/L")}, NOT),
    ("TD-R-11g", {"LB__INR": lab("1.5", "1")}, MET),
    ("TD-R-11g", {"LB__INR": lab("1.51", "1")}, NOT),
    ("TD-R-12", {"RFICDAT": "2025-02-24"}, MET),
    ("TD-R-12", {"RFICDAT": "2025-02-25"}, NOT),
]


@pytest.mark.parametrize(("criterion", "changes", "expected"), CASES)
def test_both_sides_of_every_limit(criterion: str, changes: dict[str, Any], expected: str) -> None:
    assert outcome(T, criterion, patient("V08", **changes)) == expected


def test_every_criterion_has_a_failing_case() -> None:
    failing = {row[0] for row in CASES if row[2] in {NOT, PRESENT}}
    assert failing == {each.id for each in bundled_protocol(T).criteria}


def test_a_borrowed_criterion_never_excludes_by_itself() -> None:
    facts = patient("V08", LVEF=30)
    assert verdict(outcomes(T, "THERMODOX", facts)) == "ELIGIBLE"
    assert verdict(outcomes(T, "THERMODOX-PROVISIONAL", facts)) == "INELIGIBLE"


def test_borrowed_criteria_are_marked_and_are_not_the_gate() -> None:
    protocol = bundled_protocol(T)
    borrowed = [each for each in protocol.criteria if each.id.startswith("TD-R-")]
    assert all(each.provisional for each in borrowed if each.id != "TD-R-12")
    assert not any(each.provisional for each in protocol.criteria_of("THERMODOX"))
    assert [each.criteria_set for each in protocol.sub_studies] == ["THERMODOX"]
    assert [each.name for each in protocol.sets if each.provisional] == ["THERMODOX-PROVISIONAL"]
