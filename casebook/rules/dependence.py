"""Which forms show something that follows from the values of other forms, or of other rows. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from casebook.rules.grading import BEGINNINGS, gradings_of
from casebook.rules.picture import ProtocolKey, rules_of
from trials.schema import Form, Protocol


@dataclass(frozen=True)
class _Followers:
    """Forms by what they follow.

    Attributes
    ----------
    of
        By item (`LB.BILI`) or repeating form (`TU`).
    days
        By the form whose day moves: which of its values is the latest depends on it.
    graded
        Forms with values that are graded, and forms of events that are graded by those values.
    """

    of: dict[str, frozenset[str]]
    days: dict[str, frozenset[str]]
    graded: frozenset[str]


def forms_that_follow(protocol: Protocol, form: str, items: Collection[str], visit: str) -> set[str]:
    """Codes of forms whose calculated values or suggested grades may change with these items of a form.

    The form itself is among them where its other rows, or the same form at other visits, may change.

    Parameters
    ----------
    visit
        Code of the visit of the changed form, empty for running logs: what happens with the beginning of treatment
        decides which values are those before it.
    """
    known = _followers(ProtocolKey(protocol))
    found = set(known.of.get(form, ()))
    for item in items:
        found |= known.of.get(f"{form}.{item}", frozenset())
    changed = protocol.form(form)
    if changed.date_item and changed.date_item in items:
        found |= known.days.get(form, frozenset())
    kinds = {each.code: each.kind for each in protocol.visits}
    if kinds.get(visit) in BEGINNINGS:
        found |= known.graded
    return found


@lru_cache(maxsize=32)
def _followers(key: ProtocolKey) -> _Followers:
    protocol = key.protocol
    graded = graded_items(protocol)
    events = frozenset(form.code for form in protocol.forms if form.graded)
    of: dict[str, set[str]] = defaultdict(set)
    days: dict[str, set[str]] = defaultdict(set)
    for form in protocol.forms:
        for name in _names_read(protocol, form):
            of[name].add(form.code)
            days[name.partition(".")[0]].add(form.code)
    for code, items in graded.items():
        following = events | {code}  # a value before treatment is the baseline of those after it
        days[code] |= following
        for item in items:
            of[f"{code}.{item}"] |= following
    return _Followers(_frozen(of), _frozen(days), events.union(graded) if graded else frozenset())


def _names_read(protocol: Protocol, form: Form) -> set[str]:
    """Items of forms, and repeating forms, that the calculated items of a form read."""
    codes = {each.code for each in protocol.forms}
    read = {name for names in rules_of(protocol, form.code).reads.values() for name in names}
    return {name for name in read if name.partition(".")[0] in codes}


def graded_items(protocol: Protocol) -> dict[str, set[str]]:
    """Items that have a grading, by form."""
    found: dict[str, set[str]] = defaultdict(set)
    for form in protocol.forms:
        for item in form.items:
            if gradings_of(protocol, form.code, item):
                found[form.code].add(item.id)
    return dict(found)


def _frozen(found: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(codes) for name, codes in found.items()}
