"""What a rule tells besides its answer: its trace, what is missing, how long it holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from logic import FactError, FactType, Interval, Schema, Truth, compile_rule, prepare
from logic.trace import Trace

YES_NO = FactType("code", codes=("Y", "N"), unknown_codes=("ND",))
SCHEMA = Schema(
    {
        "REFDAT": FactType("date"),
        "BRTHDAT": FactType("date"),
        "DAY": FactType("date"),
        "A": YES_NO,
        "B": YES_NO,
        "C": YES_NO,
        "NONE": FactType("number", absent="none"),
        "FLAG": FactType("boolean", absent="false"),
        "N": FactType("number"),
        "M": FactType("number"),
        "LIST": FactType("list", element=YES_NO, absent="none"),
        "LB.HGB": FactType("quantity", analyte="HGB"),
        "LB.BILI": FactType("quantity", analyte="BILI"),
        "HB": FactType("quantity", analyte="HGB", unit="g/dL"),
        "SIZES": FactType("list", element=FactType("quantity", analyte="LDIAM")),
        "ROWS": FactType(
            "list",
            fields={
                "CODE": YES_NO,
                "MM": FactType("number"),
                "SIZE": FactType("quantity", analyte="LDIAM"),
                "INNER": FactType("list", fields={"DAY": FactType("date")}),
            },
            absent="none",
        ),
    }
)
AS_OF = date(2025, 11, 20)
ROWS = [{"CODE": "Y", "MM": "3", "SIZE": {"value": "1.5", "unit": "cm"}}, {"CODE": "N", "MM": "9"}, None]


def ask(text: str, facts: dict[str, Any], **others: Any) -> Any:
    return compile_rule(text, SCHEMA).evaluate(facts, AS_OF, **others)


def value(text: str, **facts: Any) -> Any:
    return compile_rule(text, SCHEMA).value(facts, AS_OF)


# --- missing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "facts", "missing"),
    [
        ("A = 'Y' or B = 'Y'", {"A": None, "B": "Y"}, ()),
        ("A = 'Y' or B = 'Y'", {"A": None, "B": "N"}, ("A",)),
        ("A = 'Y' and (B = 'Y' or C = 'Y')", {"A": "Y", "C": "Y"}, ()),
        ("A = 'Y' and (B = 'Y' or C = 'Y')", {"A": None, "C": "Y"}, ("A",)),
        ("A = 'Y' and (B = 'Y' or C = 'Y')", {}, ("A", "B", "C")),
        ("A = 'Y' and B = 'Y'", {"A": "ND", "B": "N"}, ()),
        ("if(A = 'Y', B = 'Y', C = 'Y')", {"A": "Y"}, ("B",)),
        ("if(A = 'Y', B = 'Y', C = 'Y')", {"A": "N"}, ("C",)),
        ("if(A = 'Y', B = 'Y', C = 'Y')", {"B": "Y", "C": "Y"}, ()),
        ("finding(A = 'Y', B = 'Y', C = 'Y')", {"A": "Y"}, ("B",)),
        ("finding(A = 'Y', B = 'Y', C = 'Y')", {"A": "N"}, ("C",)),
        ("finding(A = 'Y', B = 'Y', C = 'Y')", {"A": "Y", "B": "N"}, ()),
        ("LB.BILI / uln(LB.BILI) < 1.5", {"LB": {"BILI": {"value": "3", "unit": "umol/L"}}}, ("LB.BILI",)),
        ("count(r in ROWS: r.CODE = 'Y') >= 2", {"ROWS": ROWS}, ("ROWS",)),
        ("count(r in ROWS: r.CODE = 'Y') >= 1", {"ROWS": ROWS}, ()),
        ("max(N, M) > 5", {"N": "9"}, ()),
        ("max(N, M) > 5", {"N": "3"}, ("M",)),
        ("NONE < 5", {}, ("NONE",)),
        ("'Y' in LIST", {"LIST": ["N", None]}, ("LIST",)),
        ("'Y' in LIST", {"LIST": ["Y", None]}, ()),
        ("known(A)", {}, ()),
    ],
)
def test_missing_is_what_could_still_change_the_answer(
    text: str, facts: dict[str, Any], missing: tuple[str, ...]
) -> None:
    assert ask(text, facts).missing == missing


def test_missing_places_are_named_in_the_document() -> None:
    rows = [{"CODE": "Y"}, {"CODE": None, "MM": "2"}, None]
    outcome = ask("every(r in ROWS: r.CODE = 'Y' or r.MM > 5)", {"ROWS": rows})
    assert outcome.missing == ("ROWS",)
    assert outcome.missing_paths == ("ROWS[1].CODE", "ROWS[2].CODE", "ROWS[2].MM")


# --- trace --------------------------------------------------------------------------------


def leaf(outcome: Any, path: str) -> Trace:
    return next(part for part in outcome.trace.leaves() if part.path == path)


def test_a_trace_tells_the_conversion() -> None:
    outcome = ask(
        "A = 'Y' or LB.HGB > 10 [g/dL]", {"A": "N", "LB": {"HGB": {"value": "6.3", "unit": "mmol/l"}}}
    )
    found = leaf(outcome, "LB.HGB")
    assert found.value == Decimal("10.15182")
    assert (found.unit, found.converted_unit, str(found.factor)) == ("mmol/L", "g/dL", "8057/5000")
    assert found.raw == {"value": "6.3", "unit": "mmol/l"}
    assert [part.text for part in outcome.trace.walk()] == [
        "A = 'Y' or LB.HGB > 10 [g/dL]",
        "A = 'Y'",
        "A",
        "LB.HGB > 10 [g/dL]",
        "LB.HGB",
    ]
    assert [str(part.value) for part in outcome.trace.walk()] == ["true", "false", "N", "true", "10.15182"]


def test_a_ratio_to_a_limit_is_in_the_reported_unit() -> None:
    outcome = ask(
        "LB.BILI / uln(LB.BILI) < 1.5", {"LB": {"BILI": {"value": "1.2", "unit": "mg/dL", "ULN": "1.0"}}}
    )
    assert leaf(outcome, "LB.BILI").value == Decimal("1.2")
    assert leaf(outcome, "LB.BILI").factor is None
    assert leaf(outcome, "LB.BILI.ULN").value == Decimal("1.0")
    assert outcome.trace.parts[0].value == Decimal("1.2")


@pytest.mark.parametrize(
    ("text", "facts", "note"),
    [
        ("A = 'Y'", {}, "not recorded"),
        ("A = 'Y'", {"A": None}, "missing"),
        ("A = 'Y'", {"A": "ND"}, "'ND' counts as unknown"),
        ("A = 'Y'", {"A": "X"}, "'X' is not one of the codes"),
        ("N > 1", {"N": "one"}, "not a number: 'one'"),
        ("N > 1", {"N": "<5"}, "known as a limit only"),
        ("DAY < REFDAT", {"DAY": "2025"}, "partial date"),
        ("DAY < REFDAT", {"DAY": "soon"}, "not a date: 'soon'"),
        ("LB.HGB > 1 [g/dL]", {"LB": {"HGB": {"value": "1", "unit": "mmHg"}}}, "HGB has no unit 'mmHg'"),
        ("LB.HGB > 1 [g/dL]", {"LB": {"HGB": {"value": "1"}}}, "no unit recorded"),
        ("FLAG", {}, "not recorded, which means false"),
    ],
)
def test_a_leaf_says_why_it_is_not_fully_known(text: str, facts: dict[str, Any], note: str) -> None:
    assert note in next(ask(text, facts).trace.leaves()).note


def test_a_member_that_does_not_belong_is_left_out() -> None:
    trace = ask("sum(r in ROWS where r.CODE = 'Y': r.MM) = 3", {"ROWS": ROWS[:2]}).trace
    assert [(part.text, part.value, part.note) for part in trace.walk() if part.kind == "member"] == [
        ("ROWS[0]", Decimal(3), ""),
        ("ROWS[1]", None, "left out"),
    ]


def test_a_trace_as_json() -> None:
    facts = {"LB": {"HGB": {"value": "101", "unit": "g/L"}}}
    assert ask("LB.HGB > 10 [g/dL]", facts).trace.as_dict() == {
        "text": "LB.HGB > 10 [g/dL]",
        "kind": "compare",
        "value": "true",
        "parts": [
            {
                "text": "LB.HGB",
                "kind": "fact",
                "value": "10.1",
                "fact": "LB.HGB",
                "path": "LB.HGB",
                "raw": {"value": "101", "unit": "g/L"},
                "unit": "g/L",
                "converted_unit": "g/dL",
                "factor": "0.1",
            }
        ],
    }


# --- values -------------------------------------------------------------------------------


def test_arithmetic_is_exact() -> None:
    assert value("N / (M / 100)^2", N="86.7", M="170") == 30
    assert value("N / 3 * 3", N="1") == 1
    assert value("0.1 + 0.2 = 0.3") is Truth.TRUE
    assert str(value("N / 3", N=1)) == "0.3333333333333333333333333333"
    assert value("N / (M - M)", N=1, M=2) is None


def test_the_body_surface_is_that_of_the_formula_that_is_named() -> None:
    assert value("body_surface(N, M, 'mosteller')", N="90", M="129.6") == Decimal("1.8")
    assert round(Decimal(value("body_surface(N, M, 'dubois')", N="168", M="71")), 4) == Decimal("1.8051")
    assert value("body_surface(N, M, 'somebody')", N="168", M="71") is None
    assert value("body_surface(N, M, 'mosteller')", N="0", M="71") is None
    assert value("body_surface(N, M, 'mosteller')", N="168") is None


def test_the_square_root_has_at_least_28_digits() -> None:
    root = value("sqrt(N * M / 3600)", N="168", M="71")
    assert abs(Fraction(root) ** 2 - Fraction(168 * 71, 3600)) < Fraction(1, 10**28)
    assert value("sqrt(N)", N="2.25") == Decimal("1.5")
    assert value("sqrt(N)", N="-1") is None


@pytest.mark.parametrize(
    ("number", "rounded"), [("2.5", "3"), ("-2.5", "-3"), ("2.4999", "2"), ("0.5", "1"), ("30", "30")]
)
def test_halves_are_rounded_away_from_zero(number: str, rounded: str) -> None:
    assert str(value("round(N, 0)", N=number)) == rounded


def test_a_value_that_is_known_in_part_is_no_value() -> None:
    assert value("max(N, M)", N="3") is None
    assert ask("max(N, M)", {"N": "3"}).trace.value == Interval(Decimal(3), None)
    assert value("DAY", DAY="2025-11") is None


def test_quantities_keep_their_units_through_arithmetic() -> None:
    assert value("HB + 1 [g/L] > 10 [g/dL]", HB="9.95") is Truth.TRUE
    assert value("HB + 1 [g/L] > 10 [g/dL]", HB="9.9") is Truth.FALSE
    sizes = [{"value": "1.5", "unit": "cm"}, {"value": "14", "unit": "mm"}]
    assert value("max(SIZES) <= 15 [mm]", SIZES=sizes) is Truth.TRUE
    assert value("LB.HGB / 1 [g/dL]", LB={"HGB": {"value": "101", "unit": "g/L"}}) == Decimal("10.1")
    assert value("-HB < 0 [g/dL] and abs(HB) in {9 [g/dL], 95 [g/L]}", HB="9.5") is Truth.TRUE
    assert value("max(r in ROWS where r.CODE = 'Y': r.SIZE) = 15 [mm]", ROWS=ROWS[:2]) is Truth.TRUE


def test_choices() -> None:
    assert value("if(A = 'Y', 1, 2)", A="Y") == 1
    assert value("if(A = 'Y', 1, 2)") is None
    assert value("if(A = 'Y', 1, 2) < 3") is Truth.TRUE
    assert value("if(A = 'Y', 'X', 'X')") == "X"
    assert value("coalesce(N, M, 0)", M="5") == 5
    assert value("coalesce(NONE, 7)") == 7
    assert value("known(DAY) and not known(NONE) and not known(A)", DAY="2025", A="ND") is Truth.TRUE
    assert value("attested(FLAG) = (A = 'Y')", FLAG=True, A="Y") is Truth.TRUE


def test_an_absent_fact_that_is_none_equals_nothing_and_has_no_order() -> None:
    assert value("NONE = 5") is Truth.FALSE
    assert value("NONE != 5 and NONE not in {1, 2}") is Truth.TRUE
    assert value("NONE < 5") is Truth.UNKNOWN
    assert value("NONE + 1") is None
    assert value("NONE = 5", NONE=None) is Truth.UNKNOWN


def test_lists_without_members() -> None:
    assert value("some(r in ROWS: true)") is Truth.FALSE
    assert value("every(r in ROWS: false) and count(r in ROWS: true) = 0 and size(ROWS) = 0") is Truth.TRUE
    assert value("sum(r in ROWS: r.MM)") == 0
    assert value("max(r in ROWS: r.MM)") is None
    assert value("some(r in ROWS: true)", ROWS=None) is Truth.UNKNOWN
    assert value("size(ROWS)", ROWS=None) is None


def test_the_one_member() -> None:
    assert value("the(r in ROWS where r.CODE = 'Y': r.MM)", ROWS=ROWS[:2]) == 3
    assert value("the(r in ROWS where r.CODE = 'Y': r.MM)", ROWS=[ROWS[0], ROWS[0]]) is None
    assert value("the(r in ROWS where r.CODE = 'Y': r.MM)", ROWS=ROWS) is None


def test_quantifiers_nest_through_lists_in_lists() -> None:
    rows = [{"INNER": [{"DAY": "2025-01-01"}, {"DAY": "2025-03"}]}, {"INNER": []}]
    rule = "count(r in ROWS: some(i in r.INNER: i.DAY > @2025-02-01)) = 1"
    assert value(rule, ROWS=rows) is Truth.TRUE
    outcome = ask("some(r in ROWS: some(i in r.INNER: i.DAY > @2025-03-15))", {"ROWS": rows})
    assert (outcome.missing, outcome.missing_paths) == (("ROWS",), ("ROWS[0].INNER[1].DAY",))


def test_a_float_is_refused() -> None:
    with pytest.raises(FactError, match=r"N: 1\.5 is a binary float"):
        value("N > 1", N=1.5)


def test_a_document_is_read_once_for_many_rules() -> None:
    facts = prepare(SCHEMA, {"N": "3"}, AS_OF)
    assert [compile_rule(text, SCHEMA).verdict(facts) for text in ("N = 3", "N > 3")] == [
        Truth.TRUE,
        Truth.FALSE,
    ]


# --- time ---------------------------------------------------------------------------------


def test_the_evaluation_date_is_what_the_caller_says_it_is() -> None:
    rule = compile_rule("REFDAT", SCHEMA)
    assert rule.value({"REFDAT": "2025-01-01"}) == date(2025, 1, 1)
    assert rule.value({"REFDAT": "2025-01-01"}, AS_OF) == AS_OF
    assert rule.value({}) is None


@pytest.mark.parametrize(
    ("text", "facts", "last_day"),
    [
        ("age(BRTHDAT, REFDAT) >= 70", {"BRTHDAT": "1960-03-01"}, "2030-02-28"),
        ("REFDAT < DAY", {"DAY": "2025-12-01"}, "2025-11-30"),
        ("REFDAT < DAY", {"DAY": "2026"}, "2025-12-31"),
        ("days(DAY, REFDAT) <= 42", {"DAY": "2025-11-01"}, "2025-12-13"),
        ("DAY >= add_years(REFDAT, -5)", {"DAY": "2024-02-29"}, "2029-02-28"),
        ("abs(days(DAY, REFDAT)) <= 7", {"DAY": "2026-01-01"}, "2025-12-24"),
        ("abs(days(DAY, REFDAT)) <= 7", {"DAY": "2025-11-20"}, "2025-11-27"),
        (
            "count(r in ROWS: some(i in r.INNER: i.DAY < REFDAT)) < 2",
            {"ROWS": [{"INNER": [{"DAY": "2025-12-24"}]}, {"INNER": [{"DAY": "2025-12-31"}]}]},
            "2025-12-31",
        ),
        ("REFDAT < DAY or A = 'Y'", {"DAY": "2025-12-01", "A": "Y"}, "None"),
        ("A = 'Y'", {"A": "Y"}, "None"),
        ("REFDAT > DAY", {"DAY": "2025-01-01"}, "None"),
        ("REFDAT = DAY", {"DAY": "2026-05-05"}, "2026-05-04"),
        ("REFDAT < DAY", {"DAY": None}, "None"),
        ("days(add_months(REFDAT, -1), REFDAT) = 31", {}, "2025-11-30"),
        ("add_days(REFDAT, 3) > REFDAT", {}, "2035-11-20"),
    ],
)
def test_how_long_an_answer_holds(text: str, facts: dict[str, Any], last_day: str) -> None:
    assert str(ask(text, facts).valid_until) == last_day


HGB = {"LB": {"HGB": {"value": "12", "unit": "g/dL"}}}


@pytest.mark.parametrize(
    ("dated", "expected", "last_day"),
    [
        ("2025-11-20", Truth.TRUE, "2025-12-04"),
        ("2025-11-06", Truth.TRUE, "2025-11-20"),
        ("2025-11-05", Truth.UNKNOWN, "None"),
        ("2025-11-21", Truth.UNKNOWN, "2025-11-20"),
        ("2025-11", Truth.UNKNOWN, "None"),
        (None, Truth.TRUE, "None"),
    ],
)
def test_a_fact_counts_within_its_look_back(dated: str | None, expected: Truth, last_day: str) -> None:
    outcome = ask("LB.HGB > 10 [g/dL]", HGB | {"DATES": {"LB.HGB": dated}}, look_back={"LB.HGB": 14})
    assert outcome.value is expected
    assert str(outcome.valid_until) == last_day


def test_a_fact_outside_its_look_back_says_so() -> None:
    facts = HGB | {"DATES": {"LB.HGB": "2025-11-05"}}
    outcome = ask("LB.HGB > 10 [g/dL]", facts, look_back={"LB.HGB": 14})
    assert outcome.missing == ("LB.HGB",)
    assert leaf(outcome, "LB.HGB").note == "dated 2025-11-05: older than 14 days on 2025-11-20"
    prepared = prepare(SCHEMA, facts, AS_OF)
    rule = compile_rule("LB.HGB > 10 [g/dL]", SCHEMA)
    assert rule.verdict(prepared, look_back={"LB.HGB": 14}) is Truth.UNKNOWN
    assert rule.verdict(prepared) is Truth.TRUE
