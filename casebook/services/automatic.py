"""Queries that checks open, and that close themselves when their cause is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from django.db.models.functions import Now

from casebook.models import CheckFiring, Entry, EntryState, Query, QueryMessage, QueryOrigin, QueryState
from casebook.rules.applicability import forms_left_out
from casebook.rules.dependence import graded_items
from casebook.rules.picture import Finding, Picture, ProtocolKey, rules_of
from casebook.rules.projection import Row, latest_values
from casebook.rules.yields import watched_digest
from casebook.selectors import OPEN_STATES, dated, entries, row_of, worked_form
from trials.schema import Protocol

AUTHOR = "Automatic check"


def settle_automatic_queries(
    entry: Entry, picture: Picture, known: Sequence[Query], changed: Collection[str] | None = None
) -> tuple[Query, ...]:
    """Bring the automatic queries of an entry in line with its findings.

    While a form is in progress its findings are shown beside the items; from the moment it is complete each
    finding that nobody settled is a query. A form that was struck out or not done has none. Runs inside the saving
    transaction.

    Parameters
    ----------
    changed
        The items that this save changed: a check that watches none of them has not fired anew. None for all.

    Returns
    -------
    tuple of Query
        All queries of the entry that are not closed now.
    """
    counts = not entry.not_done and not entry.struck_out
    causes = {(each.item, each.check_id): each for each in picture.open_findings} if counts else {}
    _count(entry, causes.values(), changed)
    automatic = {(query.item, query.check_id): query for query in known if query.origin == QueryOrigin.CHECK}
    gone = [query for key, query in automatic.items() if key not in causes]
    if gone:
        _close(gone)
    raised: list[Query] = []
    if entry.state == EntryState.COMPLETE:
        raised = [_raise(entry, finding) for key, finding in causes.items() if key not in automatic]
    return (*(query for query in known if query not in gone), *raised)


def settle_other_forms(entry: Entry, items: Collection[str], complete: Collection[str] | None = None) -> None:
    """Bring the automatic queries of a subject's other forms in line, where those look at what changed here.

    Among them may be the same form at other visits, and other rows of it. Nothing is read where no rule names what
    changed, or no form with such a rule is complete.

    Parameters
    ----------
    complete
        Codes of the subject's other forms that are complete; looked up where None.
    """
    looking = forms_looking_at(entry.protocol, entry.form, items)
    if complete is not None:
        looking &= set(complete)
    if not looking:
        return
    others = entries().filter(subject=entry.subject, form__in=looking, state=EntryState.COMPLETE)
    _settle(entry, [each for each in others.order_by("pk") if each.pk != entry.pk and not each.locked])


def _settle(changed: Entry, others: Sequence[Entry]) -> None:
    if not others:
        return
    mine = Entry.objects.filter(subject=changed.subject, struck_out=False).select_related("visit")
    rows = [row_of(each) for each in _with_subject(mine.order_by("pk"), changed)]
    waiting: dict[int, list[Query]] = defaultdict(list)
    for query in Query.objects.filter(subject=changed.subject, state__in=OPEN_STATES):
        waiting[query.entry_id].append(query)
    for each in others:
        picture = worked_form(each, rows).picture
        if _left_out(each, rows):
            picture = Picture(frozenset(), {}, (), ())
        settle_automatic_queries(each, picture, waiting[each.pk])


def _with_subject(found: Iterable[Entry], changed: Entry) -> Iterable[Entry]:
    for each in found:
        each.subject = changed.subject
        yield each


def _left_out(entry: Entry, rows: Sequence[Row]) -> bool:
    """Whether the form as a whole does not apply to the subject any more."""
    protocol, on = entry.protocol, dated(entry)
    if not protocol.form(entry.form).applies:
        return False
    return entry.form in forms_left_out(protocol, latest_values(protocol, rows, on), on)


def forms_looking_at(protocol: Protocol, form: str, items: Collection[str]) -> set[str]:
    """Codes of the forms whose rules name the latest value of one of these items, or the rows of this form.

    Among them are forms of events, where the item is one by whose value an event is graded.
    """
    named = _lookers(ProtocolKey(protocol))
    found = set(named.get(form, frozenset()))
    for item in items:
        found |= named.get(f"{form}.{item}", frozenset())
    return found


@lru_cache(maxsize=32)
def _lookers(key: ProtocolKey) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for form in key.protocol.forms:
        for name in rules_of(key.protocol, form.code).names:
            found[name].add(form.code)
    events = {form.code for form in key.protocol.forms if form.graded}
    for code, items in graded_items(key.protocol).items():
        for item in items:
            found[f"{code}.{item}"] |= events
    return {name: frozenset(codes) for name, codes in found.items()}


def _count(entry: Entry, findings: Iterable[Finding], changed: Collection[str] | None) -> None:
    """Keep that these checks fired, each once for an item of a form."""
    rules = rules_of(entry.protocol, entry.form)
    watching = ((each, rules.watched(each.item, each.check_id)) for each in findings)
    fired = [
        CheckFiring(
            entry_id=entry.pk,
            subject_id=entry.subject_id,
            item=each.item,
            check_id=each.check_id,
            watched=watched_digest(entry.values, watched),
        )
        for each, watched in watching
        if changed is None or not watched.isdisjoint(changed)
    ]
    if fired:
        CheckFiring.objects.bulk_create(fired, ignore_conflicts=True)


def _close(queries: Sequence[Query]) -> None:
    """Close queries whose cause is gone: something that the check looks at was changed, here or in another form."""
    Query.objects.filter(pk__in=[query.pk for query in queries]).update(
        state=QueryState.CLOSED, closed_at=Now(), led_to_change=True
    )
    QueryMessage.objects.bulk_create(
        QueryMessage(query=query, author_name=AUTHOR, text="Closed: the cause is gone.") for query in queries
    )


def _raise(entry: Entry, finding: Finding) -> Query:
    query = Query.objects.create(
        entry=entry,
        subject=entry.subject,
        item=finding.item,
        origin=QueryOrigin.CHECK,
        check_id=finding.check_id,
    )
    QueryMessage.objects.create(query=query, author_name=AUTHOR, text=finding.message)
    return query
