"""Unlocking on screen: what waits for a second person, and what was changed while it was open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from accounts.access import Access
from audit.models import Event
from casebook.models import Entry, Unlock
from casebook.rules.cells import cell_text
from casebook.rules.picture import codelist_of
from casebook.selectors import entries
from casebook.services.states import scope_of
from foundation.errors import NotFound
from patients.selectors import within


@dataclass(frozen=True)
class UnlockedChange:
    """One change of one item while a form was unlocked."""

    at: datetime
    by: str
    form: str
    label: str
    before: str
    now: str
    reason: str


def unlocks_visible_to(access: Access) -> QuerySet[Unlock]:
    """Unlockings of the sites where the person may see entries: those that wait first."""
    condition = within(access, "entry.view", trial="subject__trial__code", site="subject__site__code")
    return (
        Unlock.objects.filter(condition)
        .select_related(
            "subject__trial",
            "subject__site",
            "subject__version",
            "visit",
            "entry__visit",
            "asked_by",
            "decided_by",
        )
        .defer("subject__version__definition")
        .order_by("decided_at", "-pk")
        .reverse()
    )


def get_unlock(access: Access, key: int) -> Unlock:
    """One unlocking, when the person may see it.

    Raises
    ------
    NotFound
    """
    found = unlocks_visible_to(access).filter(pk=key).first()
    if found is None:
        raise NotFound(what="unlocking", name=str(key))
    return found


def unlock_changes(unlock: Unlock) -> list[UnlockedChange]:
    """Everything that was changed in the scope from the approval to the end of its time; two statements."""
    if unlock.trail_head is None or unlock.ends_at is None:
        return []
    scope = scope_of(unlock)
    reached = entries().filter(subject=unlock.subject)
    if scope.entry is not None:
        reached = reached.filter(pk=scope.entry.pk)
    elif scope.visit is not None:
        reached = reached.filter(visit=scope.visit)
    known = {str(entry.pk): entry for entry in reached}
    events = Event.objects.filter(
        table_name="casebook_entry", row_id__in=list(known), id__gt=unlock.trail_head, at__lte=unlock.ends_at
    )
    return [line for event in events.order_by("id") for line in _lines(event, known[event.row_id])]


def _lines(event: Event, entry: Entry) -> Iterator[UnlockedChange]:
    before, after = event.before or {}, event.after or {}
    protocol = entry.protocol
    form = protocol.form(entry.form)
    place = f"{form.name}, {entry.visit or 'running log'}"
    old, new = before.get("values") or {}, after.get("values") or {}
    for item_id in sorted({*old, *new}):
        item = form.items_by_id.get(item_id)
        if item is None:
            continue
        was, now = (cell_text(item, codelist_of(protocol, item), side.get(item_id)) for side in (old, new))
        yield UnlockedChange(event.at, event.actor, place, item.label, was, now, event.reason)
    for column, label in (("state", "State"), ("not_done", "Not done"), ("struck_out", "Struck out")):
        if column in after:
            yield UnlockedChange(
                event.at,
                event.actor,
                place,
                label,
                str(before.get(column, "")),
                str(after[column]),
                event.reason,
            )
