"""Entering data: opening a form, saving an item, confirming a check, completing, leaving out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError
from django.db.models import F
from django.db.models.functions import Now

from audit.context import Actor, acting
from audit.selectors import item_history
from casebook import registry
from casebook.errors import (
    ChangedMeanwhileError,
    EntryClosedError,
    FormNotHereError,
    ItemRefusedError,
    ItemRetiredError,
    NotLeftOutError,
    NotReadyError,
    NotStruckOutError,
    OverwriteReasonNeededError,
    ReasonNeededError,
    RowsStandError,
    UnknownItemError,
    ValuesStandError,
)
from casebook.limits import limits_after, sets_limits
from casebook.models import Entry, EntryState, Query, Signing
from casebook.rules.cells import Cell, CellFault, Typed, cell_text, holds_value, read_cell, same_content
from casebook.rules.limits import as_typed, typed_by_hand
from casebook.rules.picture import rules_of
from casebook.rules.projection import Row
from casebook.rules.status import planned_forms
from casebook.selectors import (
    WorkedForm,
    entries,
    may_be_opened,
    open_queries,
    rows_of_subject,
    worked_form,
)
from casebook.services.anchors import replan_when_anchored
from casebook.services.automatic import settle_automatic_queries
from casebook.services.cells import put_cells
from casebook.services.words import LONGEST_REASON, plain, reason_given
from casebook.signals import entry_saved
from foundation import clock
from foundation.errors import DomainError
from patients.models import Subject
from trials.rules.heritage import retired_in
from trials.schema import Item
from visits.models import Visit

LONGEST_NOT_DONE = 200
NONE_TO_RECORD = "None to record"
ROW_ADDED = "There is one to record"


@dataclass(frozen=True)
class SaveResult:
    """What a save did.

    Attributes
    ----------
    worked
        The form as it is now.
    queries
        Its queries that are not closed.
    changed
        Whether anything changed.
    moved
        Other items whose reference limits came, went or moved with it.
    """

    worked: WorkedForm
    queries: tuple[Query, ...]
    changed: bool
    moved: frozenset[str] = frozenset()


def open_entry(*, actor: Actor, subject: Subject, visit: Visit | None, form: str, repeat: int = 1) -> Entry:
    """Open a form of a subject at a visit (or in a log), or find it already open.

    Raises
    ------
    FormNotHereError
        The form is not planned for that visit, or no log; or it has no such row.
    DomainError
        An upper room forbids it (a third procedure).
    """
    _must_belong(subject, visit, form)
    known = entries().filter(subject=subject, visit=visit, form=form, repeat=repeat).first()
    if known is not None:
        return known
    if not may_be_opened(subject, visit, form, repeat):
        raise FormNotHereError(form=f"{form} {repeat}", visit=str(visit) if visit else "the running logs")
    registry.refuse_opening(subject, form, visit)
    try:
        with acting(actor):
            made = Entry.objects.create(subject=subject, visit=visit, form=form, repeat=repeat)
    except IntegrityError:
        made = entries().get(subject=subject, visit=visit, form=form, repeat=repeat)
    return entries().get(pk=made.pk)


def add_row(*, actor: Actor, subject: Subject, visit: Visit | None, form: str) -> Entry:
    """Open the next row of a repeating form; a last row in which nothing stands yet is that row.

    So a request that is sent twice makes one row, and a log of which somebody said that there is none to record has
    a first row then.
    """
    _must_belong(subject, visit, form)
    if not subject.version.protocol.form(form).repeating:
        raise FormNotHereError(form=form, visit="a second time here")
    newest = _newest(subject, visit, form)
    if newest is not None and newest.not_done and not newest.struck_out:
        return take_back_not_done(actor=actor, entry=newest, reason=ROW_ADDED)
    repeat = _row_after(newest)
    if newest is not None and newest.repeat == repeat:
        return newest
    return open_entry(actor=actor, subject=subject, visit=visit, form=form, repeat=repeat)


def next_row(*, subject: Subject, visit: Visit | None, form: str) -> int:
    """Number of the row that is entered next: the last one while nothing stands in it, else the one after it."""
    return _row_after(_newest(subject, visit, form))


def _row_after(newest: Entry | None) -> int:
    if newest is None:
        return 1
    free = not newest.struck_out and (newest.state == EntryState.EMPTY or bool(newest.not_done))
    return newest.repeat if free else newest.repeat + 1


def record_none(*, actor: Actor, subject: Subject, form: str) -> Entry:
    """Record that there is nothing to enter in a log: it was asked for, and there is none.

    The first row that is added takes it back.

    Raises
    ------
    FormNotHereError
        No log of this protocol.
    RowsStandError
        Something is entered there.
    """
    _must_belong(subject, None, form)
    standing = Entry.objects.filter(subject=subject, visit=None, form=form, struck_out=False)
    if standing.exclude(state=EntryState.EMPTY).exists():
        raise RowsStandError
    return mark_not_done(
        actor=actor, entry=add_row(actor=actor, subject=subject, visit=None, form=form), reason=NONE_TO_RECORD
    )


def _newest(subject: Subject, visit: Visit | None, form: str) -> Entry | None:
    return entries().filter(subject=subject, visit=visit, form=form).order_by("-repeat").first()


def _must_belong(subject: Subject, visit: Visit | None, form: str) -> None:
    if form not in planned_forms(subject.version.protocol, visit.code if visit else None):
        raise FormNotHereError(form=form, visit=str(visit) if visit else "the running logs")


def save_item(
    *,
    actor: Actor,
    entry: Entry,
    item_id: str,
    typed: Typed,
    expected: Mapping[str, Any] | None = None,
    reason: str = "",
    overwrites: bool = False,
) -> SaveResult:
    """Save one item of a form.

    Parameters
    ----------
    entry
        As `selectors.entries()` gives it.
    typed
        What was typed, as text.
    expected
        The cell that the person saw, so that nobody overwrites unseen; None where there was nobody to see it.
    reason
        Why it changes; needed once the form is complete.
    overwrites
        Whether the person was told that a colleague recorded `expected` meanwhile; that needs a reason as well.

    Raises
    ------
    ItemRefusedError, UnknownItemError, EntryClosedError, ReasonNeededError, ChangedMeanwhileError,
    TextRefusedError
    """
    item = _item(entry, item_id)
    must_be_open(entry)
    why = plain(reason, field=item_id, most=LONGEST_REASON)
    old = entry.values.get(item_id)
    new = as_typed(read_typed(entry, item, typed), old)
    if same_content(old, new):
        return as_it_stands(entry)
    if expected is not None and not same_content(expected, old):
        raise _changed_meanwhile(actor, entry, item)
    if entry.state == EntryState.COMPLETE and not why:
        raise ReasonNeededError(field=item_id, item=item.label)
    if overwrites and old and not why:
        raise OverwriteReasonNeededError(field=item_id, item=item.label)
    if not sets_limits(entry.protocol.form(entry.form), item) or typed_by_hand(new):
        return _write(actor, entry, item, old, new, why)
    values = {**entry.values, item.id: new} if new else _without(entry.values, item.id)
    rows = rows_of_subject(entry.subject)
    beside = limits_after(entry, item, values, rows)
    return _write(actor, entry, item, old, beside.pop(item_id, new), why, beside, rows)


def confirm_finding(*, actor: Actor, entry: Entry, item_id: str, check_id: str, reason: str) -> SaveResult:
    """Keep a value in spite of a soft check, and say why; it holds while what the check looks at stays the same.

    A check that does not fire any more leaves nothing to confirm.

    Raises
    ------
    ReasonTooShortError, TextRefusedError, EntryClosedError, UnknownItemError
    """
    item = _item(entry, item_id)
    must_be_open(entry)
    words = reason_given(reason)
    old = entry.values.get(item_id)
    rows = rows_of_subject(entry.subject)
    findings = worked_form(entry, rows).picture.findings
    found = next((each for each in findings if (each.item, each.check_id) == (item_id, check_id)), None)
    if found is None or found.reason == words:
        return as_it_stands(entry)
    confirmed = {**(old or {}).get("confirmed", {}), check_id: {"reason": words, "about": found.about}}
    return _write(actor, entry, item, old, {**(old or {}), "confirmed": confirmed}, words, rows=rows)


def complete_entry(*, actor: Actor, entry: Entry) -> SaveResult:
    """Mark a form complete; from then on every change needs a reason.

    Raises
    ------
    NotReadyError
        Required items are unanswered, or something impossible stands.
    """
    must_be_open(entry)
    worked = worked_form(entry)
    if not worked.picture.can_be_completed:
        stops = sum(finding.level == "stop" for finding in worked.picture.findings)
        raise NotReadyError(count=len(worked.picture.unanswered) + stops)
    with acting(actor):
        Entry.objects.filter(pk=entry.pk).update(
            state=EntryState.COMPLETE, not_done="", version=F("version") + 1, updated_at=Now()
        )
        entry.state, entry.not_done = EntryState.COMPLETE, ""
        queries = settle_automatic_queries(entry, worked.picture, open_queries(entry))
        entry_saved.send(Entry, entry=entry, items=frozenset(entry.values), actor=actor)
    return SaveResult(worked, queries, changed=True)


def mark_not_done(*, actor: Actor, entry: Entry, reason: str) -> Entry:
    """Record that a form was not done, and why. Reasons for blanks in it stay.

    Raises
    ------
    ValuesStandError
        A value stands in it. It would count as before, in eligibility as in every export.
    ReasonTooShortError, TextRefusedError, EntryClosedError
    """
    must_be_open(entry)
    words = reason_given(reason, most=LONGEST_NOT_DONE)
    with acting(actor, reason=words):
        held = Entry.objects.select_for_update().only("values").get(pk=entry.pk)
        standing = sum(holds_value(cell) for cell in held.values.values())
        if standing:
            raise ValuesStandError(what="A value stands" if standing == 1 else f"{standing} values stand")
        Entry.objects.filter(pk=entry.pk).update(
            state=EntryState.COMPLETE, not_done=words, version=F("version") + 1, updated_at=Now()
        )
        entry.state, entry.not_done = EntryState.COMPLETE, words
        settle_automatic_queries(entry, worked_form(entry).picture, open_queries(entry))
    return entry


def take_back_not_done(*, actor: Actor, entry: Entry, reason: str) -> Entry:
    """Open a form again of which somebody said that it was not done.

    Raises
    ------
    NotLeftOutError
        Nobody said so.
    ReasonTooShortError, TextRefusedError, EntryClosedError
    """
    must_be_open(entry)
    words = reason_given(reason)
    with acting(actor, reason=words):
        if not _open_again(entry):
            raise NotLeftOutError
        settle_automatic_queries(entry, worked_form(entry).picture, open_queries(entry))
    return entry


def _open_again(entry: Entry) -> bool:
    """Whether the form was left out; from now on it is not."""
    state = EntryState.IN_PROGRESS if entry.values else EntryState.EMPTY
    found = Entry.objects.filter(pk=entry.pk).exclude(not_done="")
    opened = found.update(not_done="", state=state, version=F("version") + 1, updated_at=Now())
    if opened:
        entry.not_done, entry.state, entry.version = "", state, entry.version + 1
    return bool(opened)


def strike_out(*, actor: Actor, entry: Entry, reason: str) -> Entry:
    """Strike out a row that was entered by mistake: it stays readable and no longer counts.

    Raises
    ------
    ReasonTooShortError, TextRefusedError, EntryClosedError
    """
    must_be_open(entry)
    words = reason_given(reason)
    with acting(actor, reason=words):
        Entry.objects.filter(pk=entry.pk).update(struck_out=True, version=F("version") + 1, updated_at=Now())
        entry.struck_out = True
        settle_automatic_queries(entry, worked_form(entry).picture, open_queries(entry))
        replan_when_anchored(actor, entry, frozenset(entry.values))
        entry_saved.send(Entry, entry=entry, items=frozenset(entry.values), actor=actor)
    return entry


def take_back_strike_out(*, actor: Actor, entry: Entry, reason: str) -> Entry:
    """Let a row count again that was struck out by mistake; the trail keeps both.

    Raises
    ------
    NotStruckOutError
        The row counts as it is.
    DomainError
        An upper room forbids it (a third procedure).
    ReasonTooShortError, TextRefusedError, EntryClosedError
    """
    _must_be_unlocked(entry)
    words = reason_given(reason)
    with acting(actor, reason=words):
        held = Entry.objects.select_for_update().only("struck_out").get(pk=entry.pk)
        if not held.struck_out:
            raise NotStruckOutError
        registry.refuse_opening(entry.subject, entry.form, entry.visit)
        Entry.objects.filter(pk=entry.pk).update(struck_out=False, version=F("version") + 1, updated_at=Now())
        entry.struck_out = False
        settle_automatic_queries(entry, worked_form(entry).picture, open_queries(entry))
        replan_when_anchored(actor, entry, frozenset(entry.values))
        entry_saved.send(Entry, entry=entry, items=frozenset(entry.values), actor=actor)
    return entry


def _item(entry: Entry, item_id: str) -> Item:
    form = entry.protocol.form(entry.form)
    item = form.items_by_id.get(item_id)
    if item is None:
        raise UnknownItemError(form=entry.form, item=item_id)
    if retired_in(item):
        raise ItemRetiredError(field=item_id, item=item.label, version=retired_in(item))
    return item


def is_over(until: datetime | None) -> bool:
    """Whether the time for which a form was unlocked has passed."""
    return until is not None and until <= clock.now()


def must_be_open(entry: Entry) -> None:
    """Refuse to write to a form that is locked, frozen or struck out.

    Raises
    ------
    EntryClosedError
    """
    _must_be_unlocked(entry)
    if entry.struck_out:
        raise EntryClosedError(state="struck out")


def _must_be_unlocked(entry: Entry) -> None:
    for closed, state in (
        (entry.locked, "locked"),
        (entry.frozen, "frozen"),
        (is_over(entry.unlocked_until), "unlocked, but the time for changes is over"),
    ):
        if closed:
            raise EntryClosedError(state=state)


def read_typed(entry: Entry, item: Item, typed: Typed) -> Cell:
    """Read what was typed into an item of an entry.

    Raises
    ------
    ItemRefusedError
    """
    codelist = rules_of(entry.protocol, entry.form).codelists[item.id]
    try:
        return read_cell(item, codelist, typed, clock.today(entry.subject.site.time_zone))
    except CellFault as fault:
        raise ItemRefusedError(field=item.id, message=str(fault), readings=fault.readings) from None


def as_it_stands(entry: Entry) -> SaveResult:
    """The answer to a save that had nothing to do."""
    return SaveResult(worked_form(entry), tuple(open_queries(entry)), changed=False)


def _changed_meanwhile(actor: Actor, entry: Entry, item: Item) -> ChangedMeanwhileError:
    codelist = rules_of(entry.protocol, entry.form).codelists[item.id]
    value = cell_text(item, codelist, entry.values.get(item.id)) or "nothing"
    versions = item_history("casebook_entry", entry.pk, "values", item.id)
    who = versions[-1].actor if versions else "Somebody else"
    at = (versions[-1].at if versions else entry.updated_at).astimezone(
        ZoneInfo(entry.subject.site.time_zone)
    )
    return ChangedMeanwhileError(
        field=item.id,
        who="You (in another window)" if who == actor.name else who,
        at=f"{at:%H:%M}",
        value=value,
    )


def _write(
    actor: Actor,
    entry: Entry,
    item: Item,
    old: Cell | None,
    new: Cell,
    reason: str,
    beside: Mapping[str, Cell] | None = None,
    rows: Sequence[Row] | None = None,
) -> SaveResult:
    """Put one cell into the document, and those whose limits go with it, unless one is no longer what it was.

    Parameters
    ----------
    rows
        The subject's entries, when they were read before.
    """
    beside = beside or {}
    values = {**entry.values, item.id: new} if new else _without(entry.values, item.id)
    values = {**values, **beside}
    complete = entry.state == EntryState.COMPLETE and not entry.not_done
    state = EntryState.COMPLETE if complete else EntryState.IN_PROGRESS
    left_out, before = entry.not_done, (entry.values, entry.state)
    entry.values, entry.state = values, state
    worked = worked_form(entry, rows)
    with acting(actor, reason=reason):
        if left_out:
            _open_again(entry)  # a value was entered: it was done after all
            entry.state = state
        seen = {item.id: old, **{key: before[0][key] for key in beside}}
        put = put_cells(entry, seen, {**beside, item.id: new}, state)
        if put is None:
            entry.values, entry.state = before
            entry.refresh_from_db(fields=["values", "state", "not_done", "frozen", "locked", "updated_at"])
            must_be_open(entry)
            raise _changed_meanwhile(actor, entry, item)
        entry.version += 1
        if not same_content(old, new):
            entry.signing = Signing.AGAIN if entry.signing else ""
            _note_change([query for query in put.queries if query.item == item.id])
        settled = settle_automatic_queries(entry, worked.picture, put.queries, {item.id, *beside})
        replan_when_anchored(actor, entry, frozenset({item.id}))
        try:
            moved = frozenset({item.id, *beside})
            entry_saved.send(Entry, entry=entry, items=moved, actor=actor, beside=put)
        except DomainError:  # an upper room refuses: nothing is written, so the entry is what it was
            entry.values, entry.state = before
            entry.not_done = left_out
            raise
    return SaveResult(worked, settled, changed=True, moved=frozenset(beside))


def _without(values: Mapping[str, Cell], item_id: str) -> dict[str, Cell]:
    return {key: cell for key, cell in values.items() if key != item_id}


def _note_change(queries: list[Query]) -> None:
    """Queries on an item that changed while they stood open did lead to a change."""
    waiting = [query.pk for query in queries if not query.led_to_change]
    if waiting:
        Query.objects.filter(pk__in=waiting).update(led_to_change=True)
