"""Properties that hold for every rule and every document."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logic import RuleError, Truth, compile_rule, format_rule, parse, syntax
from tests.logic.worlds import DAYS, FULL_DOCUMENTS, SCHEMA, documents_and_less, rules

TRUTHS = st.sampled_from(list(Truth))
ORDER = {Truth.FALSE: 0, Truth.UNKNOWN: 1, Truth.TRUE: 2}
MANY = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
AS_OF = date(2024, 6, 15)


# --- Kleene -------------------------------------------------------------------------------


@given(TRUTHS, TRUTHS, TRUTHS)
def test_the_laws_of_strong_kleene_logic_hold(a: Truth, b: Truth, c: Truth) -> None:
    assert ORDER[a & b] == min(ORDER[a], ORDER[b])
    assert ORDER[a | b] == max(ORDER[a], ORDER[b])
    assert ~(a & b) is (~a | ~b)
    assert ~~a is a
    assert a & (b | c) is (a & b) | (a & c)
    assert a | (a & b) is a
    assert (a & b) & c is a & (b & c)
    assert a & b is b & a


def test_a_truth_value_refuses_to_be_a_python_boolean() -> None:
    with pytest.raises(TypeError, match="may be unknown"):
        bool(Truth.UNKNOWN)


# --- more data ----------------------------------------------------------------------------


@MANY
@given(rules(decisive=False), documents_and_less())
def test_more_data_never_turns_a_decided_answer_back(text: str, documents: tuple[Any, Any, Any]) -> None:
    rule = compile_rule(text, SCHEMA)
    full, less, least = (rule.verdict(document, AS_OF) for document in documents)
    assert least in {Truth.UNKNOWN, less}
    assert less in {Truth.UNKNOWN, full}


@MANY
@given(rules(decisive=True), FULL_DOCUMENTS)
def test_a_full_document_always_decides(text: str, facts: dict[str, Any]) -> None:
    assert compile_rule(text, SCHEMA).verdict(facts, AS_OF) is not Truth.UNKNOWN


@MANY
@given(rules(decisive=False), documents_and_less())
def test_what_is_not_missing_cannot_change_the_answer(text: str, documents: tuple[Any, Any, Any]) -> None:
    rule = compile_rule(text, SCHEMA)
    full, less, _ = documents
    outcome = rule.evaluate(less, AS_OF)
    filled = {name: _filled(name, value, full, outcome.missing) for name, value in less.items()}
    assert rule.verdict(filled, AS_OF) is outcome.value
    assert outcome.value is Truth.UNKNOWN or not outcome.missing


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("N = if(B = 'N', 1, X)", ("X",)),
        ("N = if(B = 'Y', X, 1)", ("X",)),
        ("N = if(B = 'Y', 1, X)", ()),
        ("if(B = 'N', @2023-12-01, D1) = @2023-12-01", ("D1",)),
        ("days(REFDAT, if(B = 'N', @2023-12-01, D1)) = 3", ("D1",)),
    ],
)
def test_the_branch_that_counts_is_asked_for_though_the_other_is_written_out(
    text: str, missing: tuple[str, ...]
) -> None:
    facts = {"B": "Y", "N": 0, "X": None, "D1": None}
    assert compile_rule(text, SCHEMA).evaluate(facts, AS_OF).missing == missing


def _filled(name: str, value: Any, full: dict[str, Any], missing: tuple[str, ...]) -> Any:
    if name == "LB":
        parts = value or {"HGB": None, "BILI": None}
        return {key: parts[key] if f"LB.{key}" in missing else full["LB"][key] for key in parts}
    return value if name in missing else full[name]


@settings(parent=MANY, max_examples=60)
@given(rules(decisive=False), documents_and_less())
def test_the_traced_answer_is_the_quick_answer(text: str, documents: tuple[Any, Any, Any]) -> None:
    rule = compile_rule(text, SCHEMA)
    for document in documents:
        outcome = rule.evaluate(document, AS_OF)
        assert outcome.value is rule.verdict(document, AS_OF)
        assert outcome.trace.result is outcome.value


# --- time ---------------------------------------------------------------------------------

BACK = {"D1": 40, "A": 10, "ROWS": 200}


@settings(parent=MANY, max_examples=150)
@given(rules(decisive=False), documents_and_less(), DAYS, st.booleans(), st.tuples(DAYS, DAYS, DAYS))
def test_valid_until_is_the_last_day_before_the_answer_changes(
    text: str, documents: tuple[Any, Any, Any], as_of: date, limited: bool, dated: tuple[date, date, date]
) -> None:
    rule = compile_rule(text, SCHEMA)
    look_back = BACK if limited else None
    facts = documents[1] | {"DATES": dict(zip(BACK, map(str, dated), strict=True))}
    outcome = rule.evaluate(facts, as_of, look_back)
    ahead = [as_of + timedelta(days=count) for count in range(1, 800)]
    changed = next((day for day in ahead if rule.verdict(facts, day, look_back) is not outcome.value), None)
    if changed is not None:
        assert outcome.valid_until == changed - timedelta(days=1)
    else:
        assert outcome.valid_until is None or outcome.valid_until >= ahead[-1]


@MANY
@given(
    st.sampled_from(["age(D1, REFDAT)", "days(D1, REFDAT)", "if(REFDAT < D1, 1, 2)", "days(REFDAT, D2) / 7"]),
    FULL_DOCUMENTS,
    DAYS,
)
def test_a_value_is_valid_until_it_changes(text: str, facts: dict[str, Any], as_of: date) -> None:
    rule = compile_rule(text, SCHEMA)
    outcome = rule.evaluate(facts, as_of)
    ahead = [as_of + timedelta(days=count) for count in range(1, 800)]
    changed = next((day for day in ahead if rule.value(facts, day) != outcome.value), None)
    assert outcome.valid_until == (None if changed is None else changed - timedelta(days=1))


# --- text ---------------------------------------------------------------------------------


def shape(node: Any) -> Any:
    """A tree without its offsets."""
    if isinstance(node, syntax.Node):
        fields = [name for name in node.__class__.__dataclass_fields__ if name not in {"start", "end"}]
        return node.__class__.__name__, tuple(shape(getattr(node, name)) for name in fields)
    return tuple(map(shape, node)) if isinstance(node, tuple) else node


@MANY
@given(rules(decisive=False))
def test_formatting_keeps_the_meaning_and_is_stable(text: str) -> None:
    tree = parse(text)
    formatted = format_rule(tree)
    assert shape(parse(formatted)) == shape(tree)
    assert format_rule(parse(formatted)) == formatted


def refusal(text: str) -> RuleError | None:
    try:
        compile_rule(text, SCHEMA)
    except RuleError as error:
        return error
    return None


SOUP = st.one_of(st.text(max_size=40), st.text("ABdays()[]{}<>=+-*/^'@0123456789.,: andornotin", max_size=40))


@settings(parent=MANY, max_examples=400)
@given(SOUP)
def test_any_text_is_a_rule_or_is_refused_at_a_place_in_it(text: str) -> None:
    error = refusal(text)
    assert error is None or (0 <= error.offset <= len(text) and error.message)


@MANY
@given(rules(decisive=False), st.data())
def test_a_damaged_rule_is_another_rule_or_is_refused_at_a_place_in_it(
    text: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + text[place + 1 :]
    error = refusal(damaged)
    assert error is None or 0 <= error.offset <= len(damaged)


@MANY
@given(FULL_DOCUMENTS)
def test_a_trace_is_plain_json(facts: dict[str, Any]) -> None:
    rule = compile_rule("some(e in ROWS: e.MM > 3 and LB.HGB > 10 [g/dL]) or max(NUMS) / 3 > 1", SCHEMA)
    assert json.loads(json.dumps(rule.evaluate(facts, AS_OF).trace.as_dict()))["value"] in {"true", "false"}
