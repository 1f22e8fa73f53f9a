"""Which forms a subject does not need, from what other forms say. Pure."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from casebook.rules.picture import Documents, ProtocolKey
from logic import Rule, Truth, compile_rule
from trials.schema import Protocol


def forms_left_out(protocol: Protocol, latest: Documents, as_of: date) -> frozenset[str]:
    """Codes of the forms whose rule says that they do not apply; a form of which that is unknown is expected.

    Parameters
    ----------
    latest
        What the subject's forms say (`projection.latest_values`).
    """
    document = {**latest, "REFDAT": as_of.isoformat()}
    return frozenset(
        code for code, rule in _rules(ProtocolKey(protocol)) if rule.verdict(document, as_of) is Truth.FALSE
    )


def forms_asked(protocol: Protocol) -> frozenset[str]:
    """Codes of the forms that say which other forms apply."""
    return _forms_asked(ProtocolKey(protocol))


@lru_cache(maxsize=64)
def _forms_asked(key: ProtocolKey) -> frozenset[str]:
    return frozenset(name.partition(".")[0] for _, rule in _rules(key) for name in rule.names if "." in name)


@lru_cache(maxsize=64)
def _rules(key: ProtocolKey) -> tuple[tuple[str, Rule], ...]:
    return tuple(
        (form.code, compile_rule(form.applies, form.rule_schema(key.protocol)))
        for form in key.protocol.forms
        if form.applies
    )
