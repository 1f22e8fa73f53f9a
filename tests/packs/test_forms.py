"""What forms work out, show and question."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from casebook.rules.cells import CellFault, Typed, read_cell
from casebook.rules.picture import FormRules, rules_of
from logic import Truth, compile_rule
from tests.packs.judging import AS_OF, check_fires, derived
from tests.vectors import vectors
from treatment.rules.dose import plan_dose
from treatment.rules.parameters import dose_parameters
from trials.packs import bundled_protocol
from trials.schema.treatment import DoseNumber

T, E = "THERMODOX", "EXCALIBUR"


def q(value: str, unit: str, upper: str | None = None) -> dict[str, str]:
    return {"value": value, "unit": unit, **({"ULN": upper} if upper else {})}


def hundredths(value: Any) -> Decimal:
    return Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize(
    "row", [row for row in vectors("patients")["rows"] if row["bmi"]], ids=lambda r: str(r["id"])
)
def test_body_mass_index_and_age_of_the_worked_patients(row: dict[str, Any]) -> None:
    facts = row["facts"]
    values = {"HEIGHT": q(str(facts["HEIGHT_CM"]), "cm"), "WEIGHT": q(str(facts["WEIGHT_KG"]), "kg")}
    assert hundredths(derived(E, "VS", "BMI", values)) == Decimal(row["bmi"])
    schema = bundled_protocol(E).form("DM").rule_schema(bundled_protocol(E))
    age = compile_rule("age(BRTHDAT, REFDAT)", schema).value({**facts, "REFDAT": facts["REFDAT"]})
    assert age == row["age"]


def test_body_mass_index_is_exact() -> None:
    assert derived(E, "VS", "BMI", {"HEIGHT": q("170", "cm"), "WEIGHT": q("86.7", "kg")}) == "30"


def test_units_of_height_and_weight_do_not_change_the_result() -> None:
    metric = derived(E, "VS", "BMI", {"HEIGHT": q("177.8", "cm"), "WEIGHT": q("45.359237", "kg")})
    assert derived(E, "VS", "BMI", {"HEIGHT": q("70", "in"), "WEIGHT": q("100", "lb")}) == metric


@pytest.mark.parametrize(
    "row",
    [row for row in vectors("bsa")["rows"] if row["formula"] == "mosteller"],
    ids=lambda row: f"{row['height_cm']} cm, {row['weight_kg']} kg",
)
def test_body_surface_and_planned_dose(row: dict[str, Any]) -> None:
    values = {"HEIGHT": q(row["height_cm"], "cm"), "WEIGHT": q(row["weight_kg"], "kg")}
    surface = Decimal(derived(T, "VS", "BSA", values))
    assert derived(E, "VS", "BSA", values) == derived(T, "EX", "BSA", {"VS": values}) == str(surface)
    assert surface.quantize(Decimal("0.0001"), ROUND_HALF_UP) == Decimal(row["bsa_m2"])
    assert hundredths(derived(T, "EX", "EXDOSPLN", {"VS": values})) == Decimal(row["dose_mg"])


@pytest.mark.parametrize(
    "row", vectors("bsa")["rows"], ids=lambda row: f"{row['height_cm']}/{row['formula']}"
)
def test_the_form_and_the_treatment_page_plan_the_same_dose_by_the_formula_that_is_set(
    row: dict[str, Any],
) -> None:
    protocol = bundled_protocol(T)
    assert protocol.dose is not None
    cap = DoseNumber.model_validate({**protocol.dose.bsa_cap.model_dump(), "value": "1.9"})
    for ceiling in (protocol.dose.bsa_cap, cap):
        formula = protocol.dose.formula.model_copy(update={"value": row["formula"]})
        dose = protocol.dose.model_copy(update={"formula": formula, "bsa_cap": ceiling})
        changed = protocol.model_copy(update={"dose": dose})
        body = {"HEIGHT": q(row["height_cm"], "cm"), "WEIGHT": q(row["weight_kg"], "kg")}
        cells = FormRules(changed, changed.form("EX")).derived({}, {"VS": body}, AS_OF)
        planned = plan_dose(Decimal(row["height_cm"]), Decimal(row["weight_kg"]), dose_parameters(dose))
        assert cells["BSAFORM"]["value"] == row["formula"]
        assert hundredths(cells["BSA"]["value"]) == hundredths(planned.bsa_m2)
        assert hundredths(cells["EXDOSPLN"]["value"]) == hundredths(planned.dose_exact_mg)


def test_the_infusion_says_the_formula_that_the_dose_is_calculated_with() -> None:
    dose = bundled_protocol(T).dose
    assert dose is not None
    assert derived(T, "EX", "BSAFORM", {}) == dose.formula.value


def test_without_a_weight_there_is_no_dose() -> None:
    assert derived(T, "EX", "EXDOSPLN", {"VS": {"HEIGHT": q("168", "cm"), "WEIGHT": None}}) is None


NO_SIGNS = {"ASCITES": "NONE", "ENCEPH": "NONE"}
CHILD_PUGH = [
    ("33.9", "35.1", "1.6", "NONE", "NONE", "5", "A"),
    ("34", "35.1", "1.6", "NONE", "NONE", "6", "A"),
    ("51", "35", "1.6", "NONE", "NONE", "7", "B"),
    ("51.1", "28", "1.7", "NONE", "NONE", "9", "B"),
    ("51.1", "27.9", "2.3", "NONE", "NONE", "10", "C"),
    ("51.1", "27.9", "2.4", "MODERATE", "GRADE 3-4", "15", "C"),
    ("10", "40", "1.0", "SLIGHT", "GRADE 1-2", "7", "B"),
]


@pytest.mark.parametrize(("bili", "alb", "inr", "ascites", "enceph", "score", "grade"), CHILD_PUGH)
def test_child_pugh(bili: str, alb: str, inr: str, ascites: str, enceph: str, score: str, grade: str) -> None:
    lab = {"BILI": q(bili, "umol/L"), "ALB": q(alb, "g/L"), "INR": q(inr, "1")}
    values = {"ASCITES": ascites, "ENCEPH": enceph, "LB": lab}
    assert derived(T, "CP", "CPSCORE", values) == score
    assert derived(T, "CP", "CPCLASS", values) == grade


def test_child_pugh_with_a_missing_component_is_unknown() -> None:
    lab = {"BILI": q("10", "umol/L"), "ALB": q("40", "g/L"), "INR": None}
    assert derived(T, "CP", "CPSCORE", {**NO_SIGNS, "LB": lab}) is None
    assert derived(T, "CP", "CPCLASS", {**NO_SIGNS, "LB": lab}) is None


@pytest.mark.parametrize(
    ("ct", "mr", "us", "expected"),
    [
        ("N", "ND", "ND", "N"),
        ("N", "Y", "ND", "Y"),
        ("ND", "ND", "Y", "Y"),
        ("ND", "ND", "ND", "ND"),
        ("N", None, "ND", None),
        ("Y", None, None, "Y"),
    ],
)
def test_ingrowth_into_the_diaphragm_is_seen_on_any_modality(
    ct: str | None, mr: str | None, us: str | None, expected: str | None
) -> None:
    assert derived(E, "STG", "DIAPH", {"DIAPHCT": ct, "DIAPHMR": mr, "DIAPHUS": us}) == expected


def test_age_on_the_day_of_the_visit() -> None:
    assert derived(E, "DM", "AGE", {"BRTHDAT": "1955-11-21"}) == "69"
    assert derived(E, "DM", "AGE", {"BRTHDAT": "1955-11-20"}) == "70"


BODY = {"VS": {"HEIGHT": q("168", "cm"), "WEIGHT": q("71", "kg")}}
"""A planned dose of 91 mg."""
CONSENTED = {"DS_IC": {"DSSTDAT": "2025-02-17"}}
CHECKS = [
    (T, "EX", "EX-CONS-01", {"EXSTDAT": "2025-02-16", **CONSENTED}, True),
    (T, "EX", "EX-CONS-01", {"EXSTDAT": "2025-02-17", **CONSENTED}, False),
    (
        T,
        "EX",
        "EX-DOSE-01",
        {"EXDOSE": "95", "VS": {"HEIGHT": q("168", "cm"), "WEIGHT": q("71", "kg")}},
        False,
    ),
    (
        T,
        "EX",
        "EX-DOSE-01",
        {"EXDOSE": "96", "VS": {"HEIGHT": q("168", "cm"), "WEIGHT": q("71", "kg")}},
        True,
    ),
    (T, "EX", "EX-END-01", {"EXSTDAT": "2025-03-04", "EXENDAT": "2025-03-03"}, True),
    (T, "CV", "CV-EVT-01", {"CARDEVT": "MI", "CARDEVDAT": "2025-05-20"}, False),
    (T, "CV", "CV-EVT-01", {"CARDEVT": "MI", "CARDEVDAT": "2025-05-19"}, True),
    (T, "CV", "CV-EVT-01", {"CARDEVT": "MI", "CARDEVDAT": "2025-05"}, False),
    (T, "CV", "CV-EVT-01", {"CARDEVT": "ARRHYTHMIA", "CARDEVDAT": "2019"}, False),
    (T, "PTS", "PTS-POS-01", {"PREGSER": "POS"}, True),
    (T, "PTS", "PTS-POS-01", {"PREGSER": "INDET"}, False),
    (T, "TU", "TU-PLAN-01", {"PLANPROC": "0"}, True),
    (T, "TU", "TU-PLAN-01", {"PLANPROC": "2"}, False),
    (T, "RS", "RS-ECOG-01", {"ECOG": "5"}, True),
    (T, "VS", "VS-BP-01", {"SYSBP": "80", "DIABP": "120"}, True),
    (T, "VS", "VS-HGT-01", {"HEIGHT": q("67", "in")}, False),
    (T, "VS", "VS-HGT-01", {"HEIGHT": q("120", "cm")}, True),
    (T, "AE", "AE-END-01", {"AESTDAT": "2025-03-04", "AEENDAT": "2025-02"}, True),
    (T, "AE", "AE-END-01", {"AESTDAT": "2025-03-04", "AEENDAT": "2025-03"}, False),
    (T, "AE", "AE-GR-02", {"AETOXGR": "4", "AESER": "N"}, True),
    (T, "AE", "AE-GR-02", {"AETOXGR": "3", "AESER": "N"}, False),
    (T, "SAE", "SAE-REP-01", {"AWAREDAT": "2025-03-04", "REPDAT": "2025-03-05"}, False),
    (T, "SAE", "SAE-REP-01", {"AWAREDAT": "2025-03-04", "REPDAT": "2025-03-06"}, True),
    (T, "SS", "SS-ALV-02", {"LSTALVDT": "2025-03-04", "DD": {"DTHDAT": "2025-03-03"}}, True),
    (T, "SS", "SS-ALV-02", {"LSTALVDT": "2025-03-04"}, False),
    (T, "PRO", "PRO-END-01", {"PRSTDAT": "2025-03-04", "PRENDAT": "2025-03-03"}, True),
    (T, "PRO", "PRO-END-01", {"PRSTDAT": "2025-03-04", "PRENDAT": "2025-03-04"}, False),
    (E, "PRO", "PRO-END-01", {"PRSTDAT": "2025-03-04", "PRENDAT": "2025-03"}, False),
    (E, "PRO", "PRO-END-01", {"PRSTDAT": "2025-03-04"}, False),
    (E, "PRO", "PRO-BRTH-01", {"PRSTDAT": "1066", "DM": {"BRTHDAT": "1966-05"}}, True),
    (E, "PRO", "PRO-BRTH-01", {"PRSTDAT": "1966", "DM": {"BRTHDAT": "1966-05"}}, False),
    (T, "CH", "CH-EH-01", {"EHENDDAT": "1066", "DM": {"BRTHDAT": "1966-05"}}, True),
    (T, "CH", "CH-EH-01", {"EHENDDAT": "2022", "DM": {"BRTHDAT": "1966-05"}}, False),
    (E, "WL", "WL-DEL-01", {"LISTDAT": "2025-03-04", "DELISTDAT": "2025-03-03"}, True),
    (E, "WL", "WL-DEL-01", {"LISTDAT": "2025-03-04", "DELISTDAT": "2025-03-04"}, False),
    (E, "WL", "WL-DEL-01", {"LISTDAT": "2025-03-04"}, False),
    (E, "LTX", "LTX-DAT-01", {"PRSTDAT": "2025-03-03", "WL": {"LISTDAT": "2025-03-04"}}, True),
    (E, "LTX", "LTX-DAT-01", {"PRSTDAT": "2025-03-04", "WL": {"LISTDAT": "2025-03-04"}}, False),
    (T, "GF", "GF-RAS-01", {"RASRES": "WT", "KRASRES": "G12"}, True),
    (E, "GF", "GF-RAS-01", {"RASRES": "WT", "NRASRES": "WT"}, False),
    (E, "GF", "GF-RAS-01", {"RASRES": "KRAS AND NRAS", "KRASRES": "G12", "NRASRES": "VARIANT"}, False),
    (T, "EX", "EX-ADJ-01", {"EXADJYN": "N", "EXDOSE": "101", **BODY}, True),
    (T, "EX", "EX-ADJ-01", {"EXADJYN": "N", "EXDOSE": "100", **BODY}, False),
    (T, "EX", "EX-ADJ-01", {"EXADJYN": "Y", "EXDOSE": "101", **BODY}, False),
    (E, "LB", "LB-HGB-01", {"HGB": q("124", "g/L")}, False),
    (E, "LB", "LB-HGB-01", {"HGB": q("124", "g/dL")}, True),
    (E, "LB", "LB-BILI-ULN", {"BILI": q("11", "umol/L")}, True),
    (E, "LB", "LB-BILI-ULN", {"BILI": q("11", "umol/L", "25")}, False),
    (E, "LB", "LB-BILI-ULN", {"BILI": None}, False),
    (E, "LB", "LB-NEUT-02", {"NEUT": q("5", "10^9/L"), "WBC": q("4900", "/uL")}, True),
    (T, "LB", "LB-NEUT-02", {"NEUT": q("1.04", "10^9/L"), "WBC": q("1.0", "10^9/L")}, False),  # rounded
    (T, "LB", "LB-NEUT-02", {"NEUT": q("1.06", "10^9/L"), "WBC": q("1.0", "10^9/L")}, True),
    (E, "LB", "LB-NEUT-03", {"GCSFDAT": "2025-09-01", "LBDAT": "2025-09-15"}, True),
    (E, "LB", "LB-NEUT-03", {"GCSFDAT": "2025-08-31", "LBDAT": "2025-09-15"}, False),
    (E, "LB", "LB-NEUT-03", {"LBDAT": "2025-09-15"}, False),
    (E, "STG", "STG-CT-01", {"CTDAT": "2025-05-02", "MDT": {"MDTDAT": "2025-06-13"}}, False),
    (E, "STG", "STG-CT-01", {"CTDAT": "2025-05-01", "MDT": {"MDTDAT": "2025-06-13"}}, True),
    (E, "STG", "STG-CT-01", {"CTDAT": "2025-05-01"}, False),
    (E, "CHS", "CHS-PLAN-01", {"PLAN2L": "N", "L2START": "Y"}, True),
    (E, "HAI", "HAI-PERF-01", {"PRSTDAT": "2025-10-01", "PERFDAT": "2025-10-04"}, False),
    (E, "HAI", "HAI-PERF-01", {"PRSTDAT": "2025-10-01", "PERFDAT": "2025-10-07"}, True),
    (E, "MHC", "MHC-LAT-01", {"MHSTDAT": "2018-05", "MALIGLATDAT": "2018"}, False),
    (E, "MHC", "MHC-LAT-01", {"MHSTDAT": "2018-05", "MALIGLATDAT": "2017"}, True),
]


@pytest.mark.parametrize(("code", "form", "check", "values", "fires"), CHECKS)
def test_a_check_fires_on_what_is_wrong_and_is_silent_on_what_is_missing(
    code: str, form: str, check: str, values: dict[str, Any], fires: bool
) -> None:
    assert check_fires(code, form, check, values) is fires


BEVA = {"BEVA": "Y", "CMSTDAT": "2025-02-01", "CMONGO": "Y"}
ENDED = {"CMONGO": "N", "CMENDAT": "2025-02-28"}
LISTED = {"LISTDAT": "2025-03-04"}


@pytest.mark.parametrize(
    ("line", "list_", "fires"),
    [
        (BEVA, LISTED, True),
        ({**BEVA, "BEVA": "N"}, LISTED, False),
        (BEVA, {}, False),
        ({**BEVA, **ENDED}, LISTED, False),
        ({**BEVA, **ENDED, "CMENDAT": "2025-03-05"}, LISTED, True),
        ({**BEVA, **ENDED, "CMENDAT": "2025-03"}, LISTED, False),
        ({**BEVA, "CMSTDAT": "2025-04-01"}, LISTED, True),
        ({**BEVA, "CMSTDAT": "2025-06-01"}, {**LISTED, "PRSTDAT": "2025-05-01"}, False),
        ({**BEVA, "CMSTDAT": "2025-06-01"}, {**LISTED, "DELISTDAT": "2025-05-01"}, False),
        ({**BEVA, "CMSTDAT": "2025-04-30"}, {**LISTED, "PRSTDAT": "2025-05-01"}, True),
    ],
)
def test_no_bevacizumab_while_waiting_for_a_transplant(
    line: dict[str, Any], list_: dict[str, Any], fires: bool
) -> None:
    others = {
        "WL": {key: value for key, value in list_.items() if key != "PRSTDAT"},
        "LTX": {key: value for key, value in list_.items() if key == "PRSTDAT"},
    }
    assert check_fires(E, "CMA", "CMA-BEVA-01", {**line, **others}) is fires


TARGET_NODE = {"TULOC": "LYMPH NODE", "TUORRES": "TARGET"}
TARGET_LIVER = {"TULOC": "LIVER", "TUORRES": "TARGET"}
MEASURABLE = [
    ("TU-DIAM-01", {**TARGET_LIVER, "LDIAM": q("10", "mm")}, False),
    ("TU-DIAM-01", {**TARGET_LIVER, "LDIAM": q("9.9", "mm")}, True),
    ("TU-DIAM-01", {**TARGET_LIVER, "LDIAM": q("0.9", "cm")}, True),
    ("TU-DIAM-01", {**TARGET_LIVER, "TUORRES": "NON-TARGET", "LDIAM": q("9.9", "mm")}, False),
    ("TU-NODE-01", {**TARGET_NODE, "SAXIS": q("15", "mm")}, False),
    ("TU-NODE-01", {**TARGET_NODE, "SAXIS": q("14.9", "mm")}, True),
    ("TU-NODE-01", {**TARGET_NODE, "SAXIS": q("14", "mm")}, True),
    ("TU-NODE-01", {**TARGET_NODE, "SAXIS": q("1.5", "cm")}, False),
    ("TU-NODE-01", {**TARGET_NODE, "TUORRES": "NON-TARGET", "SAXIS": q("14", "mm")}, False),
    ("TU-NODE-01", TARGET_NODE, False),
    ("TU-NODE-02", {**TARGET_NODE, "TUORRES": "NON-TARGET", "SAXIS": q("10", "mm")}, False),
    ("TU-NODE-02", {**TARGET_NODE, "TUORRES": "NON-TARGET", "SAXIS": q("9.9", "mm")}, True),
]


@pytest.mark.parametrize("code", [T, E])
@pytest.mark.parametrize(("check", "values", "fires"), MEASURABLE)
def test_a_target_is_large_enough_to_be_measured_again(
    code: str, check: str, values: dict[str, Any], fires: bool
) -> None:
    """RECIST 1.1, as the readers of the images are held to it: 10 mm, and 15 mm short axis of a lymph node."""
    assert check_fires(code, "TU", check, values) is fires


@pytest.mark.parametrize(
    ("code", "place", "asked"),
    [
        (T, "LIVER", {"TUSEG", "LDIAM", "DIAPH"}),
        (T, "LYMPH NODE", {"TULAT", "SAXIS"}),
        (E, "LIVER", {"TUSEG", "LDIAM"}),
        (E, "LYMPH NODE", {"TULAT", "SAXIS"}),
        (E, "LUNG", {"TULAT", "LDIAM"}),
        (E, "ADRENAL GLAND", {"TULAT", "LDIAM"}),
        (E, "KIDNEY", {"TULAT", "LDIAM"}),
        (E, "PERITONEUM", {"LDIAM"}),
        (E, None, set()),
    ],
)
def test_of_a_lesion_the_diameter_that_counts_is_asked(code: str, place: str | None, asked: set[str]) -> None:
    protocol = bundled_protocol(code)
    values = {"TULOC": {"value": place}} if place else {}
    picture = rules_of(protocol, "TU").picture(values, {}, AS_OF)
    of_place = {"TUSEG", "TULAT", "LDIAM", "SAXIS", "DIAPH"}
    assert picture.shown & of_place == asked
    assert set(picture.unanswered) & of_place == asked & {"TUSEG", "LDIAM", "SAXIS"}


def test_a_longest_diameter_of_a_lymph_node_is_not_lost_from_sight() -> None:
    """A row that was entered before its place was corrected to a lymph node."""
    values = {"TULOC": {"value": "LYMPH NODE"}, "LDIAM": q("24", "mm")}
    picture = rules_of(bundled_protocol(E), "TU").picture(values, {}, AS_OF)
    assert [each.item for each in picture.findings] == ["LDIAM"]
    assert not picture.can_be_completed


@pytest.mark.parametrize(("answer", "expected"), [("Y", "N"), ("N", "Y"), (None, None)])
def test_resectable_is_the_opposite_of_unresectable(answer: str | None, expected: str | None) -> None:
    assert derived(T, "TU", "RESECT", {"UNRESECT": answer}) == expected


@pytest.mark.parametrize("code", [T, E])
def test_no_check_speaks_up_about_an_empty_form(code: str) -> None:
    protocol = bundled_protocol(code)
    for form in protocol.forms:
        schema = form.rule_schema(protocol)
        empty = {"REFDAT": AS_OF.isoformat(), **{item.id: None for item in form.items}}
        for check in form.checks:
            assert compile_rule(check.rule, schema).verdict(empty, AS_OF) is not Truth.FALSE, check.id


@pytest.mark.parametrize(
    ("form", "item", "others", "shown"),
    [
        ("RP", "CHILDPOT", {"DM": {"SEX": "F"}}, True),
        ("RP", "CHILDPOT", {"DM": {"SEX": "M"}}, False),
        ("RP", "MALEREL", {"DM": {"SEX": "M"}}, True),
        ("PT", "LBDAT", {"RP": {"CHILDPOT": "N"}}, False),
        ("EH", "EHLOC", {"CH": {"EHHIST": "Y"}}, True),
        ("LL", "LUNGDIAM", {"STG": {"LUNGYN": "N"}}, False),
    ],
)
def test_only_what_applies_is_asked(form: str, item: str, others: dict[str, Any], shown: bool) -> None:
    protocol = bundled_protocol(E)
    found = protocol.form(form)
    group = next(each for each in found.groups if item in {one.id for one in each.items})
    verdict = compile_rule(group.show_if, found.rule_schema(protocol)).verdict(others, AS_OF)
    assert (verdict is Truth.TRUE) is shown


@pytest.mark.parametrize(("trial", "form"), [(T, "EX"), (T, "PR"), (T, "CM_PRE"), (E, "HAI"), (E, "LTX")])
def test_what_was_done_before_consent_can_be_entered_as_the_deviation_that_it_is(
    trial: str, form: str
) -> None:
    check = next(each for each in bundled_protocol(trial).form(form).checks if each.id == f"{form}-CONS-01")
    assert check.kind == "soft"
    assert "report a deviation" in check.message


@pytest.mark.parametrize("trial", [T, E])
@pytest.mark.parametrize(
    ("form", "item", "typed", "kept"),
    [
        ("TU", "TULNKID", "T01", "T01"),
        ("TU", "TULNKID", "nt03", "NT03"),
        ("TU", "TULNKID", "T1", None),
        ("TU", "TULNKID", "T01 Hansen, Kari", None),
        ("TR", "TRLNKID", "N01", "N01"),
        ("TR", "TRLNKID", "segment 7", None),
    ],
)
def test_a_lesion_has_a_short_name_that_says_nothing_of_the_patient(
    trial: str, form: str, item: str, typed: str, kept: str | None
) -> None:
    """The central reader sees it."""
    asked = bundled_protocol(trial).form(form).item(item)
    if kept is None:
        with pytest.raises(CellFault, match=r"not written as it is asked for\. .*T01"):
            read_cell(asked, None, Typed(typed), AS_OF)
    else:
        assert read_cell(asked, None, Typed(typed), AS_OF) == {"value": kept}


def test_a_dose_that_differs_by_more_than_ten_percent_needs_its_reason_before_the_form_is_complete() -> None:
    check = next(each for each in bundled_protocol(T).form("EX").checks if each.id == "EX-ADJ-01")
    assert check.kind == "hard"


@pytest.mark.parametrize("trial", [T, E])
@pytest.mark.parametrize(("codelist", "plain"), [("TNMT", {"T4"}), ("TNMN", {"N1", "N2"}), ("TNMM", {"M1"})])
def test_a_category_that_was_not_subdivided_can_be_recorded(
    trial: str, codelist: str, plain: set[str]
) -> None:
    assert plain <= set(bundled_protocol(trial).codelist(codelist).labels)


def test_a_patient_is_listed_before_the_operation_and_apart_from_it() -> None:
    protocol = bundled_protocol(E)
    assert "WL" in protocol.logs
    assert "LISTDAT" not in protocol.form("LTX").items_by_id
