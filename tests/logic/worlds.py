"""Random rules and random documents over one small schema, for the properties of the language."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from logic import FactType, Schema

YES_NO = FactType("code", codes=("Y", "N"), unknown_codes=("ND",))
NUMBER = FactType("number")
DAY = FactType("date")
SCHEMA = Schema(
    {
        "REFDAT": DAY,
        "A": YES_NO,
        "B": YES_NO,
        "FLAG": FactType("boolean"),
        "N": FactType("integer"),
        "X": NUMBER,
        "LB.HGB": FactType("quantity", analyte="HGB"),
        "LB.BILI": FactType("quantity", analyte="BILI"),
        "D1": DAY,
        "D2": DAY,
        "T1": FactType("datetime"),
        "T2": FactType("datetime"),
        "ROWS": FactType("list", fields={"CODE": YES_NO, "DAY": DAY, "MM": NUMBER}),
        "NUMS": FactType("list", element=NUMBER),
    }
)
FIRST_DAY = date(2023, 12, 1)
SMALL = st.integers(-3, 40)
DAYS = st.integers(0, 500).map(lambda count: FIRST_DAY + timedelta(days=count))
MOMENTS = st.builds(
    lambda day, minute, zone: f"{day.isoformat()}T{minute // 60:02}:{minute % 60:02}{zone}",
    DAYS,
    st.integers(0, 1439),
    st.sampled_from(["+01:00", "+02:00", "Z"]),
)
TENTHS = st.integers(-30, 400).map(lambda count: f"{count / 10:.1f}")


def measured(units: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    positive = st.integers(1, 400).map(lambda count: f"{count / 10:.1f}")
    return st.fixed_dictionaries(
        {"value": positive, "unit": st.sampled_from(units), "ULN": positive, "LLN": positive}
    )


ROW = st.fixed_dictionaries({"CODE": st.sampled_from("YN"), "DAY": DAYS.map(str), "MM": TENTHS})
FULL_DOCUMENTS = st.fixed_dictionaries(
    {
        "A": st.sampled_from("YN"),
        "B": st.sampled_from("YN"),
        "FLAG": st.booleans(),
        "N": SMALL,
        "X": TENTHS,
        "LB": st.fixed_dictionaries(
            {"HGB": measured(["g/dL", "g/L", "mmol/L"]), "BILI": measured(["umol/L", "mg/dL"])}
        ),
        "D1": DAYS.map(str),
        "D2": DAYS.map(str),
        "T1": MOMENTS,
        "T2": MOMENTS,
        "ROWS": st.lists(ROW, min_size=1, max_size=3),
        "NUMS": st.lists(TENTHS, min_size=1, max_size=3),
    }
)


# --- less data ----------------------------------------------------------------------------


@st.composite
def documents_and_less(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A full document, the same with less known, and that with less known again."""
    full = draw(FULL_DOCUMENTS)
    less = blurred(draw, full)
    return full, less, blurred(draw, less)


def blurred(draw: st.DrawFn, facts: dict[str, Any]) -> dict[str, Any]:
    """The same document with some values missing or known in part only."""
    return {name: _blurred_value(draw, name, value) for name, value in copy.deepcopy(facts).items()}


def _blurred_value(draw: st.DrawFn, name: str, value: Any) -> Any:
    if value is None or draw(st.integers(0, 3)) == 0:
        return None
    if name == "LB":
        return {key: _blurred_quantity(draw, item) for key, item in value.items()}
    if name == "ROWS":
        return [_blurred_row(draw, row) for row in value]
    if name == "NUMS":
        return [_blurred_value(draw, "", item) for item in value]
    if name in {"D1", "D2", "DAY", "T1", "T2"}:
        return _shortened(draw, value)
    return "ND" if name in {"A", "B"} and draw(st.booleans()) and draw(st.booleans()) else value


def _shortened(draw: st.DrawFn, day: str) -> str:
    lengths = {len(day) > 16: len(day)}.values()
    return day[
        : draw(st.sampled_from([len(day), *[size for size in (10, 7, 4) if size < len(day)], *lengths]))
    ]


def _blurred_quantity(draw: st.DrawFn, value: dict[str, Any] | None) -> dict[str, Any] | None:
    if value is None or draw(st.integers(0, 3)) == 0:
        return None
    missing = draw(st.sampled_from(["value", "unit", "ULN", "LLN", "", "", ""]))
    return {key: None if key == missing else part for key, part in value.items()}


