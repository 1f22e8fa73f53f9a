"""Eligibility: a protocol's criteria asked of a document of facts.

Each criterion gives one outcome with the facts that it rests on, what is missing and how long it holds; the
outcomes of a set give its verdict, and the verdicts of the sets give the route. Unknown is an answer of its
own: it never makes a subject eligible, and never sends anybody another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any

from logic import Outcome, Rule, Schema, Trace, Truth, Values, compile_rule, prepare
from logic.trace import as_text
from trials.schema import CriteriaSet, Criterion, Protocol
from trials.schema.vocabulary import fact_schema


class Verdict(StrEnum):
    ELIGIBLE = "ELIGIBLE"
    INELIGIBLE = "INELIGIBLE"
    UNDETERMINED = "UNDETERMINED"


class CriterionOutcome(StrEnum):
    MET = "MET"
    NOT_MET = "NOT MET"
    PRESENT = "PRESENT"
    ABSENT = "ABSENT"
    UNDETERMINED = "UNDETERMINED"
    NA = "NA"


FAILING = frozenset({CriterionOutcome.NOT_MET, CriterionOutcome.PRESENT})
REFDAT = "REFDAT"
SHOWN_DIGITS = Decimal("0.01")
MEMBER = re.compile(r".+\[(?P<index>\d+)\](\.(?P<field>\w+))?")
HOLD, SCREEN_FAILURE = "HOLD", "SCREEN FAILURE"


@dataclass(frozen=True)
class Evidence:
    """One fact that a criterion read.

    `fact` is its declared name and `path` its place in the document (a member of a list); `value` is the
    value as recorded, in `unit`; `note` says why it is unknown, where it is.
    """

    fact: str
    path: str
    label: str
    value: str | None
    unit: str
    note: str


@dataclass(frozen=True)
class CriterionResult:
    """One criterion and its outcome. `valid_until` is the last day on which the same facts give the same outcome."""

    criterion: Criterion
    outcome: CriterionOutcome
    because: str
    evidence: tuple[Evidence, ...]
    missing: tuple[str, ...]
    valid_until: date | None

    @property
    def passed(self) -> bool:
        return self.outcome not in FAILING and self.outcome is not CriterionOutcome.UNDETERMINED


@dataclass(frozen=True)
class RolledUp:
    """The leaves of one numbered criterion as the protocol prints it (5b is eight leaves)."""

    number: str
    kind: str
    outcome: CriterionOutcome
    leaves: tuple[CriterionResult, ...]


@dataclass(frozen=True)
class SetAssessment:
    """A criteria set with its verdict."""

    name: str
    title: str
    verdict: Verdict
    valid_until: date | None
    criteria: tuple[CriterionResult, ...]

    @property
    def rolled_up(self) -> tuple[RolledUp, ...]:
        return roll_up(self.criteria)


@dataclass(frozen=True)
class Route:
    """Where the verdicts lead: `offer` names a set, or is None when held or failed."""

    decision: str
    because: str
    offer: str | None = None


@dataclass(frozen=True)
class Assessment:
    """All criteria sets of a protocol on one day."""

    as_of: date
    sets: Mapping[str, SetAssessment]
    route: Route | None


@dataclass(frozen=True)
class _Compiled:
    criterion: Criterion
    applies: Rule | None
    rule: Rule

    @property
    def look_back(self) -> dict[str, int]:
        window = self.criterion.look_back
        return dict.fromkeys(window.facts, window.days) if window is not None else {}


class Criteria:
    """The criteria of one protocol, compiled once for many subjects.

    Parameters
    ----------
    protocol
        A protocol whose pack was checked; its rules compile.
    """

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.schema: Schema = fact_schema(protocol)
        self._compiled = tuple(self._compile(criterion) for criterion in protocol.criteria)

    def _compile(self, criterion: Criterion) -> _Compiled:
        applies = compile_rule(criterion.applies, self.schema) if criterion.applies else None
        return _Compiled(criterion, applies, compile_rule(criterion.rule, self.schema))

    def assess(self, facts: Mapping[str, Any], as_of: date) -> Assessment:
        """Every set of the protocol on one day.

        Parameters
        ----------
        facts
            The document of facts; an absent key means what the fact's declaration says, null is unknown.
        as_of
            The evaluation date; it is the value of REFDAT.

        References
        ----------
        Strong Kleene logic: S. C. Kleene, Introduction to Metamathematics (1952), § 64. Routing: the protocol's own.
        """
        values = prepare(self.schema, facts, as_of)
        results = {each.criterion.id: self._ask(each, values, as_of) for each in self._compiled}
        sets = {each.name: self._set(each, results) for each in self.protocol.sets}
        routing = self.protocol.routing
        route_taken = route([sets[name] for name in routing.order]) if routing is not None else None
        return Assessment(as_of, sets, route_taken)

    def _set(self, criteria_set: CriteriaSet, results: Mapping[str, CriterionResult]) -> SetAssessment:
        members = tuple(results[each.id] for each in self.protocol.criteria_of(criteria_set.name))
        verdict = verdict_of(result.outcome for result in members)
        until = _verdict_holds_until(verdict, members)
        return SetAssessment(criteria_set.name, criteria_set.title, verdict, until, members)

    def _ask(self, compiled: _Compiled, values: Values, as_of: date) -> CriterionResult:
        applies = compiled.applies.evaluate(values, as_of) if compiled.applies is not None else None
        if applies is not None and applies.value is Truth.FALSE:
            because = f"not applicable: {_words(self._evidence([applies.trace]))}"
            return self._result(compiled, CriterionOutcome.NA, because, [applies])
        answer = compiled.rule.evaluate(values, as_of, compiled.look_back)
        asked = [answer] if applies is None else [applies, answer]
        outcome = _outcome(compiled.criterion, applies, answer)
        return self._result(compiled, outcome, self._because(compiled, outcome, asked), asked)

    def _result(
        self, compiled: _Compiled, outcome: CriterionOutcome, because: str, asked: Sequence[Outcome]
    ) -> CriterionResult:
        unknown = outcome is CriterionOutcome.UNDETERMINED
        missing = (
            tuple(dict.fromkeys(path for each in asked for path in each.missing_paths)) if unknown else ()
        )
        if unknown and not missing:  # the facts are there, but do not suffice (too few tests)
            missing = tuple(sorted(compiled.rule.names - {REFDAT}))
        return CriterionResult(
            criterion=compiled.criterion,
            outcome=outcome,
            because=because,
            evidence=self._evidence([each.trace for each in asked]),
            missing=missing,
            valid_until=earliest(each.valid_until for each in asked),
        )

    def _evidence(self, traces: Iterable[Trace]) -> tuple[Evidence, ...]:
        found: dict[str, Evidence] = {}
        for trace in traces:
            for leaf in trace.leaves():
                found.setdefault(leaf.path or leaf.fact, self._read(leaf))
        return tuple(found.values())

    def _read(self, leaf: Trace) -> Evidence:
        declared = self.schema[leaf.fact]
        path = leaf.path or leaf.fact
        label = declared.label or leaf.fact
        member = MEMBER.fullmatch(path)
        if leaf.kind == "limit":
            label = f"{path.rpartition('.')[2]} of {label}"
        elif member is not None:
            declared = (declared.fields or {}).get(member["field"] or "", declared)
            label = f"{label} {int(member['index']) + 1} {declared.label if member['field'] else ''}".strip()
        return Evidence(leaf.fact, path, label, _recorded(leaf), leaf.unit or declared.unit or "", leaf.note)

    def _because(self, compiled: _Compiled, outcome: CriterionOutcome, asked: Sequence[Outcome]) -> str:
        evidence = self._evidence([each.trace for each in asked])
        if outcome is CriterionOutcome.UNDETERMINED:
            names = {path for each in asked for path in each.missing_paths}
            open_facts = [each for each in evidence if each.path in names]
            return f"not known: {_words(open_facts)}" if open_facts else f"not decided by {_words(evidence)}"
        words = "holds" if outcome in (CriterionOutcome.MET, CriterionOutcome.PRESENT) else "does not hold"
        known = _words(each for each in evidence if each.value is not None)
        computed = "".join(f"; {text}" for text in _computed(asked[-1].trace))
        return f"{known}{computed}; {compiled.criterion.rule} {words}"


def _recorded(leaf: Trace) -> str | None:
    """A fact as it was recorded, without its unit; a list as the number of its members."""
    raw = leaf.raw.get("value") if isinstance(leaf.raw, Mapping) else leaf.raw
    if isinstance(raw, list | tuple):
        return f"{len(raw)} recorded"
    if isinstance(raw, str | int | Decimal | date):
        return str(raw)
    return None if raw is None or leaf.result is Truth.UNKNOWN else as_text(leaf.result)


def _computed(trace: Trace) -> list[str]:
    """What was worked out on the way to a comparison: `WEIGHT_KG / (HEIGHT_CM / 100)^2 = 25.83`."""
    sides = [part for node in trace.walk() if node.kind == "compare" for part in node.parts if part.parts]
    worked_out = [side for side in sides if side.parts[0].kind != "limit" or len(side.parts) > 1]
    numbers = {side.text: side.value for side in worked_out if isinstance(side.value, Decimal)}
    return [f"{text} = {_shown(value)}" for text, value in numbers.items()]


def _shown(number: Decimal) -> str:
    whole = number == number.to_integral_value()
    return format(number.quantize(Decimal(1) if whole else SHOWN_DIGITS, ROUND_HALF_UP), "f")


def _words(evidence: Iterable[Evidence]) -> str:
    return "; ".join(_fact_in_words(each) for each in evidence)


def _fact_in_words(evidence: Evidence) -> str:
    if evidence.value is None:
        return f"{evidence.label} {evidence.note or 'missing'}".strip()
    value = f"{evidence.value} {evidence.unit}".strip()
    return f"{evidence.label} {value}" + (f" ({evidence.note})" if evidence.note else "")


def _outcome(criterion: Criterion, applies: Outcome | None, answer: Outcome) -> CriterionOutcome:
    inclusion = criterion.kind == "inclusion"
    passing = CriterionOutcome.MET if inclusion else CriterionOutcome.ABSENT
    failing = CriterionOutcome.NOT_MET if inclusion else CriterionOutcome.PRESENT
    if answer.value not in (Truth.TRUE, Truth.FALSE):
        return CriterionOutcome.UNDETERMINED
    passed = (answer.value is Truth.TRUE) == inclusion
    if applies is not None and applies.value is not Truth.TRUE:
        return CriterionOutcome.UNDETERMINED
    return passing if passed else failing


def earliest(days: Iterable[date | None]) -> date | None:
    """The first of these days; None (for ever) where there is none."""
    return min((day for day in days if day is not None), default=None)


def verdict_of(outcomes: Iterable[CriterionOutcome]) -> Verdict:
    """The verdict of a set: ineligible dominates undetermined, which dominates eligible.

    References
    ----------
    Protocol, eligibility: every inclusion criterion is met and no exclusion criterion is present.
    """
    found = set(outcomes)
    if found & FAILING:
        return Verdict.INELIGIBLE
    return Verdict.UNDETERMINED if CriterionOutcome.UNDETERMINED in found else Verdict.ELIGIBLE


def _verdict_holds_until(verdict: Verdict, members: Sequence[CriterionResult]) -> date | None:
    """The last day on which the verdict is certain to stand on the same facts.

    An ineligible subject stays so while any one of the failing criteria fails; any other verdict may change
    with the first outcome that does.
    """
    if verdict is not Verdict.INELIGIBLE:
        return earliest(result.valid_until for result in members)
    ends = [result.valid_until for result in members if result.outcome in FAILING]
    lasting = [end for end in ends if end is not None]
    return max(lasting) if len(lasting) == len(ends) else None


def roll_up(results: Iterable[CriterionResult]) -> tuple[RolledUp, ...]:
    """Leaves gathered under the number that the protocol prints, in its order.

    References
    ----------
    Protocol of Excalibur, inclusion 5b: one numbered criterion with eight conditions.
    """

    def key(result: CriterionResult) -> tuple[str, str]:
        return result.criterion.number, result.criterion.kind

    return tuple(_rolled(*name, tuple(leaves)) for name, leaves in groupby(results, key))


def _rolled(number: str, kind: str, leaves: tuple[CriterionResult, ...]) -> RolledUp:
    outcomes = [leaf.outcome for leaf in leaves]
    failing = next((outcome for outcome in outcomes if outcome in FAILING), None)
    if failing is not None:
        outcome = failing
    elif CriterionOutcome.UNDETERMINED in outcomes:
        outcome = CriterionOutcome.UNDETERMINED
    else:
        applicable = [each for each in outcomes if each is not CriterionOutcome.NA]
        outcome = applicable[0] if applicable else CriterionOutcome.NA
    return RolledUp(number, kind, outcome, leaves)


def route(sets: Sequence[SetAssessment]) -> Route:
    """The first eligible set in order is offered; an undetermined one before it holds everything.

    References
    ----------
    Protocol of Excalibur, preamble of the exclusions of Excalibur 1. Missing data never route anybody onwards.
    """
    passed_over: list[str] = []
    for each in sets:
        if each.verdict is Verdict.ELIGIBLE:
            why = "; ".join([*passed_over, f"{each.title}: eligible"])
            return Route(f"OFFER {each.name}", why, each.name)
        named = ", ".join(_deciding(each))
        if each.verdict is Verdict.UNDETERMINED:
            why = "; ".join([*passed_over, f"{each.title}: undetermined ({named}); resolve this first"])
            return Route(HOLD, why)
        passed_over.append(f"{each.title}: not eligible ({named})")
    return Route(SCREEN_FAILURE, "; ".join(passed_over))


def _deciding(assessment: SetAssessment) -> Iterator[str]:
    """Ids of the criteria that the verdict rests on, with their labels."""
    for result in assessment.criteria:
        fails = result.outcome in FAILING
        open_ = result.outcome is CriterionOutcome.UNDETERMINED
        if fails if assessment.verdict is Verdict.INELIGIBLE else open_:
            yield f"{result.criterion.id} {result.criterion.label}"


def failing_first(results: Iterable[CriterionResult]) -> list[CriterionResult]:
    """Criteria for a reader in a hurry: those that fail, then the open ones, then the rest, each in protocol order."""

    def rank(result: CriterionResult) -> int:
        if result.outcome in FAILING:
            return 0
        return 1 if result.outcome is CriterionOutcome.UNDETERMINED else 2

    return sorted(results, key=rank)
