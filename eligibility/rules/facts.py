"""The facts that an evaluation rests on: which they are, their digest, and what changed between two documents. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from casebook.rules.picture import ProtocolKey
from eligibility.rules.words import fact_in_words
from logic import compile_rule
from trials.schema import Protocol, digest_of
from trials.schema.facts import REGISTRY

REFDAT, DATES = "REFDAT", "DATES"
Document = Mapping[str, Any]


class _Absent:
    """A fact that is left out of a document: it does not apply, or there is none."""


ABSENT = _Absent()


@dataclass(frozen=True)
class FactsUsed:
    """What the criteria of a protocol read.

    Attributes
    ----------
    names
        Facts, by declared name, in the order of the pack.
    dated
        Those of them whose date counts, because a criterion looks back a limited time.
    registry
        Those that rooms above the casebook answer.
    """

    names: tuple[str, ...]
    dated: frozenset[str]
    registry: frozenset[str]


@dataclass(frozen=True)
class Change:
    """One fact that is no longer what it was; `fact` is empty where it is no fact (the protocol version)."""

    label: str
    before: str
    after: str
    fact: str = ""


def facts_used(protocol: Protocol) -> FactsUsed:
    """The facts that the criteria of a protocol read; worked out once for each content."""
    return _facts_used(ProtocolKey(protocol))


@lru_cache(maxsize=64)
def _facts_used(key: ProtocolKey) -> FactsUsed:
    protocol = key.protocol
    schema = protocol.fact_schema()
    texts = [text for each in protocol.criteria for text in (each.applies, each.rule) if text]
    read = {name for text in texts for name in compile_rule(text, schema).names}
    looked_back = [each.look_back.facts for each in protocol.criteria if each.look_back is not None]
    names = tuple(fact.name for fact in protocol.facts if fact.name in read)
    return FactsUsed(
        names=names,
        dated=frozenset(name for facts in looked_back for name in facts) & read,
        registry=frozenset(name for name in names if protocol.fact(name).from_ == REGISTRY),
    )


def snapshot(protocol: Protocol, document: Document) -> dict[str, Any]:
    """The part of a document that the criteria read: evaluating it gives the same outcomes as the whole."""
    used = facts_used(protocol)
    kept: dict[str, Any] = {}
    for name in used.names:
        value = fact_in(document, name)
        if not isinstance(value, _Absent):
            _put(kept, name, value)
    dates = {name: day for name, day in document.get(DATES, {}).items() if name in used.dated}
    return {**kept, DATES: dates} if dates else kept


def facts_digest(facts: Document) -> str:
    """Hexadecimal SHA-256 of the canonical JSON of a snapshot."""
    return digest_of(facts)


def fact_in(document: Document, name: str) -> Any:
    """A fact by its declared name (`LB.HGB` lies under `LB`); `ABSENT` where it is left out."""
    head, _, tail = name.partition(".")
    value = document.get(head, ABSENT)
    if not tail or isinstance(value, _Absent):
        return value
    return value.get(tail, ABSENT) if isinstance(value, Mapping) else ABSENT


def changes_between(protocol: Protocol, before: Document, after: Document) -> tuple[Change, ...]:
    """The facts of two snapshots that differ, with their values in words; the evaluation date is no change."""
    return tuple(_changes(protocol, before, after))


def _changes(protocol: Protocol, before: Document, after: Document) -> Iterator[Change]:
    used = facts_used(protocol)
    for name in used.names:
        if name == REFDAT:
            continue
        old, new = fact_in(before, name), fact_in(after, name)
        old_day, new_day = (document.get(DATES, {}).get(name, "") for document in (before, after))
        if old == new and (name not in used.dated or old_day == new_day):
            continue
        fact = protocol.fact(name)
        yield Change(
            label=fact.label or name,
            before=_words(protocol, name, old, old_day),
            after=_words(protocol, name, new, new_day),
            fact=name,
        )


def _words(protocol: Protocol, name: str, value: Any, day: str) -> str:
    fact = protocol.fact(name)
    if isinstance(value, _Absent):
        return "none" if fact.type == "list" else "does not apply"
    return fact_in_words(protocol, fact, value, day if name in facts_used(protocol).dated else "")


def _put(document: dict[str, Any], name: str, value: Any) -> None:
    head, _, tail = name.partition(".")
    if tail:
        document.setdefault(head, {})[tail] = value
    else:
        document[head] = value
