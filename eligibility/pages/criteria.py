"""The eligibility page of a subject: each criterion with its evidence, and the decision beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from casebook.rules.picture import ProtocolKey
from eligibility.models import Assessment, Decision
from eligibility.pages.places import FactPath, Place, Places, fact_path
from eligibility.policies import IN_SCREENING, differs, may_be_signed
from eligibility.rules.assessment import (
    FAILING,
    SCREEN_FAILURE,
    SHOWN_DIGITS,
    CriterionOutcome,
    CriterionResult,
    Evidence,
    SetAssessment,
    Verdict,
)
from eligibility.rules.facts import REFDAT
from eligibility.rules.outlook import Outlook, against, unknown
from eligibility.rules.words import computed_part, computed_unit, limit_in_words, scalar_in_words
from eligibility.selectors import Evaluation, Standing
from logic import Rule, compile_rule
from patients.models import Subject
from trials.schema import CriteriaSet, Criterion, Protocol

BRIEF = 6
NUMBERS = frozenset({"number", "integer", "quantity"})
SOON = timedelta(days=7)
TYPES = {"A": "Automatic", "S": "Computed, with a judgement", "J": "Judgement"}
STATES = {
    CriterionOutcome.MET: "met",
    CriterionOutcome.NOT_MET: "not-met",
    CriterionOutcome.PRESENT: "present",
    CriterionOutcome.ABSENT: "absent",
    CriterionOutcome.UNDETERMINED: "unknown",
    CriterionOutcome.NA: "not-applicable",
}
VERDICTS = {
    Verdict.ELIGIBLE: "eligible",
    Verdict.INELIGIBLE: "ineligible",
    Verdict.UNDETERMINED: "undetermined",
}


@dataclass(frozen=True)
class Value:
    """A fact as it was recorded; without a label where the criterion names it already."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Group:
    """Facts that were read in one place: a form on a day. The address is that of the first of them."""

    values: tuple[Value, ...]
    place: Place | None


@dataclass(frozen=True)
class Missing:
    """A fact that is not known, why, and where it is entered."""

    label: str
    why: str
    place: Place


@dataclass(frozen=True)
class Row:
    """One criterion as the page shows it.

    Attributes
    ----------
    css
        `against` or `unknown` where it stands in the way.
    computed
        What was worked out and compared, such as an age; empty where a fact was compared as it is.
    runs_out
        Whether the outcome is certain for a few days only.
    """

    criterion: Criterion
    state: str
    css: str
    computed: str
    groups: tuple[Group, ...]
    limit: str
    missing: tuple[Missing, ...]
    because: str
    kind: str
    valid_until: date | None
    runs_out: bool


@dataclass(frozen=True)
class Section:
    """Criteria of one kind that count for the same sets."""

    title: str
    note: str
    provisional: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class SetSummary:
    """One criteria set: its verdict, how many criteria are for, against and open, and which those are."""

    name: str
    title: str
    provisional: bool
    decides: bool
    state: str
    satisfied: int
    against: tuple[CriterionResult, ...]
    unknown: tuple[CriterionResult, ...]
    valid_until: date | None

    @property
    def sentence(self) -> str:
        """The counts in words."""
        if not self.against and not self.unknown:
            return f"All {self.satisfied} criteria are satisfied."
        return f"{counted(len(self.against))} against, {len(self.unknown)} unknown."

    @property
    def brief(self) -> bool:
        """Whether what stands in the way is short enough to be shown at once."""
        return self.decides and len(self.against) + len(self.unknown) <= BRIEF


def counted(number: int) -> str:
    """`1 criterion`, `3 criteria`."""
    return "1 criterion" if number == 1 else f"{number} criteria"


@dataclass(frozen=True)
class RouteShown:
    """Where it leads, in words and as a state."""

    state: str
    title: str
    because: str


@dataclass(frozen=True)
class SignChoice:
    """A decision that can be signed, or why it cannot."""

    decision: str
    label: str
    primary: bool
    reason: str = ""
    note: str = ""

    @property
    def possible(self) -> bool:
        """Whether the button does anything."""
        return not self.reason


@dataclass(frozen=True)
class CriteriaPage:
    """Everything on the page but the banner."""

    subject: Subject
    evaluation: Evaluation
    sections: tuple[Section, ...]
    sets: tuple[SetSummary, ...]
    route: RouteShown | None
    standing: Standing
    choices: tuple[SignChoice, ...]
    judged_on: date
    history: Sequence[Assessment]

    @property
    def many_sets(self) -> bool:
        """Whether several sets decide, so that each is named."""
        return sum(each.decides for each in self.sets) > 1

    @property
    def is_past(self) -> bool:
        """Whether another day is shown than the one that is judged."""
        return self.evaluation.as_of != self.judged_on


