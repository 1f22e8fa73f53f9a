"""The thread between those who check and those who entered."""

from __future__ import annotations

from django.db.models.functions import Now

from audit.context import Actor, acting
from casebook.errors import EmptyTextError, QueryStateError, UnknownItemError
from casebook.models import Entry, Query, QueryMessage, QueryOrigin, QueryState


def raise_query(*, actor: Actor, entry: Entry, item: str, text: str) -> Query:
    """Ask about an item (or, with an empty item, about the form). Empty items can be asked about too.

    Raises
    ------
    EmptyTextError, UnknownItemError
    """
    words = _words(text)
    form = entry.protocol.form(entry.form)
    if item and item not in form.items_by_id:
        raise UnknownItemError(form=entry.form, item=item)
    with acting(actor):
        query = Query.objects.create(
            entry=entry, subject_id=entry.subject_id, item=item, origin=QueryOrigin.MANUAL
        )
        _say(actor, query, words)
    return query


def answer_query(*, actor: Actor, query: Query, text: str) -> Query:
    """Answer an open query.

    Raises
    ------
    EmptyTextError, QueryStateError
    """
    return _move(actor, query, {QueryState.OPEN}, QueryState.ANSWERED, "answered", _words(text))


def close_query(*, actor: Actor, query: Query, text: str = "") -> Query:
    """Close a query; the one who asks decides when it is settled.

    Raises
    ------
    QueryStateError
    """
    return _move(
        actor, query, {QueryState.OPEN, QueryState.ANSWERED}, QueryState.CLOSED, "closed", text.strip()
    )


def reopen_query(*, actor: Actor, query: Query, text: str) -> Query:
    """Ask again.

    Raises
    ------
    EmptyTextError, QueryStateError
    """
    return _move(
        actor, query, {QueryState.ANSWERED, QueryState.CLOSED}, QueryState.OPEN, "opened again", _words(text)
    )


def _move(
    actor: Actor, query: Query, allowed: set[QueryState], state: QueryState, verb: str, words: str
) -> Query:
    with acting(actor):
        held = Query.objects.select_for_update().get(pk=query.pk)
        if held.state not in allowed:
            raise QueryStateError(state=held.get_state_display().lower(), verb=verb)
        Query.objects.filter(pk=held.pk).update(
            state=state, closed_at=Now() if state == QueryState.CLOSED else None
        )
        if words:
            _say(actor, held, words)
    held.state = state
    return held


def _say(actor: Actor, query: Query, words: str) -> None:
    QueryMessage.objects.create(
        query=query, author_id=actor.id, author_name=actor.name, author_role=actor.role, text=words
    )


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise EmptyTextError(field="text")
    return words
