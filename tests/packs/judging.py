"""Evaluate a bundled protocol on a document of facts, the way the packs mean it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from logic import Rule, Truth, compile_rule
from tests.vectors import vectors
from trials.packs import bundled_protocol
from trials.schema import Criterion
from trials.schema.vocabulary import dose_facts

WORDS = {
    "inclusion": {Truth.TRUE: "MET", Truth.FALSE: "NOT MET"},
    "exclusion": {Truth.TRUE: "PRESENT", Truth.FALSE: "ABSENT"},
}
PASSED = {"MET", "ABSENT", "NA"}
FAILED = {"NOT MET", "PRESENT"}
AS_OF = date(2025, 11, 20)


@lru_cache(maxsize=512)
def rule(code: str, text: str) -> Rule:
    """A rule over the facts of a bundled protocol."""
    return compile_rule(text, bundled_protocol(code).fact_schema())


def judge(code: str, criterion: Criterion, facts: Mapping[str, Any]) -> str:
    """MET, NOT MET, PRESENT, ABSENT, NA or UNDETERMINED."""
    on = date.fromisoformat(facts["REFDAT"])
    looked = criterion.look_back
    look_back = dict.fromkeys(looked.facts, looked.days) if looked else None
    if criterion.applies:
        applies = rule(code, criterion.applies).verdict(facts, on)
        if applies is not Truth.TRUE:
            return "NA" if applies is Truth.FALSE else "UNDETERMINED"
    verdict = rule(code, criterion.rule).verdict(facts, on, look_back)
    return WORDS[criterion.kind].get(verdict, "UNDETERMINED")  # type: ignore[call-overload, no-any-return]


def outcomes(code: str, set_name: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Outcome of every criterion of a set."""
    return {each.id: judge(code, each, facts) for each in bundled_protocol(code).criteria_of(set_name)}


def verdict(found: Mapping[str, str]) -> str:
    """A set's verdict: what excludes weighs more than what is open."""
    if any(each in FAILED for each in found.values()):
        return "INELIGIBLE"
    return "ELIGIBLE" if all(each in PASSED for each in found.values()) else "UNDETERMINED"


def outcome(code: str, criterion_id: str, facts: Mapping[str, Any]) -> str:
    """Outcome of one criterion."""
    return judge(code, bundled_protocol(code).criterion(criterion_id), facts)


def patient(patient_id: str, **changes: Any) -> dict[str, Any]:
    """Facts of a worked patient, with changes; `LB.HGB` is spelt LB__HGB, and `...` leaves a key out."""
    rows = {row["id"]: row for row in vectors("patients")["rows"]}
    facts: dict[str, Any] = copy.deepcopy(rows[patient_id]["facts"])
    for name, value in changes.items():
        holder, key = facts, name
        if "__" in name:
            group, _, key = name.partition("__")
            holder = facts.setdefault(group, {})
        if value is ...:
            holder.pop(key, None)
        else:
            holder[key] = value
    return facts


def worked_out(code: str, form_code: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a form with its derived items, each after the derived items that it reads."""
    protocol = bundled_protocol(code)
    form = protocol.form(form_code)
    schema = form.rule_schema(protocol)
    document: dict[str, Any] = {"REFDAT": AS_OF.isoformat(), **dose_facts(protocol), **values}
    for item in form.items:
        if item.derive:
            value = compile_rule(item.derive, schema).value(document, AS_OF)
            document[item.id] = None if value is None else str(value)
    return document


def derived(code: str, form_code: str, item_id: str, values: Mapping[str, Any]) -> Any:
    """Value of a derived item as text; None where something that it needs is missing."""
    return worked_out(code, form_code, values)[item_id]


def check_fires(code: str, form_code: str, check_id: str, values: Mapping[str, Any]) -> bool:
    """Whether an edit check speaks up: its rule is false, not merely unknown."""
    protocol = bundled_protocol(code)
    form = protocol.form(form_code)
    check = next(each for each in form.checks if each.id == check_id)
    rule_ = compile_rule(check.rule, form.rule_schema(protocol))
    return rule_.verdict(worked_out(code, form_code, values), AS_OF) is Truth.FALSE


def timing(rule_id: str, facts: Mapping[str, Any]) -> str:
    """PASS, FAIL, UNKNOWN or NA for a timing rule of ThermoDox."""
    protocol = bundled_protocol("THERMODOX")
    found = next(each for each in protocol.timing if each.id == rule_id)
    schema = protocol.timing_schema(found.scope)
    settings = {each.name: each.value for each in protocol.settings}
    document = {**settings, **facts}
    if found.applies:
        applies = compile_rule(found.applies, schema).verdict(document, AS_OF)
        if applies is not Truth.TRUE:
            return "NA" if applies is Truth.FALSE else "UNKNOWN"
    value = compile_rule(found.rule, schema).verdict(document, AS_OF)
    return {Truth.TRUE: "PASS", Truth.FALSE: "FAIL"}.get(value, "UNKNOWN")  # type: ignore[call-overload, no-any-return]
