"""What an amendment does to a subject's casebook: nothing that was entered changes its value or its meaning."""

from __future__ import annotations

from collections.abc import Mapping

from audit.context import Actor
from casebook.errors import CasebookLockedError
from casebook.models import Entry, EntryState, Query
from casebook.rules.amended import same_meaning
from casebook.selectors import OPEN_STATES, entries, row_of, worked_form
from casebook.services.anchors import replan
from casebook.services.automatic import settle_automatic_queries
from casebook.services.signing import settle_signatures
from patients.models import Subject
from trials.models import ProtocolVersion
from trials.schema import Form, Protocol


def take_over(*, actor: Actor, subject: Subject, previous: ProtocolVersion) -> None:
    """Bring a casebook under the version that its subject moved to.

    Completed forms stay on the version under which they were entered, and so does a form begun that holds a value which
    would mean something else now, or that is gone. Visits that have not happened are planned anew. A completed form
    that gained an item asks for it by a query, and is signed again. Runs inside the transaction of the move.

    Raises
    ------
    CasebookLockedError
        Every form is locked.
    """
    mine = list(entries().filter(subject=subject).order_by("pk"))
    if mine and all(entry.locked for entry in mine):
        raise CasebookLockedError(number=subject.number, version=subject.version.label)
    staying = [entry for entry in mine if stays(entry, previous.protocol, subject.version.protocol)]
    Entry.objects.filter(pk__in=[entry.pk for entry in staying]).update(entered_under=previous)
    for entry in staying:
        entry.entered_under = previous
    for entry in mine:
        entry.subject = subject
    replan(actor=actor, subject=subject)
    ask_for_additions(subject, mine)
    settle_signatures(
        actor=actor, subject=subject, reason=f"Protocol {subject.version.label} adds to what was signed"
    )


def stays(entry: Entry, before: Protocol, after: Protocol) -> bool:
    """Whether an entry that followed its subject so far stays on the version before."""
    if entry.entered_under_id is not None:
        return False
    forms = {form.code: form for form in after.forms}
    if entry.form not in forms:
        return True
    if entry.state == EntryState.COMPLETE:
        return True
    return not _means_the_same(entry.values, before.form(entry.form), forms[entry.form], before, after)


def _means_the_same(
    values: Mapping[str, object], before: Form, after: Form, old: Protocol, new: Protocol
) -> bool:
    """Whether every value that was entered means the same on the form of the later version."""
    now = {item.id: item for item in after.items}
    return all(
        same_meaning(before.items_by_id[key], now[key])
        and _codes(old, before.items_by_id[key].codelist) <= _codes(new, now[key].codelist)
        for key in values
        if key in now and key in before.items_by_id
    )


def _codes(protocol: Protocol, codelist: str) -> set[str]:
    return {code.code for code in protocol.codelist(codelist).codes} if codelist else set()


def ask_for_additions(subject: Subject, mine: list[Entry]) -> None:
    """Raise the queries of completed forms that an amendment gave more items."""
    rows = [row_of(entry) for entry in mine if not entry.struck_out]
    asked: dict[int, list[Query]] = {}
    for query in Query.objects.filter(subject=subject, state__in=OPEN_STATES):
        asked.setdefault(query.entry_id, []).append(query)
    for entry in mine:
        if entry.entered_under_id is None or entry.struck_out or entry.state != EntryState.COMPLETE:
            continue
        if not entry.not_done:
            settle_automatic_queries(entry, worked_form(entry, rows).picture, asked.get(entry.pk, []))