def criteria_page(
    subject: Subject,
    evaluation: Evaluation,
    places: Places,
    standing: Standing,
    *,
    judged_on: date,
    history: Sequence[Assessment],
    may_sign: bool,
) -> CriteriaPage:
    """Make the page.

    Parameters
    ----------
    judged_on
        The day that is judged and signed; the evaluation may be of another day.
    history
        What was kept before, newest first.
    may_sign
        Whether the person may sign eligibility here.
    """
    outlook = evaluation.outlook
    choices = () if outlook is None else sign_choices(subject, outlook, standing, may_sign=may_sign)
    return CriteriaPage(
        subject=subject,
        evaluation=evaluation,
        sections=sections_of(evaluation, places),
        sets=set_summaries(evaluation),
        route=None if outlook is None else route_shown(outlook),
        standing=standing,
        choices=choices,
        judged_on=judged_on,
        history=history,
    )


def sections_of(evaluation: Evaluation, places: Places) -> tuple[Section, ...]:
    """Inclusion before exclusion; what counts for every set before what counts for some."""
    protocol = evaluation.protocol
    groups: dict[tuple[str, tuple[str, ...]], list[CriterionResult]] = {}
    for result in evaluation.results:
        groups.setdefault((result.criterion.kind, result.criterion.sets), []).append(result)
    in_order = sorted(groups.items(), key=lambda each: (each[0][0] != "inclusion", -len(each[0][1])))
    return tuple(
        _section(protocol, kind, sets, [_row(evaluation, places, each) for each in results])
        for (kind, sets), results in in_order
    )


def _section(protocol: Protocol, kind: str, names: tuple[str, ...], rows: list[Row]) -> Section:
    title = "Inclusion" if kind == "inclusion" else "Exclusion"
    note = "All must be met" if kind == "inclusion" else "None may be present"
    sets = [each for each in protocol.sets if each.name in names]
    if len(sets) == len(protocol.sets):
        return Section(title, note, provisional=False, rows=tuple(rows))
    only = " and ".join(each.title for each in sets)
    provisional = all(each.provisional for each in sets)
    return Section(f"{title}, {only} only", _note(sets, note), provisional, tuple(rows))


def _note(sets: list[CriteriaSet], usual: str) -> str:
    said = [text for each in sets for text in (each.preamble, each.note if each.provisional else "") if text]
    return " ".join(said) or usual


def _row(evaluation: Evaluation, places: Places, result: CriterionResult) -> Row:
    stops = result.outcome in FAILING
    css = "against" if stops else "unknown" if result.outcome is CriterionOutcome.UNDETERMINED else ""
    until = result.valid_until
    return Row(
        criterion=result.criterion,
        state=STATES[result.outcome],
        css=css,
        computed=_computed(evaluation, result.criterion),
        groups=tuple(_groups(evaluation.protocol, places, result)),
        limit=limit_in_words(evaluation.protocol, result.criterion),
        missing=tuple(_missing(evaluation.protocol, places, result)),
        because=result.because,
        kind=TYPES[result.criterion.type],
        valid_until=until,
        runs_out=until is not None and result.passed and until <= evaluation.as_of + SOON,
    )


def _computed(evaluation: Evaluation, criterion: Criterion) -> str:
    text = computed_part(criterion)
    if not text:
        return ""
    rule = _part_rule(ProtocolKey(evaluation.protocol), text)
    value = rule.value(evaluation.projection.document, evaluation.as_of)
    if not isinstance(value, Decimal):
        return ""
    whole = value == value.to_integral_value()
    shown = value.quantize(Decimal(1) if whole else SHOWN_DIGITS, ROUND_HALF_UP)
    return f"{shown:f} {computed_unit(criterion)}".strip()


@lru_cache(maxsize=256)
def _part_rule(key: ProtocolKey, text: str) -> Rule:
    return compile_rule(text, key.protocol.fact_schema())


def _groups(protocol: Protocol, places: Places, result: CriterionResult) -> Iterator[Group]:
    """The known facts of a criterion, those of one form together."""
    read = [
        (each, path)
        for each in result.evidence
        if each.fact != REFDAT and each.value is not None
        for path in [fact_path(protocol, each.path)]
        if path is not None
    ]
    facts = [path for _, path in read if not path.limit]
    alone = len(facts) == 1 and facts[0].declared.type in NUMBERS
    found: dict[str, tuple[Place | None, list[Value]]] = {}
    for each, path in read:
        place = places.source(path)
        _, values = found.setdefault(place.words if place else "", (place, []))
        values.append(_value(protocol, each, path, alone=alone))
    for place, values in found.values():
        yield Group(tuple(values), place)


def _value(protocol: Protocol, evidence: Evidence, path: FactPath, *, alone: bool) -> Value:
    text = _value_alone(protocol, evidence, path)
    if path.limit:
        return Value(text, path.limit)
    return Value(text, "" if alone else path.label)


