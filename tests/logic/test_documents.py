"""Schemas and documents of facts: what is in order and what is a fault."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from logic import FactType, Schema

SCHEMA = Schema(
    {
        "REFDAT": FactType("date"),
        "T0": FactType("datetime"),
        "ECOG": FactType("integer"),
        "KG": FactType("number"),
        "FLAG": FactType("boolean"),
        "NAME": FactType("text"),
        "SEX": FactType("code", codes=("M", "F"), unknown_codes=("ND",)),
        "LB.HGB": FactType("quantity", analyte="HGB"),
        "HB": FactType("quantity", analyte="HGB", unit="g/dL"),
        "FINDINGS": FactType("record", fields={"PERIT": FactType("code", codes=("Y", "N"))}),
        "ROWS": FactType("list", fields={"MM": FactType("number"), "DAY": FactType("date")}),
        "NUMS": FactType("list", element=FactType("integer")),
    }
)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        dict.fromkeys(["REFDAT", "ECOG", "SEX", "LB", "FINDINGS", "ROWS"]),
        {
            "REFDAT": "2025-11",
            "T0": "2025-03-04T08:30+01:00",
            "ECOG": 1,
            "KG": "71.50",
            "FLAG": False,
            "NAME": "x",
        },
        {"REFDAT": date(2025, 11, 20), "T0": "2025-03-04", "ECOG": "2", "KG": Decimal(3), "SEX": "ND"},
        {"LB": {"HGB": {"value": "12", "unit": "g/dl", "ULN": "17", "LLN": None}}, "HB": "12.1", "KG": "<5"},
        {"ROWS": [{"MM": 3, "DAY": "2025"}, None, {}], "NUMS": [1, None], "FINDINGS": {"PERIT": "Y"}},
        {"DATES": {"LB.HGB": "2025-11-20", "ECOG": None}},
    ],
)
def test_a_document_in_order(facts: dict[str, Any]) -> None:
    assert SCHEMA.check_document(facts) == []


@pytest.mark.parametrize(
    ("facts", "path", "message"),
    [
        ({"ECGO": 1}, "ECGO", "there is no such fact; did you mean ECOG?"),
        ({"LB": {"HBG": None}}, "LB.HBG", "did you mean HGB?"),
        ({"LB": 3}, "LB", "expected an object with HGB"),
        ({"ECOG": 1.0}, "ECOG", "binary float"),
        ({"ECOG": "1.5"}, "ECOG", "not a whole number"),
        ({"ECOG": True}, "ECOG", "not a number"),
        ({"KG": "12,5"}, "KG", "not a number: '12,5'"),
        ({"KG": "NaN"}, "KG", "not a number"),
        ({"KG": Decimal("NaN")}, "KG", "not a number"),
        ({"FLAG": "Y"}, "FLAG", "neither true nor false"),
        ({"NAME": 3}, "NAME", "not a text"),
        ({"SEX": "female"}, "SEX", "'female' is not one of the codes"),
        ({"SEX": "f"}, "SEX", "did you mean F?"),
        ({"SEX": 1}, "SEX", "not a code"),
        ({"REFDAT": "20.11.2025"}, "REFDAT", "not a date"),
        ({"REFDAT": "2025-02-30"}, "REFDAT", "not a date"),
        ({"REFDAT": 2025}, "REFDAT", "not a date"),
        ({"T0": "08:30"}, "T0", "not a date and time"),
        ({"LB": {"HGB": "12"}}, "LB.HGB", "needs its unit"),
        ({"LB": {"HGB": {"value": 12.1}}}, "LB.HGB.value", "binary float"),
        ({"LB": {"HGB": {"unit": "mmHg"}}}, "LB.HGB.unit", "HGB has no unit 'mmHg'"),
        ({"LB": {"HGB": {"uln": "3"}}}, "LB.HGB.uln", "did you mean ULN?"),
        ({"LB": {"HGB": {"ULN": "high"}}}, "LB.HGB.ULN", "not a number"),
        ({"ROWS": {"MM": 3}}, "ROWS", "not a list"),
        ({"ROWS": [3]}, "ROWS[0]", "expected an object with MM, DAY"),
        ({"ROWS": [{}, {"MN": 3}]}, "ROWS[1].MN", "there is no such fact"),
        ({"ROWS": [{"DAY": "x"}]}, "ROWS[0].DAY", "not a date"),
        ({"NUMS": [1, "two"]}, "NUMS[1]", "not a number"),
        ({"DATES": {"LB.HBG": "2025-11-20"}}, "DATES.LB.HBG", "did you mean LB.HGB?"),
        ({"DATES": {"ECOG": "yesterday"}}, "DATES.ECOG", "not a date"),
        ({"DATES": []}, "DATES", "expected an object"),
    ],
)
def test_a_fault_is_named_with_its_place(facts: dict[str, Any], path: str, message: str) -> None:
    faults = SCHEMA.check_document(facts)
    assert [fault.path for fault in faults] == [path]
    assert message in faults[0].message


def test_all_faults_are_named() -> None:
    assert len(SCHEMA.check_document({"ECOG": "x", "KG": "y", "Z": 1})) == 3
    assert SCHEMA.check_document([])[0].message == "the facts must be one object of names and values"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "colour"}, "is not a kind"),
        ({"kind": "quantity"}, "needs an analyte"),
        ({"kind": "quantity", "analyte": "HBG"}, "did you mean HGB"),
        ({"kind": "quantity", "analyte": "HGB", "unit": "mmHg"}, "has no unit"),
        ({"kind": "number", "unit": "furlong"}, "is not known"),
        ({"kind": "record"}, "needs fields"),
        ({"kind": "list"}, "either fields"),
        ({"kind": "list", "element": FactType("date"), "absent": "N"}, "unknown or none"),
        ({"kind": "code", "codes": ("Y",), "absent": "N"}, "not one of the codes"),
    ],
)
def test_a_fact_type_that_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FactType(**settings)


def test_a_name_cannot_be_a_fact_and_hold_facts() -> None:
    with pytest.raises(ValueError, match="LB is a fact and cannot hold"):
        Schema({"LB": FactType("date"), "LB.HGB": FactType("date")})
