"""The leaves of a rule: facts, fields of members, reference limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from logic.exact import to_decimal
from logic.quantity import Quantity, in_unit
from logic.reading import Found, Member, Values
from logic.trace import Trace
from logic.units import conversion_factor
from logic.validity import Watch


class Env:
    """What the closures of one evaluation share.

    Attributes
    ----------
    values : Values
        The facts.
    bound : list of Member
        The members that quantifiers are asking about, by depth.
    trail : list of Trace
        Where a traced part leaves its trace; there only while a rule is traced.
    watched : list of Watch
        Comparisons that may come out differently on another evaluation date; as ``trail``.
    """

    __slots__ = ("bound", "trail", "values", "watched")

    trail: list[Trace]
    watched: list[Watch]

    def __init__(self, values: Values, depth: int) -> None:
        self.values = values
        self.bound: list[Any] = [None] * depth


Closure = Callable[[Env], Any]


class FactPlace:
    """A declared fact of the document."""

    def __init__(self, name: str) -> None:
        self.name = name

    def fetch(self) -> Closure:
        """Reads its value."""
        name = self.name
        return lambda env: env.values[name]

    def limit(self, env: Env, limit: str) -> Found:
        """Its reference limit."""
        return env.values.limit(self.name, limit)

    def leaf(self, env: Env, text: str, found: Any) -> Trace:
        """The trace of its value."""
        values, name = env.values, self.name
        note = values.notes.get(name, "")
        return Trace(text, "fact", found, [], name, name, values.raw(name), None, None, None, note)


class FieldPlace:
    """A field of the member that a quantifier is asking about; the empty field of a scalar."""

    def __init__(self, slot: int, field: str, fact: str) -> None:
        self.slot = slot
        self.field = field
        self.fact = fact

    def fetch(self) -> Closure:
        """Reads its value."""
        slot, field = self.slot, self.field
        return lambda env: env.bound[slot].value(field)

    def limit(self, env: Env, limit: str) -> Found:
        """Its reference limit."""
        return env.bound[self.slot].limit(self.field, limit)  # type: ignore[no-any-return]  # a Member

    def leaf(self, env: Env, text: str, found: Any) -> Trace:
        """The trace of its value."""
        return leaf_of_member(env.bound[self.slot], self.field, self.fact, text, found)


def leaf_of_member(member: Member, field: str, fact: str, text: str, found: Any) -> Trace:
    """The trace of a field of a member of a list; ``fact`` is the list."""
    path, raw, note = member.path_of(field), member.raw(field), member.note(field)
    return Trace(text, "fact", found, [], fact, path, raw, None, None, None, note)


Place = FactPlace | FieldPlace


def converting(fetch: Closure, analyte: str | None, unit: str) -> Closure:
    """The number of a quantity in a unit."""

    def read(env: Env) -> Any:
        found = fetch(env)
        if found.__class__ is Quantity and found.unit == unit:
            return found.value
        return in_unit(found, analyte, unit)

    return read


def traced_leaf(place: Place, text: str, unit: str | None) -> Closure:
    """Reads a leaf and leaves its trace; with ``unit``, as :func:`converting` does."""
    fetch = place.fetch()

    def traced(env: Env) -> Any:
        found = fetch(env)
        leaf = place.leaf(env, text, found)
        if found.__class__ is Quantity:
            note_unit(leaf, found, unit)
        elif found.__class__ is tuple:
            leaf.raw = to_decimal(len(found))
        env.trail.append(leaf)
        return found if unit is None else leaf.result

    return traced


def note_unit(leaf: Trace, found: Quantity, unit: str | None) -> None:
    """Notes on a leaf the unit as reported and, if it was converted, the factor."""
    leaf.unit = found.unit
    if unit is None:
        return
    leaf.result = in_unit(found, found.analyte, unit)
    if found.unit != unit and found.analyte is not None:
        leaf.converted_unit = unit
        leaf.factor = conversion_factor(found.analyte, found.unit, unit)


def limit_leaf(place: Place, limit: str, text: str, traced: bool) -> Closure:
    """Reads the reference limit that was reported with a quantity."""
    if not traced:
        return lambda env: place.limit(env, limit)[0]

    def read(env: Env) -> Any:
        found, note = place.limit(env, limit)
        leaf = place.leaf(env, text, found)
        given = leaf.raw.get(limit) if isinstance(leaf.raw, Mapping) else None
        leaf.kind, leaf.path, leaf.raw, leaf.note = "limit", f"{leaf.path}.{limit}", given, note
        if found.__class__ is Quantity:
            leaf.unit = found.unit
        env.trail.append(leaf)
        return found

    return read
