"""The public face: a rule compiled once and asked about many documents of facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, NoReturn

from logic.checker import Checked, check
from logic.errors import RuleError
from logic.evaluator import compiled, depth_of
from logic.facttypes import DATES, REFDAT, FactType
from logic.interval import high_of, is_blank, low_of
from logic.leaves import Closure, Env
from logic.parser import parse
from logic.printer import format_rule
from logic.reading import Values, evaluation_date, read
from logic.schema import Schema
from logic.trace import Answer, Trace, answer_of, open_questions
from logic.truth import UNKNOWN
from logic.validity import STEPWISE, Watch, drift_of, last_day_the_same

A_DATE = FactType("date")
LookBack = Mapping[str, int]
"""How many days before the evaluation date a fact may be dated, by fact name."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says of one document of facts.

    Attributes
    ----------
    value : Truth, Decimal, date, str or None
        The answer. A rule that is true or false gives a Truth; any other gives its value,
        None if that is not fully known.
    trace : Trace
        How it came about.
    missing : tuple of str
        Declared facts whose being known could still change the answer; () if none could.
    missing_paths : tuple of str
        The same as places in the document, such as ``EH_EPISODES[0].EHENDDAT``.
    valid_until : date or None
        The last date on which the same facts give the same answer if only the evaluation
        date moves on; None if they do for 150 years. (Ten years at most if a comparison
        moves on both sides.)
    """

    value: Answer
    trace: Trace
    missing: tuple[str, ...]
    missing_paths: tuple[str, ...]
    valid_until: date | None


class Rule:
    """A rule that was parsed, checked and compiled. Make one with :func:`compile_rule`.

    Attributes
    ----------
    text : str
        As the author wrote it.
    names : frozenset of str
        The facts it uses.
    kind : str
        What it gives: truth, number, quantity, date, datetime or text.
    plain : callable
        The closure without a trace, for an environment of the evaluator.
    """

    def __init__(self, text: str, schema: Schema, checked: Checked) -> None:
        self.text = text
        self.schema = schema
        self.names = frozenset(checked.names)
        self.kind = checked.types[checked.tree].kind
        self._is_truth = self.kind in {"truth", "any"}
        self._checked = checked
        self._depth = depth_of(checked.tree)
        self.plain = compiled(checked, text, traced=False)

    def __repr__(self) -> str:
        return f"Rule({self.text!r})"

    @cached_property
    def formatted(self) -> str:
        """The rule in its one normal spelling."""
        return format_rule(self._checked.tree)

    @cached_property
    def _traced(self) -> Closure:
        return compiled(self._checked, self.text, traced=True)

    @cached_property
    def _drift(self) -> Any:
        return drift_of(self._checked.tree)

    # --- asking ---------------------------------------------------------------------------

    def verdict(
        self,
        facts: Mapping[str, Any] | Values,
        as_of: date | None = None,
        look_back: LookBack | None = None,
    ) -> Answer:
        """The answer alone, as quickly as it can be had. See :meth:`evaluate`."""
        if as_of is None and look_back is None and facts.__class__ is Values:
            values = facts
        else:
            values = self._values(facts, as_of, look_back)
        result = self.plain(Env(values, self._depth))
        return result if self._is_truth else answer_of(result, is_truth=False)

    def value(self, facts: Mapping[str, Any] | Values, as_of: date | None = None) -> Answer:
        """The value of a derived item: None if it is not fully known."""
        return self.verdict(facts, as_of)

    def evaluate(
        self,
        facts: Mapping[str, Any] | Values,
        as_of: date | None = None,
        look_back: LookBack | None = None,
    ) -> Outcome:
        """The answer with its trace, what is missing, and how long it holds.

        Parameters
        ----------
        facts : mapping or Values
            The document. ``prepare(schema, facts, as_of)`` reads it once for many rules.
        as_of : date, optional
            The evaluation date: the value of REFDAT, whatever the document says. Without
            it the document's REFDAT counts.
        look_back : mapping of str to int, optional
            Facts that count only if they are dated at most so many days before ``as_of``
            and not after it. Their dates stand in the document under DATES, by fact name;
            a fact without a date there counts.

        Raises
        ------
        FactError
            A number is given as a float.
        """
        values = self._values(facts, as_of, look_back)
        env, result = self.traced_on(values)
        trace = env.trail[0] if env.trail else Trace(self.text, "literal", result)
        questions = list(open_questions(trace))
        return Outcome(
            answer_of(result, self._is_truth),
            trace,
            tuple(dict.fromkeys(leaf.fact for leaf in questions)),
            tuple(dict.fromkeys(leaf.path for leaf in questions)),
            self._valid_until(env, result, look_back),
        )

    def _values(
        self, facts: Mapping[str, Any] | Values, as_of: date | None, look_back: LookBack | None
    ) -> Values:
        values = facts if isinstance(facts, Values) else Values(self.schema, facts)
        changed = as_of is not None and values.get(REFDAT) != as_of
        if not look_back:
            return values.replaced(as_of, {}) if changed else values
        if changed:
            values = values.replaced(as_of, {})
        stale = out_of_look_back(values, evaluation_date(values), self._used(look_back))
        return values.replaced(None, stale) if stale else values

    def _used(self, look_back: LookBack | None) -> LookBack:
        return {name: days for name, days in (look_back or {}).items() if name in self.names}

    # --- time -----------------------------------------------------------------------------

    def _valid_until(self, env: Env, result: Any, look_back: LookBack | None) -> date | None:
        as_of = evaluation_date(env.values)
        used = self._used(look_back)
        if as_of is None or not (used or self.watched(env)):
            return None
        timeline = _Timeline(self, env, as_of, used)
        return last_day_the_same(as_of, result, timeline, look_back_breaks(timeline.fresh, used))

    def watched(self, env: Env) -> list[Watch]:
        """The comparisons of a traced evaluation, and the value, that move with REFDAT."""
        if self._is_truth or self._drift in STEPWISE:
            return env.watched
        return [*env.watched, Watch(self.plain, self._drift, tuple(env.bound))]

    def traced_on(self, values: Values) -> tuple[Env, Any]:
        """Evaluates with a trace: what was left in the environment, and the result.

        Which comparisons are watched depends on which lists are known.
        """
        env = Env(values, self._depth)
        env.trail, env.watched = [], []
        return env, self._traced(env)


class _Timeline:
    """One rule and one document on other dates, for :mod:`logic.validity`."""

    def __init__(self, rule: Rule, env: Env, as_of: date, look_back: LookBack) -> None:
        self.rule = rule
        self.first, self.as_of = env, as_of
        self.look_back = look_back
        self.fresh = Values(rule.schema, env.values.facts) if look_back else env.values
        self.env = env

    def enter(self, day: date) -> list[Watch]:
        stale = out_of_look_back(self.fresh, day, self.look_back)
        values = self.fresh.replaced(day, stale)
        traced = self.first if day == self.as_of else self.rule.traced_on(values)[0]
        self.env = Env(values, len(traced.bound))
        return self.rule.watched(traced)

    def outcome(self, day: date) -> Any:
        self.env.values[REFDAT] = day
        return self.rule.plain(self.env)

    def state(self, watch: Watch, day: date) -> Any:
        self.env.values[REFDAT] = day
        self.env.bound[:] = watch.bound
        return watch.probe(self.env)


def compile_rule(text: str, schema: Schema, *, result: str | None = None) -> Rule:
    """Parses, checks and compiles a rule.

    Parameters
    ----------
    text : str
        The rule; the language stands in :mod:`logic`.
    schema : Schema
        The facts that it may name.
    result : str, optional
        What the rule must give: "truth", "number", "quantity", "date", "datetime" or "text".

    Raises
    ------
    RuleError
        Bad syntax, an unknown name, an unknown code, a unit that does not fit, types that
        clash, or a result that is not the one demanded; with its offset in the text.
    """
    tree = parse(text)
    checked = check(tree, schema)
    found = checked.types[tree]
    if found.kind in {"list", "member"}:
        refuse(text, f"a rule cannot give {found}")
    if result is not None and found.kind not in {result, "any"}:
        refuse(text, f"this rule should give {result}, but gives {found.kind}")
    return Rule(text, schema, checked)


def refuse(text: str, message: str) -> NoReturn:
    """Refuses a rule as a whole."""
    raise RuleError(message, 0, len(text))


def prepare(schema: Schema, facts: Mapping[str, Any], as_of: date | None = None) -> Values:
    """A document that many rules may be asked about: each fact is read once only."""
    return Values(schema, facts, as_of)


# --- look-back ----------------------------------------------------------------------------


def _dated(values: Values, name: str) -> Any:
    """When a fact was recorded: a date, an interval, or unknown."""
    dates = values.facts.get(DATES)
    raw = dates.get(name) if isinstance(dates, Mapping) else None
    return UNKNOWN if raw is None else read(A_DATE, raw, f"{DATES}.{name}")[0]


def out_of_look_back(values: Values, as_of: date | None, look_back: LookBack) -> dict[str, str]:
    """The facts that are too old, or from after the evaluation date, and why."""
    if as_of is None:
        return {}
    stale = {}
    for name, days in look_back.items():
        dated = _dated(values, name)
        if is_blank(dated):
            continue
        if low_of(dated) < as_of - timedelta(days=days):
            stale[name] = f"dated {dated}: older than {days} days on {as_of}"
        elif high_of(dated) > as_of:
            stale[name] = f"dated {dated}: after {as_of}"
    return stale


def look_back_breaks(values: Values, look_back: LookBack) -> list[date]:
    """The days on which facts enter or leave their look-back, in order."""
    edges = set()
    for name, days in look_back.items():
        dated = _dated(values, name)
        if not is_blank(dated):
            edges |= {high_of(dated), low_of(dated) + timedelta(days=days + 1)}
    return sorted(edges)
