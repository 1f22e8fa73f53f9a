"""Both sides of every boundary of the trials' criteria, written in the language of rules.

The rules here are those of the two protocols (Excalibur 2021, ThermoDox with
thresholds of sibling trials); what the packs say is tested with the packs.
"""

from __future__ import annotations

from typing import Any

import pytest

from logic import FactType, Schema, compile_rule

YES_NO = FactType("code", codes=("Y", "N"))
ASKED = FactType("code", codes=("Y", "N"), unknown_codes=("EQUIVOCAL",), absent="N")


def measured(analyte: str) -> FactType:
    return FactType("quantity", analyte=analyte)


DATED = ("REFDAT", "BRTHDAT", "MDTDAT", "PETDAT", "CTDAT", "L2EVALDAT", "RFICDAT")
TESTS = ("HGB", "NEUT", "PLAT", "BILI", "AST", "ALT", "CREAT", "ALB", "INR")
SCHEMA = Schema(
    {
        **dict.fromkeys(DATED, FactType("date")),
        **dict.fromkeys(
            ("L1INSUFF", "L1TOX", "L2EVALYN", "COOP", "CRC", "LIVMET", "RFACAND", "MWACAND"), YES_NO
        ),
        "CHILDPOT": FactType("code", codes=("Y", "N"), absent="none"),
        "MENSCONF": YES_NO,
        "L1RESP": FactType("code", codes=("CR", "PR", "SD", "PD"), unknown_codes=("NE",)),
        "BRAFRES": FactType(
            "code",
            codes=("WT", "V600E", "V600 OTHER", "NON-V600"),
            unknown_codes=("INCONCLUSIVE", "NOT TESTED"),
        ),
        "HAIANAT": FactType("code", codes=("SUITABLE", "NOT SUITABLE"), unknown_codes=("NOT ASSESSED",)),
        "CHILDPUGH": FactType("code", codes=("A", "B", "C")),
        "LIVMETN": FactType("integer"),
        "ECOG": FactType("integer"),
        "LVEF": measured("LVEF"),
        "HEIGHT_CM": FactType("number", unit="cm"),
        "WEIGHT_KG": FactType("number", unit="kg"),
        "LIVMAX_MM": FactType("number", unit="mm"),
        **{f"LB.{test}": measured(test) for test in TESTS},
        "EH_EPISODES": FactType(
            "list", fields={"EHSUCC": YES_NO, "EHENDDAT": FactType("date"), "EHNEWREL": YES_NO}, absent="none"
        ),
        "PREGTESTS": FactType(
            "list",
            fields={
                "date": FactType("date"),
                "result": FactType("code", codes=("NEG", "POS"), unknown_codes=("INDET",)),
                "sensitivity": FactType("code", codes=("HS", "STD")),
            },
            absent="none",
        ),
        "MALIG_LATEST_DATES": FactType("list", element=FactType("date"), absent="none"),
        "PLANPROC_PER_LESION": FactType("list", element=FactType("integer")),
        "FINDINGS": FactType(
            "record",
            fields={
                "LUNG": FactType(
                    "list",
                    fields={
                        "mm": FactType("number", unit="mm"),
                        "RESECT": YES_NO,
                        "CURABLE": YES_NO,
                        "certainty": FactType(
                            "code", codes=("DEFINITE",), unknown_codes=("EQUIVOCAL",), absent="DEFINITE"
                        ),
                    },
                    absent="none",
                ),
                **dict.fromkeys(("PERIT", "PERITCUR", "NRLN", "LOCREC", "OTHEH"), ASKED),
            },
        ),
    }
)

