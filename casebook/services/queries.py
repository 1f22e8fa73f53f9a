"""The thread between those who check and those who entered."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models.functions import Now

from audit.context import Actor, acting
from casebook.errors import OtherDeskError, QueryStateError, UnknownItemError
from casebook.models import DESKS, Desk, Entry, Query, QueryMessage, QueryOrigin, QueryState
from casebook.services.words import LONGEST_MESSAGE, message_written, plain
from foundation.errors import DomainError

AT_ONCE = 200
"""Queries that one person closes in one go."""


def desks_of(role: str) -> list[Desk]:
    """The desks at which somebody in this role (or in several, separated by commas) works off queries."""
    held = [name.strip() for name in role.split(",")]
    return [desk for name, desk in DESKS.items() if name in held]


def desk_of(role: str) -> Desk:
    """The first of these desks."""
    return next(iter(desks_of(role)), Desk.DATAMANAGER)


def raise_query(*, actor: Actor, entry: Entry, item: str, text: str, waits_for: Desk = Desk.SITE) -> Query:
    """Ask about an item (or, with an empty item, about the form). Empty items can be asked about too.

    Raises
    ------
    EmptyTextError, UnknownItemError
    """
    words = message_written(text)
    form = entry.protocol.form(entry.form)
    if item and item not in form.items_by_id:
        raise UnknownItemError(form=entry.form, item=item)
    asked = _asked_already(actor, entry, item, words)
    if asked is not None:
        return asked
    with acting(actor):
        query = Query.objects.create(
            entry=entry,
            subject_id=entry.subject_id,
            item=item,
            origin=QueryOrigin.MANUAL,
            waits_for=waits_for,
            asked_by=desk_of(actor.role),
        )
        _say(actor, query, words)
    return query


def answer_query(*, actor: Actor, query: Query, text: str) -> Query:
    """Answer an open query that waits for the desk of whoever answers.

    Raises
    ------
    EmptyTextError, QueryStateError, OtherDeskError
    """
    if query.state == QueryState.OPEN and query.waits_for not in desks_of(actor.role):
        raise OtherDeskError(desk=Desk(query.waits_for).label)
    return _move(actor, query, {QueryState.OPEN}, QueryState.ANSWERED, "answered", message_written(text))


def close_query(*, actor: Actor, query: Query, text: str = "") -> Query:
    """Close a query; the one who asks decides when it is settled.

    Raises
    ------
    QueryStateError
    """
    words = plain(text, field="text", most=LONGEST_MESSAGE)
    return _move(actor, query, {QueryState.OPEN, QueryState.ANSWERED}, QueryState.CLOSED, "closed", words)


def reopen_query(*, actor: Actor, query: Query, text: str) -> Query:
    """Ask again: the desk that answered last, else the site.

    Raises
    ------
    EmptyTextError, QueryStateError
    """
    return _move(
        actor,
        query,
        {QueryState.ANSWERED, QueryState.CLOSED},
        QueryState.OPEN,
        "opened again",
        message_written(text),
    )


def assign_query(*, actor: Actor, query: Query, waits_for: Desk) -> Query:
    """Hand a query that is not closed to another desk.

    Raises
    ------
    QueryStateError
    """
    with acting(actor, reason=f"handed to: {waits_for.label}"):
        held = Query.objects.select_for_update().get(pk=query.pk)
        if held.state == QueryState.CLOSED:
            raise QueryStateError(state="closed", verb="handed on")
        if held.waits_for != waits_for:
            Query.objects.filter(pk=held.pk).update(waits_for=waits_for)
    query.waits_for = waits_for
    return query


def close_queries(*, actor: Actor, queries: Iterable[Query], text: str) -> tuple[int, int]:
    """Close several queries with the same words; one that was closed meanwhile is passed over.

    Returns
    -------
    tuple of int
        How many were closed, and how many were not.

    Raises
    ------
    EmptyTextError
    """
    words = message_written(text)
    closed, left = 0, 0
    for query in queries:
        try:
            close_query(actor=actor, query=query, text=words)
            closed += 1
        except DomainError:
            left += 1
    return closed, left


def _move(
    actor: Actor, query: Query, allowed: set[QueryState], state: QueryState, verb: str, words: str
) -> Query:
    with acting(actor):
        held = Query.objects.select_for_update().get(pk=query.pk)
        if held.state not in allowed:
            raise QueryStateError(state=held.get_state_display().lower(), verb=verb)
        turn = held.waits_for
        if state == QueryState.ANSWERED:
            turn = Desk(held.asked_by)
        elif state == QueryState.OPEN:
            turn = _answered_by(held)
        Query.objects.filter(pk=held.pk).update(
            state=state, waits_for=turn, closed_at=Now() if state == QueryState.CLOSED else None
        )
        if words:
            _say(actor, held, words)
    held.state = state
    return held


def _answered_by(query: Query) -> Desk:
    """The desk that said something last and is not the one that asks; the site where nobody did."""
    said = QueryMessage.objects.filter(query=query).exclude(author_role="").order_by("-pk")
    desks = (desk_of(role) for role in said.values_list("author_role", flat=True))
    return next((desk for desk in desks if desk != query.asked_by), Desk.SITE)


def _asked_already(actor: Actor, entry: Entry, item: str, words: str) -> Query | None:
    """The open query in which the same person asks the same: the request came twice."""
    said = QueryMessage.objects.filter(
        query__entry=entry, query__item=item, query__state=QueryState.OPEN, author_id=actor.id, text=words
    )
    message = said.select_related("query").first()
    return message.query if message else None


def _say(actor: Actor, query: Query, words: str) -> None:
    QueryMessage.objects.create(
        query=query, author_id=actor.id, author_name=actor.name, author_role=actor.role, text=words
    )