def _value_alone(protocol: Protocol, evidence: Evidence, path: FactPath) -> str:
    text = evidence.value or ""
    whole_list = path.fact.type == "list" and path.index is None
    if whole_list:
        number = text.partition(" ")[0]
        return "none" if number == "0" else f"{number} recorded"
    unit = "" if path.limit else evidence.unit
    words = scalar_in_words(protocol, path.declared, text, unit)
    if evidence.note.startswith("not recorded"):
        return f"{words} (nothing recorded)"
    return words


def _missing(protocol: Protocol, places: Places, result: CriterionResult) -> Iterator[Missing]:
    notes = {each.path: each.note for each in result.evidence}
    for name in result.missing:
        path = fact_path(protocol, name)
        if path is None:
            continue
        note = notes.get(name, "")
        outdated = note.startswith("dated ")
        why = note if outdated or note == "partial date" else ""
        yield Missing(path.label, why, places.to_enter(path, anew=outdated))


def set_summaries(evaluation: Evaluation) -> tuple[SetSummary, ...]:
    """Every set of the protocol, in its order."""
    outlook = evaluation.outlook
    deciding = {each.name for each in outlook.order} if outlook is not None else set()
    return tuple(
        _summary(each, evaluation.assessment.sets[each.name], decides=each.name in deciding)
        for each in evaluation.protocol.sets
    )


def _summary(declared: CriteriaSet, found: SetAssessment, *, decides: bool) -> SetSummary:
    return SetSummary(
        name=declared.name,
        title=declared.title,
        provisional=declared.provisional,
        decides=decides,
        state=VERDICTS[found.verdict],
        satisfied=sum(each.passed for each in found.criteria),
        against=against(found),
        unknown=unknown(found),
        valid_until=found.valid_until,
    )


def route_shown(outlook: Outlook) -> RouteShown:
    """The routing decision as a heading, and why in one sentence; the criteria are listed below it."""
    passed_over = [_standing_in_the_way(each) for each in outlook.order if each.verdict is Verdict.INELIGIBLE]
    if outlook.held:
        why = [*passed_over, _standing_in_the_way(outlook.deciding), "Resolve this first."]
        return RouteShown("hold", "Hold", " ".join(why))
    if outlook.route.offer is not None:
        satisfied = f"All criteria of {outlook.deciding.title} are satisfied."
        return RouteShown("eligible", f"Offer {outlook.deciding.title}", " ".join([*passed_over, satisfied]))
    return RouteShown("ineligible", SCREEN_FAILURE.capitalize(), " ".join(passed_over))


def _standing_in_the_way(criteria_set: SetAssessment) -> str:
    stops, open_ones = len(against(criteria_set)), len(unknown(criteria_set))
    if stops:
        return f"{criteria_set.title}: {counted(stops)} against."
    return f"{criteria_set.title}: {counted(open_ones)} unknown."


def sign_choices(
    subject: Subject, outlook: Outlook, standing: Standing, *, may_sign: bool
) -> tuple[SignChoice, ...]:
    """The two decisions, each with why it cannot be signed now."""
    return tuple(_choices(subject, outlook, standing, may_sign=may_sign))


def _choices(
    subject: Subject, outlook: Outlook, standing: Standing, *, may_sign: bool
) -> Iterable[SignChoice]:
    signed = standing.assessment.decision if standing.assessment and standing.state == "signed" else ""
    into = f" for {outlook.deciding.title}" if outlook.route.offer and len(outlook.order) > 1 else ""
    labels = {Decision.ELIGIBLE: f"Sign as eligible{into}", Decision.NOT_ELIGIBLE: "Sign as not eligible"}
    for decision, label in labels.items():
        yield SignChoice(
            decision=decision,
            label=label,
            primary=not differs(decision, outlook.verdict),
            reason=_why_not(subject, outlook, decision, signed, may_sign=may_sign),
            note="A comment is needed: the criteria say otherwise."
            if differs(decision, outlook.verdict)
            else "",
        )


def _why_not(subject: Subject, outlook: Outlook, decision: str, signed: str, *, may_sign: bool) -> str:
    if not may_sign:
        return "Only an investigator of this site can sign."
    if signed == decision and subject.status != "SCREENING":
        return "Signed, and no fact has changed since."
    if not may_be_signed(decision, outlook.verdict):
        return _what_is_missing(outlook)
    return ""


def _what_is_missing(outlook: Outlook) -> str:
    stops, open_ones = len(against(outlook.deciding)), len(unknown(outlook.deciding))
    parts = [f"{stops} against" if stops else "", f"{open_ones} unknown" if open_ones else ""]
    counted = ", ".join(part for part in parts if part)
    return f"Possible when every criterion of {outlook.deciding.title} is satisfied ({counted}). There are no waivers."


def moves_subject(subject: Subject) -> bool:
    """Whether signing still moves the subject, which it does not after enrolment."""
    return subject.status in IN_SCREENING or subject.status == "SCREEN_FAILURE"