IN_WINDOW = "days({0}, MDTDAT) >= 0 and days({0}, MDTDAT) <= 42"
PET, CT = IN_WINDOW.format("PETDAT"), IN_WINDOW.format("CTDAT")
RULES = {
    "2a": "LIVMETN >= 6 and (L1RESP = 'PD' or L1INSUFF = 'Y' or L1TOX = 'Y')",
    "3": "every(e in EH_EPISODES: e.EHSUCC = 'Y' and add_years(e.EHENDDAT, 2) < REFDAT and e.EHNEWREL = 'N')",
    "4b": "L2EVALYN = 'N' or (L2EVALYN = 'Y' and REFDAT < L2EVALDAT)",
    "5a": "ECOG in {0, 1}",
    "5b.1": "LB.HGB > 10 [g/dL]",
    "5b.2": "LB.NEUT > 1.0 [10^9/L]",
    "5b.3": "LB.PLAT > 75 [10^9/L]",
    "5b.4": "LB.BILI / uln(LB.BILI) < 1.5",
    "5b.5": "LB.AST < 5 * uln(LB.AST)",
    "5b.6": "LB.ALT < 5 * uln(LB.ALT)",
    "5b.7": "LB.CREAT / uln(LB.CREAT) < 1.25",
    "5b.8": "LB.ALB > lln(LB.ALB)",
    "5c": """
        if(some(t in PREGTESTS: t.result = 'POS' and t.date <= REFDAT), false, finding(
            (MENSCONF = 'Y' and some(t in PREGTESTS: t.result = 'NEG' and t.sensitivity = 'HS' and t.date <= REFDAT))
            or days(earliest(t in PREGTESTS where t.result = 'NEG' and t.date <= REFDAT: t.date),
                    latest(t in PREGTESTS where t.result = 'NEG' and t.date <= REFDAT: t.date)) >= 14,
            true, false))""",
    "6": "RFICDAT <= REFDAT and COOP = 'Y'",
    "E-1": "HAIANAT = 'NOT SUITABLE'",
    "E-4": f"""
        finding(
            some(l in FINDINGS.LUNG: l.CURABLE = 'N') or (FINDINGS.PERIT = 'Y' and FINDINGS.PERITCUR = 'N')
            or FINDINGS.NRLN = 'Y' or FINDINGS.LOCREC = 'Y',
            {PET} or {CT}, {PET} and {CT})""",
    "E1-2": "BRAFRES in {'V600E', 'V600 OTHER', 'NON-V600'}",
    "E1-3": """
        FINDINGS.PERIT = 'Y' or FINDINGS.NRLN = 'Y' or FINDINGS.LOCREC = 'Y' or FINDINGS.OTHEH = 'Y'
        or (size(FINDINGS.LUNG) >= 1 and not (size(FINDINGS.LUNG) <= 3 and
            every(l in FINDINGS.LUNG: l.certainty = 'DEFINITE' and l.RESECT = 'Y' and l.mm <= 15 [mm])))""",
    "E1-4": "LIVMAX_MM > 10 [cm]",
    "E1-5": "WEIGHT_KG / (HEIGHT_CM / 100)^2 > 30",
    "E1-6": "some(d in MALIG_LATEST_DATES: d >= add_years(REFDAT, -5))",
    "E1-7": "age(BRTHDAT, REFDAT) >= 70",
    "WOCBP": "CHILDPOT = 'Y'",
    "TD-S-1": "CRC = 'Y' and LIVMET = 'Y'",
    "TD-S-3": "attested(RFACAND) or attested(MWACAND)",
    "TD-S-4": "every(p in PLANPROC_PER_LESION: p in {1, 2})",
    "TD-R-01": "age(BRTHDAT, REFDAT) >= 18",
    "TD-R-02": "ECOG <= 2",
    "TD-R-03": "CHILDPUGH in {'A', 'B'}",
    "TD-R-04": "LVEF >= 50 [%]",
    "TD-R-05": "LIVMAX_MM <= 70",
    "TD-R-11a": "LB.PLAT >= 75 [10^9/L]",
    "TD-R-11d": "LB.CREAT <= 2.5 [mg/dL]",
    "TD-R-11e": "LB.BILI <= 3 [mg/dL]",
    "TD-R-11f": "LB.ALB >= 2.8 [g/dL]",
    "TD-R-11g": "LB.INR <= 1.5",
    "TD-R-12": "RFICDAT <= REFDAT",
}


def lab(test: str, value: str | None, unit: str | None, **limits: str) -> dict[str, Any]:
    return {"LB": {test: {"value": value, "unit": unit, **limits}}}


def episode(end: str | None, successful: str = "Y", relapse: str = "N") -> dict[str, Any]:
    return {
        "REFDAT": "2025-11-20",
        "EH_EPISODES": [{"EHSUCC": successful, "EHENDDAT": end, "EHNEWREL": relapse}],
    }


def pregnancy_tests(*rows: tuple[str, str], menses: str = "N", sensitivity: str = "HS") -> dict[str, Any]:
    tests = [{"date": day, "result": result, "sensitivity": sensitivity} for day, result in rows]
    return {"REFDAT": "2025-06-20", "MENSCONF": menses, "PREGTESTS": tests}


def scans(pet: str | None, ct: str | None, **findings: Any) -> dict[str, Any]:
    return {"MDTDAT": "2025-06-13", "PETDAT": pet, "CTDAT": ct, "FINDINGS": findings or {"NRLN": "N"}}


