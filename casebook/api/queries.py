"""Queries: those that wait, their threads, answering and closing them."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from casebook import services
from casebook.models import Query, QueryOrigin, QueryState
from casebook.pages.queries import QueryRow, query_rows
from casebook.selectors import LOG, OPEN_STATES, get_query, queries_visible_to, thread_of
from foundation.api import (
    Input,
    NumberPageQuery,
    Text,
    asked,
    keyset_page,
    page_of,
    problems,
    received,
    rows_as,
)

TAGS = ["queries"]
WAITING = "WAITING"


class QueryShown(serializers.Serializer[Any]):
    """A question about an item, or about a whole form."""

    id = serializers.IntegerField(source="pk")
    subject = serializers.CharField(source="subject.number")
    visit = serializers.SerializerMethodField()
    form = serializers.CharField(source="entry.form")
    repeat = serializers.IntegerField(source="entry.repeat")
    item = serializers.CharField(help_text="Empty: the whole form.")
    origin = serializers.ChoiceField(choices=QueryOrigin.choices)
    check_id = serializers.CharField(help_text="The edit check that raised it, if one did.")
    state = serializers.ChoiceField(choices=QueryState.choices)
    raised_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    led_to_change = serializers.BooleanField()

    def get_visit(self, query: Query) -> str:
        """Name of the visit, or `log`."""
        return str(query.entry.visit or LOG)


class QueryRowShown(QueryShown):
    """A query in a list, with what was said last."""

    last_words = serializers.CharField()
    last_by = serializers.CharField()


class MessageShown(serializers.Serializer[Any]):
    """One message of a thread."""

    at = serializers.DateTimeField()
    author = serializers.CharField(source="author_name")
    role = serializers.CharField(source="author_role")
    text = serializers.CharField()


class QueryDetail(QueryShown):
    """A query with its thread."""

    messages = MessageShown(many=True)


class QueriesQuery(NumberPageQuery):
    """Which queries."""

    state = serializers.ChoiceField(
        choices=[(WAITING, "Open or answered"), *QueryState.choices], required=False, default=WAITING
    )
    trial = Text(required=False, default="")
    subject = Text(required=False, default="", help_text="Number of a subject.")


class Say(Input):
    """Words."""

    text = Text(max_length=10_000)


class SayOrNot(Input):
    """Words, where there is something to say."""

    text = Text(max_length=10_000, required=False, default="", allow_blank=True)


class Queries(Endpoint):
    """Queries that one may see."""

    sees = "entry.view"

    @extend_schema(
        operation_id="queries",
        tags=TAGS,
        summary="List queries",
        parameters=[QueriesQuery],
        responses={200: page_of(QueryRowShown), **problems(404, 422)},
    )
    def get(self, request: Request) -> Response:
        """Queries of your sites, the oldest first."""
        wanted = asked(request, QueriesQuery)
        states = OPEN_STATES if wanted["state"] == WAITING else (wanted["state"],)
        found = queries_visible_to(self.access).filter(state__in=states)
        for key, lookup in (("trial", "subject__trial__code"), ("subject", "subject__number")):
            if wanted[key]:
                found = found.filter(**{lookup: wanted[key]})
        return keyset_page(
            request, found, wanted, lambda rows: [_row(each) for each in query_rows(rows)], key="pk"
        )


def _row(row: QueryRow) -> dict[str, Any]:
    return {**QueryShown(row.query).data, "last_words": row.last_words, "last_by": row.last_by}


def _detail(query: Query) -> Response:
    thread = rows_as(MessageShown, thread_of(query))
    return Response({**QueryShown(query).data, "messages": thread})


class OneQuery(Endpoint):
    """A query."""

    sees = "entry.view"

    @extend_schema(
        operation_id="query", tags=TAGS, summary="Show a query", responses={200: QueryDetail, **problems(404)}
    )
    def get(self, request: Request, query: int) -> Response:
        """A query with its thread."""
        return _detail(get_query(self.access, query))


class _Move(Endpoint):
    """Something that is done to a query."""

    sees = "entry.view"
    shape: ClassVar[type[Input]] = Say
    service: ClassVar[Any]

    def moved(self, request: Request, number: int) -> Response:
        """Do it."""
        query = get_query(self.access, number)
        trial, site = query.subject.trial.code, query.subject.site.code
        self.access.require(self.does["POST"], trial, site)
        sent = received(request, self.shape)
        type(self).service(actor=self.access.actor(trial, site), query=query, text=sent["text"])
        return _detail(get_query(self.access, number))


class AnswerQuery(_Move):
    """An answer."""

    does = {"POST": "query.answer"}
    service = staticmethod(services.answer_query)

    @extend_schema(
        operation_id="answer_query",
        tags=TAGS,
        summary="Answer a query",
        request=Say,
        responses={200: QueryDetail, **problems(400, 403, 404, 409, 422)},
    )
    def post(self, request: Request, query: int) -> Response:
        """Answer an open query."""
        return self.moved(request, query)


class CloseQuery(_Move):
    """The end of a query."""

    does = {"POST": "query.close"}
    shape = SayOrNot
    service = staticmethod(services.close_query)

    @extend_schema(
        operation_id="close_query",
        tags=TAGS,
        summary="Close a query",
        request=SayOrNot,
        responses={200: QueryDetail, **problems(400, 403, 404, 409, 422)},
    )
    def post(self, request: Request, query: int) -> Response:
        """Close a query that is settled."""
        return self.moved(request, query)


class ReopenQuery(_Move):
    """A query that is asked again."""

    does = {"POST": "query.close"}
    service = staticmethod(services.reopen_query)

    @extend_schema(
        operation_id="reopen_query",
        tags=TAGS,
        summary="Open a query again",
        request=Say,
        responses={200: QueryDetail, **problems(400, 403, 404, 409, 422)},
    )
    def post(self, request: Request, query: int) -> Response:
        """Ask again, and say why."""
        return self.moved(request, query)
