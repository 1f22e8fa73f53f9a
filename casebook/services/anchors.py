"""When a fact that visits are counted from changes, the schedule moves with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from audit.context import Actor
from casebook.facts import facts_of
from casebook.models import Entry
from foundation import clock
from patients.models import Subject
from trials.schema import Protocol
from visits.services import plan_visits_for


def replan_when_anchored(actor: Actor, entry: Entry, items: frozenset[str]) -> None:
    """Plan the subject's visits anew when one of the changed items holds an anchor of the schedule."""
    protocol = entry.subject.version.protocol
    sources = {protocol.fact(anchor.fact).from_ for anchor in protocol.anchors}
    if any(f"{entry.form}.{item}" in sources for item in items):
        replan(actor=actor, subject=entry.subject)


def replan(*, actor: Actor, subject: Subject) -> None:
    """Plan a subject's visits from the anchors that are recorded now."""
    document = facts_of(subject, clock.today(subject.site.time_zone)).document
    plan_visits_for(actor=actor, subject=subject, anchors=anchor_dates(subject.version.protocol, document))


def anchor_dates(protocol: Protocol, document: Mapping[str, Any]) -> dict[str, list[date]]:
    """Whole dates of each anchor that has any, from the facts document."""
    found = {
        anchor.name: _whole_dates(_fact(document, protocol.fact(anchor.fact).name))
        for anchor in protocol.anchors
    }
    return {name: dates for name, dates in found.items() if dates}


def _fact(document: Mapping[str, Any], name: str) -> Any:
    head, _, tail = name.partition(".")
    value = document.get(head)
    return value.get(tail) if tail and isinstance(value, Mapping) else value


def _whole_dates(value: Any) -> list[date]:
    members = value if isinstance(value, list) else [value]
    return sorted({date.fromisoformat(str(each)[:10]) for each in members if each and len(str(each)) >= 10})