def lung(*lesions: tuple[str, str] | tuple[str, str, str]) -> dict[str, Any]:
    keys = ("mm", "RESECT", "certainty")
    return {"FINDINGS": {"LUNG": [dict(zip(keys, lesion, strict=False)) for lesion in lesions]}}


def body(kg: str, cm: str) -> dict[str, Any]:
    return {"WEIGHT_KG": kg, "HEIGHT_CM": cm}


def born(day: str, on: str = "2025-11-20") -> dict[str, Any]:
    return {"BRTHDAT": day, "REFDAT": on}


def evaluation(refdat: str, day: str | None, yes: str | None = "Y") -> dict[str, Any]:
    return {"REFDAT": refdat, "L2EVALYN": yes, "L2EVALDAT": day}


def malignancy(*days: str | None) -> dict[str, Any]:
    return {"REFDAT": "2025-11-20", "MALIG_LATEST_DATES": list(days)}


T, F, U = "true", "false", "unknown"
CASES = [
    ("2a", {"LIVMETN": 6, "L1RESP": "PD", "L1INSUFF": "N", "L1TOX": "N"}, T),
    ("2a", {"LIVMETN": 5, "L1RESP": "PD"}, F),
    ("2a", {"LIVMETN": None, "L1RESP": "PD"}, U),
    ("2a", {"LIVMETN": 5, "L1RESP": None}, F),
    ("2a", {"LIVMETN": 6, "L1RESP": "SD", "L1INSUFF": "N", "L1TOX": "Y"}, T),
    ("2a", {"LIVMETN": 6, "L1RESP": "SD", "L1INSUFF": "N", "L1TOX": "N"}, F),
    ("2a", {"LIVMETN": 6, "L1RESP": "NE", "L1INSUFF": "N", "L1TOX": "N"}, U),
    ("2a", {"LIVMETN": ">=20", "L1RESP": "PD"}, T),
    ("3", episode("2023-11-19"), T),
    ("3", episode("2023-11-20"), F),
    ("3", episode("2023-11"), U),
    ("3", episode("2023-10"), T),
    ("3", episode("2023"), U),
    ("3", episode("2022"), T),
    ("3", episode("2024"), F),
    ("3", episode(None), U),
    ("3", episode(None, successful="N"), F),
    ("3", episode("2023-11-19", relapse="Y"), F),
    ("3", {"REFDAT": "2025-11-20", "EH_EPISODES": []}, T),
    ("3", {"REFDAT": "2025-11-20", "EH_EPISODES": None}, U),
    ("3", {"REFDAT": "2025-11-20"}, T),
    ("3", episode("2024-02-29") | {"REFDAT": "2026-02-28"}, F),
    ("3", episode("2024-02-29") | {"REFDAT": "2026-03-01"}, T),
    ("4b", evaluation("2025-04-07", "2025-04-08"), T),
    ("4b", evaluation("2025-04-07", None, "N"), T),
    ("4b", evaluation("2025-04-07", "2025-04-07"), F),
    ("4b", evaluation("2025-04-07", "2025-03-31"), F),
    ("4b", evaluation("2025-04-07", None, None), U),
    ("5a", {"ECOG": 0}, T),
    ("5a", {"ECOG": 1}, T),
    ("5a", {"ECOG": 2}, F),
    ("5a", {"ECOG": None}, U),
    ("5a", {}, U),
    ("5b.1", lab("HGB", "10.01", "g/dL"), T),
    ("5b.1", lab("HGB", "10.0", "g/dL"), F),
    ("5b.1", lab("HGB", "101", "g/L"), T),
    ("5b.1", lab("HGB", "100", "g/L"), F),
    ("5b.1", lab("HGB", "6.3", "mmol/L"), T),
    ("5b.1", lab("HGB", "6.2", "mmol/L"), F),
    ("5b.1", lab("HGB", None, "g/dL"), U),
    ("5b.1", lab("HGB", "12", "umol/L"), U),
    ("5b.1", lab("HGB", "12", "barrels"), U),
    ("5b.1", lab("HGB", "12", None), U),
    ("5b.1", {"LB": None}, U),
    ("5b.2", lab("NEUT", "1.01", "10^9/L"), T),
    ("5b.2", lab("NEUT", "1.0", "10^9/L"), F),
    ("5b.2", lab("NEUT", "1010", "/uL"), T),
    ("5b.2", lab("NEUT", "1000", "/mm3"), F),
    ("5b.3", lab("PLAT", "76", "K/uL"), T),
    ("5b.3", lab("PLAT", "75", "G/L"), F),
    ("5b.4", lab("BILI", "37.4", "umol/L", ULN="25"), T),
    ("5b.4", lab("BILI", "37.5", "umol/L", ULN="25"), F),
    ("5b.4", lab("BILI", "37.4", "umol/L"), U),
    ("5b.4", lab("BILI", "1.49", "mg/dL", ULN="1.0"), T),
    ("5b.5", lab("AST", "224", "U/L", ULN="45"), T),
    ("5b.5", lab("AST", "225", "U/L", ULN="45"), F),
    ("5b.5", lab("AST", "3.74", "ukat/L", ULN="0.75"), T),
    ("5b.6", lab("ALT", "349", "U/L", ULN="70"), T),
    ("5b.6", lab("ALT", "350", "U/L", ULN="70"), F),
    ("5b.7", lab("CREAT", "131", "umol/L", ULN="105"), T),
    ("5b.7", lab("CREAT", "131.25", "umol/L", ULN="105"), F),
    ("5b.8", lab("ALB", "36.1", "g/L", LLN="36"), T),
    ("5b.8", lab("ALB", "36", "g/L", LLN="36"), F),
    ("5b.8", lab("ALB", "36.1", "g/L"), U),
    ("5c", pregnancy_tests(("2025-06-01", "NEG"), ("2025-06-15", "NEG")), T),
    ("5c", pregnancy_tests(("2025-06-01", "NEG"), ("2025-06-14", "NEG")), U),
    ("5c", pregnancy_tests(("2025-06-01", "NEG")), U),
    ("5c", pregnancy_tests(), U),
    ("5c", pregnancy_tests(("2025-06-01", "NEG"), ("2025-06-15", "NEG"), ("2025-06-18", "POS")), F),
    ("5c", pregnancy_tests(("2025-06-18", "INDET")), U),
    ("5c", pregnancy_tests(("2025-06-18", "NEG"), menses="Y"), T),
    ("5c", pregnancy_tests(("2025-06-18", "NEG"), menses="Y", sensitivity="STD"), U),
    ("6", {"RFICDAT": "2025-06-20", "REFDAT": "2025-06-20", "COOP": "Y"}, T),
    ("6", {"RFICDAT": "2025-06-21", "REFDAT": "2025-06-20", "COOP": "Y"}, F),
    ("E-1", {"HAIANAT": "NOT SUITABLE"}, T),
    ("E-1", {"HAIANAT": "NOT ASSESSED"}, U),
    ("E-4", scans("2025-05-02", "2025-06-13"), F),
    ("E-4", scans("2025-05-01", "2025-06-13"), U),
    ("E-4", scans("2025-05-02", "2025-06-14"), U),
    ("E-4", scans("2025-05-02", None), U),
    ("E-4", scans("2025-05-02", None, NRLN="Y"), T),
    ("E-4", scans("2025-05-01", "2025-06-14", NRLN="Y"), U),
    ("E-4", scans("2025-05-02", "2025-05-02", NRLN="EQUIVOCAL"), U),
    ("E-4", scans("2025-05-02", "2025-05-02", PERIT="Y", PERITCUR="Y"), F),
    ("E-4", scans("2025-05-02", "2025-05-02", LUNG=[{"CURABLE": "N"}]), T),
    ("E1-2", {"BRAFRES": "WT"}, F),
    ("E1-2", {"BRAFRES": "NON-V600"}, T),
    ("E1-2", {"BRAFRES": "NOT TESTED"}, U),
    ("E1-2", {"BRAFRES": None}, U),
    ("E1-3", lung(("15", "Y"), ("9", "Y"), ("7", "Y")), F),
    ("E1-3", lung(("15", "Y"), ("9", "Y"), ("7", "Y"), ("4", "Y")), T),
    ("E1-3", lung(("15", "Y"), ("16", "Y")), T),
    ("E1-3", lung(("15.1", "Y")), T),
    ("E1-3", lung(("9", "N")), T),
    ("E1-3", lung(("9", "Y", "EQUIVOCAL")), U),
    ("E1-3", {"FINDINGS": {"OTHEH": "EQUIVOCAL"}}, U),
    ("E1-3", {}, F),
    ("E1-4", {"LIVMAX_MM": 100}, F),
    ("E1-4", {"LIVMAX_MM": 101}, T),
    ("E1-4", {"LIVMAX_MM": None}, U),
    ("E1-5", body("86.7", "170"), F),
    ("E1-5", body("86.73", "170"), T),
    ("E1-5", body("30.01", "100"), T),
    ("E1-5", {"WEIGHT_KG": "86.7", "HEIGHT_CM": None}, U),
    ("E1-6", malignancy("2020-11-19"), F),
    ("E1-6", malignancy("2020-11-20"), T),
    ("E1-6", malignancy("2020"), U),
    ("E1-6", malignancy("2020", "2021"), T),
    ("E1-6", malignancy(None), U),
    ("E1-6", malignancy(), F),
    ("E1-7", born("1955-11-21"), F),
    ("E1-7", born("1955-11-20"), T),
    ("E1-7", born("1955-11"), U),
    ("E1-7", born("1955"), U),
    ("E1-7", born("1954"), T),
    ("WOCBP", {}, F),
    ("WOCBP", {"CHILDPOT": None}, U),
    ("TD-S-1", {"CRC": "Y", "LIVMET": "Y"}, T),
    ("TD-S-1", {"CRC": "N", "LIVMET": None}, F),
    ("TD-S-3", {"RFACAND": "N", "MWACAND": "Y"}, T),
    ("TD-S-3", {"RFACAND": "N", "MWACAND": None}, U),
    ("TD-S-3", {"RFACAND": "N", "MWACAND": "N"}, F),
    ("TD-S-4", {"PLANPROC_PER_LESION": [1, 2, 1]}, T),
    ("TD-S-4", {"PLANPROC_PER_LESION": [1, 3]}, F),
    ("TD-S-4", {"PLANPROC_PER_LESION": [1, None]}, U),
    ("TD-S-4", {"PLANPROC_PER_LESION": [3, None]}, F),
    ("TD-S-4", {}, U),
    ("TD-R-01", born("2007-11-20"), T),
    ("TD-R-01", born("2007-11-21"), F),
    ("TD-R-02", {"ECOG": 2}, T),
    ("TD-R-02", {"ECOG": 3}, F),
    ("TD-R-03", {"CHILDPUGH": "B"}, T),
    ("TD-R-03", {"CHILDPUGH": "C"}, F),
    ("TD-R-04", {"LVEF": {"value": "50", "unit": "%"}}, T),
    ("TD-R-04", {"LVEF": {"value": "49.9", "unit": "%"}}, F),
    ("TD-R-05", {"LIVMAX_MM": "70"}, T),
    ("TD-R-05", {"LIVMAX_MM": "70.1"}, F),
    ("TD-R-11a", lab("PLAT", "75", "10^9/L"), T),
    ("TD-R-11a", lab("PLAT", "74.9", "10^9/L"), F),
    ("TD-R-11d", lab("CREAT", "221", "umol/L"), T),
    ("TD-R-11d", lab("CREAT", "221.1", "umol/L"), F),
    ("TD-R-11e", lab("BILI", "51.3", "umol/L"), T),
    ("TD-R-11e", lab("BILI", "51.31", "umol/L"), F),
    ("TD-R-11f", lab("ALB", "28", "g/L"), T),
    ("TD-R-11f", lab("ALB", "27.9", "g/L"), F),
    ("TD-R-11g", lab("INR", "1.5", "1"), T),
    ("TD-R-11g", lab("INR", "1.51", "1"), F),
    ("TD-R-12", {"RFICDAT": "2025-02", "REFDAT": "2025-02-24"}, U),
    ("TD-R-12", {"RFICDAT": "2025-01", "REFDAT": "2025-02-24"}, T),
]