def _blurred_row(draw: st.DrawFn, row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None or draw(st.integers(0, 4)) == 0:
        return None
    return {key: _blurred_value(draw, key, part) for key, part in row.items()}


# --- rules --------------------------------------------------------------------------------

SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
EQUALITY = st.sampled_from(["=", "!="])


def rules(*, decisive: bool) -> st.SearchStrategy[str]:
    """Texts of rules that are true or false; ``decisive`` ones are decided by a full document."""
    return st.recursive(_atoms("", decisive), lambda inner: _combined(inner, decisive), max_leaves=8)


def _combined(inner: st.SearchStrategy[str], decisive: bool) -> st.SearchStrategy[str]:
    quantified = st.builds(
        "{}(e in ROWS{}: {})".format,
        st.sampled_from(["some", "every"]),
        st.one_of(st.just(""), _atoms("e", decisive).map(" where {}".format)),
        st.one_of(
            _atoms("e", decisive),
            st.builds("({} or {})".format, _atoms("e", decisive), _atoms("e", decisive)),
            st.builds("({} and some(g in ROWS: {}))".format, _atoms("e", decisive), _atoms("g", decisive)),
        ),
    )
    counted = st.builds(
        "count(e in ROWS: {}) {} {}".format, _atoms("e", decisive), SIGNS, st.integers(0, 3).map(str)
    )
    choices = [
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not {}".format, inner.map("({})".format)),
        st.builds("if({}, {}, {})".format, inner, inner, inner),
        st.builds("(({}) = ({}))".format, inner, inner),
        quantified,
        counted,
    ]
    if not decisive:
        choices.append(st.builds("finding({}, {}, {})".format, inner, inner, inner))
    return st.one_of(choices)


def _atoms(variable: str, decisive: bool) -> st.SearchStrategy[str]:
    codes = st.sampled_from(["A", "B", *([f"{variable}.CODE"] if variable else [])])
    numbers, days = _numbers(variable, decisive), _days(variable)
    return st.one_of(
        st.builds("{} {} '{}'".format, codes, EQUALITY, st.sampled_from("YN")),
        st.builds("{} in {{'Y'}}".format, codes),
        st.builds("attested({})".format, st.sampled_from(["A", "FLAG"])),
        st.builds("({} {} {})".format, numbers, SIGNS, numbers),
        st.builds("{} in {{0, 1, 5}}".format, numbers),
        st.builds("{} in NUMS".format, numbers),
        st.builds("({} {} {})".format, days, SIGNS, days),
        st.builds("T1 {} T2".format, SIGNS),
        st.builds("{} {} {}".format, st.sampled_from(["T1", "T2"]), SIGNS, days)
        if not decisive
        else st.nothing(),
        st.builds("LB.HGB {} {} [{}]".format, SIGNS, st.integers(5, 15), st.sampled_from(["g/dL", "mmol/L"])),
        st.builds("LB.BILI {} 1.5 * uln(LB.BILI)".format, SIGNS),
        st.builds("LB.BILI / uln(LB.BILI) {} 1.5".format, SIGNS),
        st.builds("LB.HGB {} lln(LB.HGB)".format, SIGNS),
    )


def _numbers(variable: str, decisive: bool) -> st.SearchStrategy[str]:
    days = _days(variable)
    leaves = st.one_of(
        st.sampled_from(["N", "X", "0", "2", "12.5", *([f"{variable}.MM"] if variable else [])]),
        st.builds("days({}, {})".format, days, days),
        st.builds("age({}, {})".format, days, days),
        st.sampled_from(["hours(T1, T2)", "minutes(T2, T1)", "max(NUMS)", "min(NUMS)", "sum(NUMS)"]),
        st.sampled_from(["max(f in ROWS: f.MM)", "sum(f in ROWS where f.CODE = 'Y': f.MM)", "size(ROWS)"]),
        st.just("X") if decisive else st.sampled_from(["sqrt(X)", "max(f in ROWS where f.CODE = 'Y': f.MM)"]),
    )
    operators = st.sampled_from(["+", "-", "*"] if decisive else ["+", "-", "*", "/"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, operators, inner),
            st.builds("abs({})".format, inner),
            st.builds("-{}".format, inner.map("({})".format)),
            st.builds("round({}, 0)".format, inner),
            st.builds("({})^2".format, inner),
            st.builds("max({}, {})".format, inner, inner),
            st.builds("if(A = 'Y', {}, {})".format, inner, inner),
        ),
        max_leaves=3,
    )


def _days(variable: str) -> st.SearchStrategy[str]:
    leaves = st.one_of(
        st.sampled_from(["D1", "D2", "REFDAT", *([f"{variable}.DAY"] if variable else [])]),
        DAYS.map("@{}".format),
        st.just("latest(f in ROWS: f.DAY)"),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("add_days({}, {})".format, inner, st.integers(-60, 60)),
            st.builds("add_months({}, {})".format, inner, st.integers(-13, 13)),
            st.builds("add_years({}, {})".format, inner, st.integers(-1, 1)),
            st.builds("earliest({}, {})".format, inner, inner),
            st.builds("if(B = 'N', {}, {})".format, inner, inner),
        ),
        max_leaves=2,
    )
