"""A protocol as people want to see it: when each visit is, which form belongs where, what is still open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trials.rules.findings import Loc, parts_of
from trials.schema import Annotation, Charter, CriteriaSet, Criterion, Form, LookBack, Part, Protocol, Visit

KINDS = {
    "Arm": "Arm",
    "SubStudy": "Sub-study",
    "Stratum": "Stratum",
    "Setting": "Setting",
    "Anchor": "Anchor",
    "Visit": "Visit",
    "Form": "Form",
    "Item": "Item",
    "Check": "Edit check",
    "Codelist": "Codelist",
    "Criterion": "Criterion",
    "LookBack": "Look-back",
    "CriteriaSet": "Criteria set",
    "Routing": "Routing",
    "DoseNumber": "Dose",
    "DoseFormula": "Dose",
    "Premedication": "Premedication",
    "TimingRule": "Timing rule",
    "Charter": "Imaging charter",
    "Endpoint": "Endpoint",
    "Grading": "Grading",
    "VerificationPlan": "Source verification",
    "VerificationRule": "Source verification",
}
WORDING = ("label", "text", "title", "name", "drug", "message")


@dataclass(frozen=True)
class FormRow:
    """A form, and whether it belongs to each visit of the plan (in the plan's order)."""

    form: Form
    at: tuple[bool, ...]
    log: bool


@dataclass(frozen=True)
class NumberedCriteria:
    """All evaluated leaves of one number of the protocol."""

    number: str
    leaves: tuple[Criterion, ...]


@dataclass(frozen=True)
class CriteriaList:
    """Inclusion or exclusion criteria, in the protocol's numbering."""

    kind: str
    sets: tuple[str, ...]
    numbered: tuple[NumberedCriteria, ...]


@dataclass(frozen=True)
class OpenDecision:
    """Something in the protocol that its sponsor has not confirmed."""

    kind: str
    name: str
    wording: str
    value: str
    source: str
    ref: str
    note: str


def timing_of(visit: Visit, protocol: Protocol) -> str:
    """Return when a visit is due, in words: `14 days after each procedure, +7 days`."""
    if not visit.scheduled:
        return ""
    anchor = next(each for each in protocol.anchors if each.name == visit.anchor)
    several = protocol.fact(anchor.fact).type == "list"
    which = {"first": "the first ", "last": "the last ", "each": "each "}[visit.from_] if several else ""
    target = f"{_distance(visit)} after {which}{anchor.label}"
    edges = [f"{sign}{days} d" for sign, days in (("−", visit.before), ("+", visit.after)) if days]
    return f"{target}, {' '.join(edges)}" if edges else target


def _distance(visit: Visit) -> str:
    for number, unit in ((visit.days, "day"), (visit.weeks, "week"), (visit.months, "month")):
        if number is not None:
            return f"{number} {unit}{'' if abs(number) == 1 else 's'}"
    return "on the day"


def visit_plan(protocol: Protocol) -> tuple[FormRow, ...]:
    """Return one row per form: the visits that it belongs to, and whether it runs as a log."""
    return tuple(
        FormRow(
            form, tuple(form.code in visit.forms for visit in protocol.visits), form.code in protocol.logs
        )
        for form in protocol.forms
    )


def criteria_lists(protocol: Protocol) -> tuple[CriteriaList, ...]:
    """Return the criteria grouped by kind and by the sets that they belong to, leaves under their number."""
    groups: dict[tuple[str, tuple[str, ...]], dict[str, list[Criterion]]] = {}
    for each in protocol.criteria:
        groups.setdefault((each.kind, each.sets), {}).setdefault(each.number, []).append(each)
    return tuple(
        CriteriaList(kind, sets, tuple(NumberedCriteria(n, tuple(leaves)) for n, leaves in numbers.items()))
        for (kind, sets), numbers in groups.items()
    )


def open_decisions(protocol: Protocol) -> tuple[OpenDecision, ...]:
    """Return everything provisional in a protocol, each once.

    A part that is provisional only because the part around it is (an item of a provisional form) is not
    repeated, unless it has a note of its own.
    """
    found = [
        _decision(protocol, loc, part) for loc, part in parts_of(protocol) if _is_open(protocol, loc, part)
    ]
    return (*found, *_charter_decisions(protocol))


def by_kind(decisions: Iterable[OpenDecision]) -> dict[str, list[OpenDecision]]:
    """Return the decisions under their kinds, in their order."""
    found: dict[str, list[OpenDecision]] = {}
    for each in decisions:
        found.setdefault(each.kind, []).append(each)
    return found


def _is_open(protocol: Protocol, loc: Loc, part: Part) -> bool:
    if isinstance(part, CriteriaSet):
        return part.provisional
    if not isinstance(part, Annotation) or not part.provisional:
        return False
    around = _around(protocol, loc)
    return around is None or around.source != part.source or bool(part.note)


def _around(protocol: Protocol, loc: Loc) -> Annotation | None:
    if len(loc) < 3:
        return None
    if loc[0] == "forms":
        return protocol.forms[int(loc[1])]
    if loc[0] == "criteria":
        return protocol.criteria[int(loc[1])]
    return None


def _decision(protocol: Protocol, loc: Loc, part: Part) -> OpenDecision:
    source = getattr(part, "source", "")
    return OpenDecision(
        kind=KINDS[type(part).__name__],
        name=_name(protocol, loc, part),
        wording=next((str(getattr(part, each)) for each in WORDING if getattr(part, each, "")), ""),
        value=_value(part),
        source=protocol.source_title(source) if source else "",
        ref=getattr(part, "ref", ""),
        note=getattr(part, "note", ""),
    )


def _name(protocol: Protocol, loc: Loc, part: Part) -> str:
    if isinstance(part, LookBack):
        return protocol.criteria[int(loc[1])].id
    for attribute in ("id", "code", "paramcd", "name"):
        if getattr(part, attribute, ""):
            return str(getattr(part, attribute))
    return next((str(step) for step in reversed(loc) if isinstance(step, str)), "")


def _value(part: Part) -> str:
    if not hasattr(part, "value"):
        return ""
    if part.value is None:
        return "none"
    if isinstance(part.value, bool):
        return "yes" if part.value else "no"
    return f"{part.value} {getattr(part, 'unit', '')}".strip()


def _charter_decisions(protocol: Protocol) -> Iterator[OpenDecision]:
    charter: Charter | None = protocol.charter
    for key, source in (charter.sources if charter else {}).items():
        if protocol.sources[source].provisional:
            value = str(getattr(charter, key))
            yield OpenDecision("Imaging charter", key, "", value, protocol.source_title(source), "", "")