@pytest.mark.parametrize(("criterion", "facts", "expected"), CASES)
def test_a_criterion_meets_its_boundaries(criterion: str, facts: dict[str, Any], expected: str) -> None:
    rule = compile_rule(RULES[criterion], SCHEMA, result="truth")
    outcome = rule.evaluate(facts)
    assert str(outcome.value) == expected
    assert str(rule.verdict(facts)) == expected


def test_every_rule_of_the_table_meets_a_case() -> None:
    assert {criterion for criterion, _, _ in CASES} == set(RULES)


@pytest.mark.parametrize(
    ("facts", "last_day"),
    [
        (born("1955-11-21"), "2025-11-20"),
        (born("1956-02-29"), "2026-02-27"),
        (born("1955-11-20"), "None"),
        (born("1955-12"), "2025-11-30"),
    ],
)
def test_the_age_criterion_holds_until_the_day_before_the_birthday(
    facts: dict[str, Any], last_day: str
) -> None:
    assert str(compile_rule(RULES["E1-7"], SCHEMA).evaluate(facts).valid_until) == last_day


def test_a_malignancy_stops_excluding_the_day_after_five_years() -> None:
    outcome = compile_rule(RULES["E1-6"], SCHEMA).evaluate(malignancy("2021-01-10"))
    assert str(outcome.valid_until) == "2026-01-10"
