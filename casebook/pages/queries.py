"""Rows of the query list, and what it can be narrowed to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.access import Access
from casebook.models import DESKS, Desk, Query, QueryMessage, QueryState
from casebook.pages.addresses import form_url
from casebook.selectors import OPEN_STATES

AGES = {"7": "Over 7 days", "14": "Over 14 days", "30": "Over 30 days"}
MINE = "mine"


@dataclass(frozen=True)
class QueryRow:
    """One query in a list."""

    query: Query
    place: str
    item: str
    url: str
    last_words: str
    last_by: str
    may_close: bool = False


@dataclass(frozen=True)
class Narrowing:
    """What a list of queries is narrowed to, as the address says it."""

    state: str = ""
    trial: str = ""
    site: str = ""
    form: str = ""
    age: str = ""
    waits_for: str = ""

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Narrowing:
        """From the parts of an address; what is not known narrows to nothing."""
        return cls(
            state=sent.get("state", "") if sent.get("state") in QueryState.values else "",
            trial=sent.get("trial", ""),
            site=sent.get("site", ""),
            form=sent.get("form", ""),
            age=sent.get("age", "") if sent.get("age") in AGES else "",
            waits_for=sent.get("waits_for", "") if sent.get("waits_for") in {MINE, *Desk.values} else "",
        )

    def applied(self, found: QuerySet[Query], access: Access, now: datetime) -> QuerySet[Query]:
        """The queries that fit, those that wait longest first."""
        wanted: dict[str, Any] = {"state": self.state} if self.state else {"state__in": OPEN_STATES}
        for path, code in (
            ("subject__trial__code", self.trial),
            ("subject__site__code", self.site),
            ("entry__form", self.form),
        ):
            wanted |= {path: code} if code else {}
        if self.age:
            wanted["raised_at__lt"] = now - timedelta(days=int(self.age))
        if self.waits_for:
            desks = desks_of(access) if self.waits_for == MINE else {self.waits_for}
            wanted["waits_for__in"] = sorted(desks)
        return found.filter(**wanted).order_by("raised_at", "pk")

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """What it is narrowed to, by the names in the address."""
        named = (
            ("state", self.state),
            ("trial", self.trial),
            ("site", self.site),
            ("form", self.form),
            ("age", self.age),
            ("waits_for", self.waits_for),
        )
        return tuple((name, value) for name, value in named if value)

    @property
    def address(self) -> str:
        """The parts of an address that say the same, but for the page."""
        return urlencode(self.parts)


def desks_of(access: Access) -> set[str]:
    """The desks at which a person works off queries."""
    return {str(DESKS[role]) for role in access.roles() if role in DESKS}


def with_last_words(found: QuerySet[Query]) -> QuerySet[Query]:
    """Queries with the newest message of each, in the same statement."""
    newest = QueryMessage.objects.filter(query=OuterRef("pk")).order_by("-at", "-pk")
    return found.annotate(
        last_words=Subquery(newest.values("text")[:1]), last_by=Subquery(newest.values("author_name")[:1])
    )


def query_rows(queries: Iterable[Query], access: Access | None = None) -> list[QueryRow]:
    """Rows of queries; one statement for their newest messages where those did not come along."""
    found = list(queries)
    newest: dict[int, tuple[str, str]] = {}
    if found and not hasattr(found[0], "last_words"):
        for message in QueryMessage.objects.filter(query__in=found).order_by("at", "pk"):
            newest[message.query_id] = (message.text, message.author_name)
    return [_row(query, newest.get(query.pk), access) for query in found]


def _row(query: Query, said: tuple[str, str] | None, access: Access | None) -> QueryRow:
    query.entry.subject = query.subject  # it came along with the query
    form = query.entry.protocol.form(query.entry.form)
    item = form.items_by_id.get(query.item)
    address = form_url(query.subject, query.entry.visit, query.entry.form, query.entry.repeat)
    words, by = said or (getattr(query, "last_words", "") or "", getattr(query, "last_by", "") or "")
    subject = query.subject
    return QueryRow(
        query=query,
        place=f"{form.name}, {query.entry.visit or 'running log'}",
        item=item.label if item else "Whole form",
        url=f"{address}#row-{query.item}" if query.item else address,
        last_words=words,
        last_by=by,
        may_close=access is not None
        and query.state != QueryState.CLOSED
        and access.may("query.close", subject.trial.code, subject.site.code),
    )
