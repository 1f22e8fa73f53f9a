"""From what a nurse enters on the forms to the verdict: nothing gets lost, and nothing is decided by silence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from casebook.rules.projection import Row, project
from tests.packs.judging import outcomes, patient, verdict
from trials.packs import bundled_protocol

Values = dict[str, Any]
E, T = "EXCALIBUR", "THERMODOX"

WORKED = {
    E: {
        "DS_IC": {"DSSTDAT": "2025-09-08", "ICFAPPR": "Y"},
        "DM": {"SEX": "M", "BRTHDAT": "1967-03-14"},
        "CH": {
            "HISTO": "ADENOCARCINOMA", "PRIMRES": "Y", "PRIMADEQ": "Y", "EHHIST": "N", "BONECNS": "N", "MALIGYN": "N",
        },
        "CHS": {"L1RESP": "PD", "L1INSUFF": "Y", "L1TOX": "N", "PLAN2L": "Y", "L2START": "N"},
        "VS": {"HEIGHT": ("176", "cm"), "WEIGHT": ("80", "kg")},
        "RS": {"ECOG": "1"},
        "LB": {
            "HGB": ("12.4", "g/dL"), "NEUT": ("3.2", "10^9/L"), "PLAT": ("188", "10^9/L"),
            "BILI": ("11", "umol/L", "high", "25"), "AST": ("48", "U/L", "high", "45"),
            "ALT": ("55", "U/L", "high", "70"), "CREAT": ("78", "umol/L", "high", "105"),
            "ALB": ("40", "g/L", "low", "36"), "LBDAT": "2025-09-10",
        },
        "RP": {"MALEREL": "N"},
        "GF": {"BRAFRES": "WT"},
        "STG": {
            "PETYN": "Y", "PETDAT": "2025-08-20", "CTYN": "Y", "CTDAT": "2025-08-22", "MRYN": "N",
            "LIVMETN": "11", "LIVMETNQ": "EQ", "LIVMAX": ("6.2", "cm"),
            "DIAPHCT": "N", "DIAPHMR": "ND", "DIAPHUS": "ND",
            "LUNGYN": "N", "PERIT": "N", "NRLN": "N", "LOCREC": "N", "OTHEH": "N",
        },
        "MDT": {"MDTDAT": "2025-09-05", "HAIANAT": "SUITABLE"},
        "IE": {
            "COOP": "Y", "PSYCH": "N", "NUTR": "N", "MARROW": "N", "INFECT": "N", "IMPALLERGY": "N", "OTHREAS": "N",
        },
    },
    T: {
        "DS_IC": {"DSSTDAT": "2025-02-17", "ICFAPPR": "Y"},
        "DM": {"SEX": "F", "BRTHDAT": "1961-09-09"},
        "CH": {"CRC": "Y", "LIVMET": "Y", "UNRES": "Y"},
        "CMH": {"PRIORANTHRA": "N"},
        "RS": {"ECOG": "0"},
        "LB": {
            "PLAT": ("176", "10^9/L"), "NEUT": ("2.9", "10^9/L"), "HGB": ("12.0", "g/dL"), "CREAT": ("64", "umol/L"),
            "BILI": ("10", "umol/L"), "ALB": ("41", "g/L"), "INR": ("1.0", "1"), "LBDAT": "2025-02-20",
        },
        "RP": {"CHILDPOT": "N", "BRSTFD": "N"},
        "CV": {"LVEF": "62", "CARD6M": "N"},
        "CP": {"ASCITES": "NONE", "ENCEPH": "NONE"},
        "STG": {"LIVMAX": ("42", "mm")},
        "IE": {"RFACAND": "N", "MWACAND": "Y", "LIFEEXP3M": "Y"},
    },
}  # fmt: skip
ON = {E: date(2025, 9, 15), T: date(2025, 2, 24)}
LESIONS = [{"TULNKID": f"T0{n}", "UNRESECT": "Y", "PLANPROC": "1"} for n in (1, 2, 3)]
SETS = {E: ("EXCALIBUR-1", "EXCALIBUR-2"), T: ("THERMODOX", "THERMODOX-PROVISIONAL")}


def cell(value: Any) -> dict[str, Any]:
    if not isinstance(value, tuple):
        return {"value": value}
    number, unit, *limit = value
    return {"value": number, "unit": unit, **({limit[0]: limit[1]} if limit else {})}


def facts(
    code: str, changes: dict[str, Values] | None = None, rows: dict[str, list[Values]] | None = None
) -> Values:
    """Facts of the worked patient as entered, with changed items and further rows of repeating forms."""
    entered: list[tuple[str, int, Values]] = [
        (form, 1, {**values, **(changes or {}).get(form, {})}) for form, values in WORKED[code].items()
    ]
    for form, several in (rows or {}).items():
        entered += [(form, number, values) for number, values in enumerate(several, start=1)]
    entries = [
        Row(number, form, "SCR", ON[code], repeat, {item: cell(each) for item, each in values.items()})
        for number, (form, repeat, values) in enumerate(entered, start=1)
    ]
    document = project(bundled_protocol(code), entries, ON[code], time_zone="Europe/Oslo").document
    return dict(document)


def open_ones(code: str, set_name: str, document: Values) -> dict[str, str]:
    found = outcomes(code, set_name, document)
    return {key: value for key, value in found.items() if value not in {"MET", "ABSENT", "NA"}}


@pytest.mark.parametrize(("code", "rows"), [(E, {}), (T, {"TU": LESIONS})])
def test_the_worked_patient_entered_on_forms_is_eligible(code: str, rows: dict[str, list[Values]]) -> None:
    for name in SETS[code]:
        assert open_ones(code, name, facts(code, rows=rows)) == {}


@pytest.mark.parametrize(("code", "worked", "rows"), [(E, "V01", {}), (T, "V08", {"TU": LESIONS})])
def test_forms_and_the_facts_document_say_the_same(
    code: str, worked: str, rows: dict[str, list[Values]]
) -> None:
    entered, written = facts(code, rows=rows), patient(worked)
    for name in SETS[code]:
        assert outcomes(code, name, entered) == outcomes(code, name, written)


@pytest.mark.parametrize("code", [E, T])
def test_an_empty_casebook_decides_nothing(code: str) -> None:
    protocol = bundled_protocol(code)
    empty = dict(project(protocol, [], ON[code]).document)
    for name in SETS[code]:
        assert set(outcomes(code, name, empty).values()) == {"UNDETERMINED"}


@pytest.mark.parametrize("code", [E, T])
def test_every_form_that_is_missing_keeps_the_verdict_open(code: str) -> None:
    rows = {"TU": LESIONS} if code == T else {}
    widest = {E: "EXCALIBUR-1", T: "THERMODOX-PROVISIONAL"}[code]
    for form, values in WORKED[code].items():
        document = facts(code, {form: dict.fromkeys(values)}, rows)
        assert verdict(outcomes(code, widest, document)) == "UNDETERMINED", form


def test_a_lead_question_with_yes_and_no_rows_keeps_the_verdict_open() -> None:
    for changes, criterion in [
        ({"CH": {"EHHIST": "Y"}}, "EX-I-3"),
        ({"CH": {"MALIGYN": "Y"}}, "E1-E-6"),
        ({"STG": {"LUNGYN": "Y"}}, "E1-E-3"),
    ]:
        assert open_ones(E, "EXCALIBUR-1", facts(E, changes))[criterion] == "UNDETERMINED"


LUNG = {"LUNGDIAM": ("15", "mm"), "RESECT": "Y", "CURABLE": "Y", "CERTAINTY": "DEFINITE"}
TREATED = {"EHSUCC": "Y", "EHNEWREL": "N"}
TESTS = [
    {"LBDAT": "2025-08-28", "LBORRES": "NEG", "HSFLAG": "N"},
    {"LBDAT": "2025-09-11", "LBORRES": "NEG", "HSFLAG": "N"},
]
WOMAN = {
    "DM": {"SEX": "F", "BRTHDAT": "1988-05-05"},
    "RP": {"CHILDPOT": "Y", "MENSCONF": "N", "CONTRAC": "Y", "CONTRMETH": "IUD", "BRSTFD": "N"},
}


@pytest.mark.parametrize(
    ("changes", "rows", "expected"),
    [
        ({"STG": {"LUNGYN": "Y"}}, {"LL": [LUNG] * 3}, {}),
        ({"STG": {"LUNGYN": "Y"}}, {"LL": [LUNG] * 4}, {"E1-E-3": "PRESENT"}),
        ({"STG": {"LUNGYN": "Y"}}, {"LL": [{**LUNG, "LUNGDIAM": ("1.6", "cm")}]}, {"E1-E-3": "PRESENT"}),
        ({"STG": {"LUNGYN": "Y"}}, {"LL": [{**LUNG, "CERTAINTY": "EQUIVOCAL"}]}, {"E1-E-3": "UNDETERMINED"}),
        ({"STG": {"LUNGYN": "N"}}, {"LL": [LUNG] * 4}, {}),
        ({"CH": {"EHHIST": "Y"}}, {"EH": [{**TREATED, "EHENDDAT": "2022"}]}, {}),
        ({"CH": {"EHHIST": "Y"}}, {"EH": [{**TREATED, "EHENDDAT": "2023"}]}, {"EX-I-3": "UNDETERMINED"}),
        ({"CH": {"MALIGYN": "Y"}}, {"MHC": [{"MALIGLATDAT": "2021-02"}]}, {"E1-E-6": "PRESENT"}),
        ({"CH": {"MALIGYN": "Y"}}, {"MHC": [{"MALIGLATDAT": "2011"}]}, {}),
        (WOMAN, {"PT": TESTS}, {}),
        (WOMAN, {"PT": TESTS[:1]}, {"EX-I-5c": "UNDETERMINED"}),
        (WOMAN, {"PT": [*TESTS, {"LBDAT": "2025-09-14", "LBORRES": "POS", "HSFLAG": "Y"}]}, {"EX-I-5c": "NOT MET"}),
        (WOMAN, {}, {"EX-I-5c": "UNDETERMINED"}),
        ({"LB": {"LBDAT": "2025-08-31"}}, {}, {f"EX-I-5b.{n}": "UNDETERMINED" for n in range(1, 9)}),
        ({"STG": {"PETYN": "N"}}, {}, {"EX-E-4": "UNDETERMINED", "E1-E-3": "UNDETERMINED"}),
        ({"STG": {"DIAPHMR": "Y"}}, {}, {"EX-E-2": "PRESENT"}),
    ],
)  # fmt: skip
def test_what_is_entered_decides(
    changes: dict[str, Values], rows: dict[str, list[Values]], expected: dict[str, str]
) -> None:
    assert open_ones(E, "EXCALIBUR-1", facts(E, changes, rows)) == expected


@pytest.mark.parametrize(("plan", "expected"), [("2", "MET"), ("0", "NOT MET"), (None, "UNDETERMINED")])
def test_the_plan_of_every_unresectable_lesion_counts(plan: str | None, expected: str) -> None:
    resectable = {"TULNKID": "T05", "UNRESECT": "N"}
    planned = {"TULNKID": "T04", "UNRESECT": "Y", "PLANPROC": plan}
    document = facts(T, rows={"TU": [*LESIONS, resectable, planned]})
    assert outcomes(T, "THERMODOX", document)["TD-S-4"] == expected


def test_times_of_a_procedure_reach_the_facts_with_their_zone() -> None:
    infusion = {
        "PROCNO": "1",
        "EXSTDAT": "2025-02-24",
        "EXSTTIM": "08:30",
        "EXENDAT": "2025-02-24",
        "EXENTIM": "09:00",
    }
    document = facts(T, rows={"TU": LESIONS, "EX": [infusion]})
    assert document["PROCEDURE_DATES"] == ["2025-02-24"]
    assert document["INFUSIONS"][0]["T0"] == "2025-02-24T08:30:00+01:00"
