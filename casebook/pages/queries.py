"""Rows of the query list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from casebook.models import Query, QueryMessage
from casebook.pages.addresses import form_url


@dataclass(frozen=True)
class QueryRow:
    """One query in a list."""

    query: Query
    place: str
    item: str
    url: str
    last_words: str
    last_by: str


def query_rows(queries: Iterable[Query]) -> list[QueryRow]:
    """Rows with the newest message of each query; one statement for all messages."""
    found = list(queries)
    newest: dict[int, QueryMessage] = {}
    for message in QueryMessage.objects.filter(query__in=found).order_by("at", "pk"):
        newest[message.query_id] = message
    return [_row(query, newest.get(query.pk)) for query in found]


def _row(query: Query, message: QueryMessage | None) -> QueryRow:
    form = query.subject.version.protocol.form(query.entry.form)
    item = form.items_by_id.get(query.item)
    address = form_url(query.subject, query.entry.visit, query.entry.form, query.entry.repeat)
    return QueryRow(
        query=query,
        place=f"{form.name}, {query.entry.visit or 'running log'}",
        item=item.label if item else "Whole form",
        url=f"{address}#row-{query.item}" if query.item else address,
        last_words=message.text if message else "",
        last_by=message.author_name if message else "",
    )
