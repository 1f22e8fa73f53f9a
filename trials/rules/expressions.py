"""Does every rule text of a protocol compile against the names that it may use?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from logic import RuleError, Schema, compile_rule
from trials.rules.findings import Finding, Loc
from trials.schema import Form, Protocol, vocabulary
from trials.schema.facts import AS_OF, REGISTRY

P = TypeVar("P")
Namespace = Callable[[], Schema]
TRUTH = frozenset({"truth", "any"})
GIVES = {
    "number": frozenset({"number", "quantity", "any"}),
    "integer": frozenset({"number", "any"}),
    "date": frozenset({"date", "any"}),
    "code": frozenset({"text", "any"}),
    "text": frozenset({"text", "any"}),
}
ANYTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RuleText:
    """A rule of the pack, where it stands, and what it may name.

    Attributes
    ----------
    kinds : frozenset of str
        What it may yield: true or false for a criterion, else what the derived item says; empty for anything.
    defines : str
        The item or fact whose value or presence it decides, for the search of circles.
    own : str
        Code of the form whose items it may name without their form.
    """

    loc: Loc
    text: str
    schema: str
    kinds: frozenset[str] = TRUTH
    defines: str = ""
    own: str = ""


def rules(protocol: Protocol) -> Iterator[Finding]:
    """Yield every rule that does not compile, with the place in its text; then circles among rules."""
    schemas = _Schemas(protocol)
    needs: dict[str, set[str]] = {}
    places: dict[str, Loc] = {}
    used: dict[Loc, frozenset[str]] = {}
    for rule in rule_texts(protocol):
        schema = schemas.of(rule.schema)
        if schema is None:
            continue
        try:
            compiled = compile_rule(rule.text, schema)
        except RuleError as error:
            yield Finding(rule.loc, f"{rule.loc[-1]}: {error.message}", rule.text, error.offset)
            continue
        if rule.kinds and compiled.kind not in rule.kinds:
            yield Finding(rule.loc, f"{rule.loc[-1]}: {_clash(compiled.kind, rule.kinds)}")
        used[rule.loc] = compiled.names
        if rule.defines:
            needs.setdefault(rule.defines, set()).update(_full_names(compiled.names, rule.own))
            places.setdefault(rule.defines, rule.loc)
    yield from schemas.findings
    yield from _unused_look_backs(protocol, used)
    for circle in circles(needs):
        yield Finding(places[circle[0]], f"goes round in a circle: {' → '.join((*circle, circle[0]))}")


def rule_texts(protocol: Protocol) -> Iterator[RuleText]:
    """Yield every rule text of a protocol."""
    yield from _of_facts(protocol)
    for i, form in enumerate(protocol.forms):
        yield from _of_form(form, ("forms", i))
    for i, criterion in enumerate(protocol.criteria):
        yield RuleText(("criteria", i, "rule"), criterion.rule, "facts")
        if criterion.applies:
            yield RuleText(("criteria", i, "applies"), criterion.applies, "facts")
    for i, timing in enumerate(protocol.timing):
        schema = f"timing {timing.scope}"
        yield RuleText(("timing", i, "rule"), timing.rule, schema)
        if timing.applies:
            yield RuleText(("timing", i, "applies"), timing.applies, schema)
        if timing.measured:
            yield RuleText(("timing", i, "measured"), timing.measured, schema, kinds=ANYTHING)


def _of_facts(protocol: Protocol) -> Iterator[RuleText]:
    for i, fact in enumerate(protocol.facts):
        if fact.when:
            yield RuleText(("facts", i, "when"), fact.when, "facts", defines=fact.name)
        if fact.where and fact.from_ not in (AS_OF, REGISTRY):
            yield RuleText(("facts", i, "where"), fact.where, f"row {fact.from_.partition('.')[0]}")


def _of_form(form: Form, at: Loc) -> Iterator[RuleText]:
    schema = f"form {form.code}"
    if form.applies:
        yield RuleText((*at, "applies"), form.applies, schema)
    for g, group in enumerate(form.groups):
        for j, item in enumerate(group.items):
            name, here = f"{form.code}.{item.id}", (*at, "groups", g, "items", j)
            if group.show_if:
                place = (*at, "groups", g, "show_if")
                yield RuleText(place, group.show_if, schema, defines=name, own=form.code)
            if item.show_if:
                yield RuleText((*here, "show_if"), item.show_if, schema, defines=name, own=form.code)
            if item.derive:
                place, kinds = (*here, "derive"), GIVES[item.result]
                yield RuleText(place, item.derive, schema, kinds=kinds, defines=name, own=form.code)
    for j, check in enumerate(form.checks):
        yield RuleText((*at, "checks", j, "rule"), check.rule, schema)


class _Schemas:
    """Schemas by name, each built once; what a broken pack keeps from being built is a finding."""

    def __init__(self, protocol: Protocol) -> None:
        self.findings: list[Finding] = []
        self._known: dict[str, Schema | None] = {}
        self._builders: dict[str, tuple[Loc, Namespace]] = {
            "facts": (("facts",), lambda: vocabulary.fact_schema(protocol))
        }
        for i, form in enumerate(protocol.forms):
            self._builders[f"form {form.code}"] = (
                ("forms", i),
                _bound(vocabulary.form_schema, protocol, form),
            )
            self._builders[f"row {form.code}"] = (("forms", i), _bound(vocabulary.row_schema, protocol, form))
        for scope in vocabulary.TIMING_NAMES:
            self._builders[f"timing {scope}"] = (
                ("timing",),
                _bound(vocabulary.timing_schema, protocol, scope),
            )

    def of(self, name: str) -> Schema | None:
        """Return a schema; None where the pack is too broken, which other rules report."""
        if name not in self._known:
            self._known[name] = self._built(name)
        return self._known[name]

    def _built(self, name: str) -> Schema | None:
        if name not in self._builders:
            return None
        loc, build = self._builders[name]
        try:
            return build()
        except KeyError:  # names a codelist, form or item that is not there: reported as such
            return None
        except ValueError as error:
            self.findings.append(Finding(loc, str(error)))
            return None


def _bound(build: Callable[[Protocol, P], Schema], protocol: Protocol, part: P) -> Namespace:
    return lambda: build(protocol, part)


def _clash(kind: str, wanted: frozenset[str]) -> str:
    if wanted == TRUTH:
        return f"must be true or false, and is a {kind}"
    return f"must be a {' or '.join(sorted(wanted - {'any'}))}, and is a {kind}; see 'result'"


def _full_names(names: frozenset[str], own: str) -> set[str]:
    return {name if "." in name or not own else f"{own}.{name}" for name in names}


def _unused_look_backs(protocol: Protocol, used: Mapping[Loc, frozenset[str]]) -> Iterator[Finding]:
    declared = {fact.name for fact in protocol.facts}
    for i, criterion in enumerate(protocol.criteria):
        names = used.get(("criteria", i, "rule"))
        if criterion.look_back is None or names is None:
            continue
        names |= used.get(("criteria", i, "applies"), frozenset())
        for j, fact in enumerate(criterion.look_back.facts):
            if fact in declared and fact not in names:
                loc: Loc = ("criteria", i, "look_back", "facts", j)
                yield Finding(loc, f"the rule does not use '{fact}', so looking back at it decides nothing")


def circles(needs: Mapping[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Yield each circle of names that need each other, once, from its first name in order."""
    seen: set[frozenset[str]] = set()
    for start in sorted(needs):
        path = _way_back(needs, start)
        if path and frozenset(path) not in seen:
            seen.add(frozenset(path))
            yield path


def _way_back(needs: Mapping[str, set[str]], start: str) -> tuple[str, ...]:
    """Return the shortest way from a name back to itself; empty where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    reached: set[str] = set()
    while ways:
        way = ways.pop(0)
        for name in sorted(needs.get(way[-1], ())):
            if name == start:
                return way
            if name not in reached:
                reached.add(name)
                ways.append((*way, name))
    return ()
