"""One reason for everything of a form that is still open, given at once and taken back at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Func, JSONField, Value
from django.db.models.functions import Now

from audit.context import Actor, acting
from casebook.errors import (
    ChangedWhileWorkingError,
    EntryCompleteError,
    NothingOpenError,
    ReasonTooShortError,
)
from casebook.models import Entry, EntryState
from casebook.rules.cells import MISSING_REASONS
from casebook.selectors import open_queries, worked_form
from casebook.services.anchors import replan_when_anchored
from casebook.services.automatic import settle_automatic_queries
from casebook.services.entries import SaveResult, must_be_open
from casebook.signals import entry_saved


@dataclass(frozen=True)
class Blanked:
    """What was left blank: the form as it is now, and the items that got the reason."""

    saved: SaveResult
    items: tuple[str, ...]


def leave_blank(*, actor: Actor, entry: Entry, missing: str, group: int | None = None) -> Blanked:
    """Give one coded reason to every required item that is asked and not answered.

    Parameters
    ----------
    missing
        Code of the reason (`MISSING_REASONS`).
    group
        Place of the one group that is meant; the whole form where None.

    Raises
    ------
    ReasonTooShortError, NothingOpenError, EntryCompleteError, EntryClosedError, ChangedWhileWorkingError
    """
    _must_be_in_progress(entry)
    if missing not in MISSING_REASONS:
        raise ReasonTooShortError(field="missing")
    worked = worked_form(entry)
    within = worked.form.items if group is None else worked.form.groups[group].items
    meant = {item.id for item in within}
    items = tuple(item for item in worked.picture.unanswered if item in meant)
    if not items:
        raise NothingOpenError
    cells = {item: {"value": None, "missing": missing} for item in items}
    return Blanked(_write(actor, entry, {**entry.values, **cells}, items), items)


def take_back_blanks(*, actor: Actor, entry: Entry, items: Sequence[str]) -> Blanked:
    """Empty the items again that hold nothing but a reason.

    Raises
    ------
    NothingOpenError, EntryCompleteError, EntryClosedError, ChangedWhileWorkingError
    """
    _must_be_in_progress(entry)
    gone = tuple(item for item in items if (entry.values.get(item) or {}).get("missing"))
    if not gone:
        raise NothingOpenError
    left = {item: cell for item, cell in entry.values.items() if item not in gone}
    return Blanked(_write(actor, entry, left, gone), gone)


def _must_be_in_progress(entry: Entry) -> None:
    must_be_open(entry)
    if entry.state == EntryState.COMPLETE:
        raise EntryCompleteError


def _write(actor: Actor, entry: Entry, values: Mapping[str, Any], items: Sequence[str]) -> SaveResult:
    """Write several cells in one statement, unless anybody wrote to the form meanwhile."""
    held = Entry.objects.filter(pk=entry.pk, version=entry.version, locked=False, frozen=False)
    queries = open_queries(entry)
    with acting(actor):
        written = held.exclude(state=EntryState.COMPLETE).update(
            values=_with(values, items),
            state=EntryState.IN_PROGRESS,
            version=F("version") + 1,
            updated_at=Now(),
        )
        if not written:
            raise ChangedWhileWorkingError
        entry.values, entry.state, entry.version = dict(values), EntryState.IN_PROGRESS, entry.version + 1
        worked = worked_form(entry)
        settled = settle_automatic_queries(entry, worked.picture, queries)
        replan_when_anchored(actor, entry, frozenset(items))
        entry_saved.send(Entry, entry=entry, items=frozenset(items), actor=actor)
    return SaveResult(worked, settled, changed=True)


def _with(values: Mapping[str, Any], items: Sequence[str]) -> Func:
    """The document without these items, and with what they hold now."""
    emptied = Func(
        F("values"),
        Value(list(items)),
        template="(%(expressions)s)",
        arg_joiner=" - ",
        output_field=JSONField(),
    )
    held = {item: values[item] for item in items if item in values}
    return Func(
        emptied,
        Value(held, output_field=JSONField()),
        template="(%(expressions)s)",
        arg_joiner=" || ",
        output_field=JSONField(),
    )
