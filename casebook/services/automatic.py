"""Queries that checks open, and that close themselves when their cause is gone."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models.functions import Now

from casebook.models import Entry, EntryState, Query, QueryMessage, QueryOrigin, QueryState
from casebook.rules.picture import Finding, Picture

AUTHOR = "Automatic check"


def settle_automatic_queries(entry: Entry, picture: Picture, known: Sequence[Query]) -> tuple[Query, ...]:
    """Bring the automatic queries of an entry in line with its findings.

    While a form is in progress its findings are shown beside the items; from the moment it is complete each
    finding that nobody settled is a query. Runs inside the saving transaction.

    Returns
    -------
    tuple of Query
        All queries of the entry that are not closed now.
    """
    causes = {(finding.item, finding.check_id): finding for finding in picture.open_findings}
    automatic = {(query.item, query.check_id): query for query in known if query.origin == QueryOrigin.CHECK}
    gone = [query for key, query in automatic.items() if key not in causes]
    if gone:
        _close(gone)
    raised: list[Query] = []
    if entry.state == EntryState.COMPLETE and not entry.not_done:
        raised = [_raise(entry, finding) for key, finding in causes.items() if key not in automatic]
    return (*(query for query in known if query not in gone), *raised)


def _close(queries: Sequence[Query]) -> None:
    Query.objects.filter(pk__in=[query.pk for query in queries]).update(
        state=QueryState.CLOSED, closed_at=Now()
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
