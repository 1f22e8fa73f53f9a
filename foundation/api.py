"""What all addresses for programs share: problems as RFC 9457 has them, strict input, keyset pages, limits of rate."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from django.core.cache import BaseCache, caches
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.request import QueryDict
from django.utils.connection import ConnectionProxy
from drf_spectacular.utils import OpenApiResponse, inline_serializer
from redis.exceptions import RedisError
from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from foundation.errors import DomainError, NotFound
from foundation.web import problem_document

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
WHOLE_BODY = "body"
"""Name under which a message about no field in particular stands."""

M = TypeVar("M", bound=Model)


# Problems -----------------------------------------------------------------------------------------------------------


class TooLarge(exceptions.APIException):
    """More was sent than is taken at one go."""

    status_code = 413
    default_code = "too_large"
    default_detail = "More was sent than is taken at one go."


class Problem(serializers.Serializer[Any]):
    """What went wrong (RFC 9457)."""

    type = serializers.CharField(help_text="Names the kind of problem: `urn:hilum:problem:…`.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence for a person.")
    instance = serializers.CharField(help_text="The address that was asked.")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), required=False, help_text="A sentence for each field that was refused."
    )


def problem_response(
    request: Request, error: DomainError, *, errors: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """The answer to a broken rule.

    Parameters
    ----------
    errors
        A sentence for each field, where the error itself does not say which.
    **more
        Further members of the document.
    """
    document = problem_document(cast("HttpRequest", request), error)
    if errors:
        document["errors"] = dict(errors)
    return Response({**document, **more}, status=error.status, content_type=PROBLEM_TYPE)


def answer_problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Exception handler of the REST framework: every refusal is a problem document; a bug stays a bug."""
    request: Request = context["request"]
    if isinstance(error, Http404):
        error = NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        error = TooLarge()
    if isinstance(error, DomainError):
        return problem_response(request, error)
    if not isinstance(error, exceptions.APIException):
        return None
    return Response(
        _document(request, error), error.status_code, headers=_headers(error), content_type=PROBLEM_TYPE
    )


def _document(request: Request, error: exceptions.APIException) -> dict[str, Any]:
    refused = isinstance(error, exceptions.ValidationError)
    if refused:
        error.status_code = 422
    code = "invalid" if refused else error.default_code
    document = {
        "type": f"urn:hilum:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": error.status_code,
        "detail": "Please check what is marked." if refused else str(error.detail),
        "instance": request.path,
    }
    if refused:
        document["errors"] = flat_errors(error.detail)
    return document


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def flat_errors(detail: Any, path: str = "") -> dict[str, str]:
    """One sentence for each place, its names joined by dots (`items.HGB.value`)."""
    if isinstance(detail, Mapping):
        found: dict[str, str] = {}
        for name, inner in detail.items():
            here = str(name) if name != "non_field_errors" else ""
            found |= flat_errors(inner, ".".join(filter(None, (path, here))))
        return found
    if isinstance(detail, list):
        if all(isinstance(each, str) for each in detail):
            return {path or WHOLE_BODY: " ".join(map(str, detail))}
        found = {}
        for place, inner in enumerate(detail):
            found |= flat_errors(inner, f"{path}.{place}".lstrip(".")) if inner else {}
        return found
    return {path or WHOLE_BODY: str(detail)}


def problems(*statuses: int) -> dict[Any, Any]:
    """For the description of an endpoint: that these statuses are answered with a problem."""
    words = {
        400: "The body could not be read.",
        403: "It is there, and your role or token does not allow this.",
        404: "There is nothing at this address, or you have no access to it.",
        409: "Something stands against it as things are now.",
        413: "More was sent than is taken at one go.",
        422: "Something that was sent was refused; `errors` says what and why.",
        428: "A reason is needed; send the same again with one.",
    }
    always = (401, 429)
    words |= {
        401: "No valid session or token.",
        429: "Too many requests; `Retry-After` says how long to wait.",
    }
    return {
        (status, PROBLEM_TYPE): OpenApiResponse(Problem, description=words[status])
        for status in sorted({*statuses, *always})
    }


# Input --------------------------------------------------------------------------------------------------------------


class Input(serializers.Serializer[Any]):
    """What a program sends. A field that is not known is refused, for it is a misspelt one that would be lost."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown names before anything else is read."""
        if isinstance(data, Mapping):
            known = [name for name, field in self.fields.items() if not field.read_only]
            unknown = sorted(set(map(str, data)) - set(known))
            if unknown:
                words = f"There is no such field. Known: {', '.join(known)}."
                raise serializers.ValidationError({name: [words] for name in unknown})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text, and nothing that would have to be turned into text: a JSON number loses what was typed."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": 'Send this as text in quotes; a number too, such as "12.40", so that no digit is lost.'
    }

    def to_internal_value(self, data: Any) -> str:
        """Take text only."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def received(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The body of a request, read by a serializer.

    Raises
    ------
    rest_framework.exceptions.ValidationError
    """
    return _valid(shape(data=request.data))


def asked(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The query of an address, read by a serializer; a parameter that is not known is refused.

    Raises
    ------
    rest_framework.exceptions.ValidationError
    """
    return _valid(shape(data=request.query_params.dict()))


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


class AlwaysTheSame(BaseContentNegotiation):
    """There is one format; what a client says that it accepts changes nothing."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """The parser of the media type that was sent; None where there is none."""
        sent = (request.content_type or "").partition(";")[0].strip()
        return next((parser for parser in parsers if parser.media_type in {sent, "*/*"}), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        first = next(iter(renderers))
        return first, first.media_type


# Pages --------------------------------------------------------------------------------------------------------------

LIMIT, MOST = 50, 200


class PageQuery(Input):
    """Which page of a list whose key is text."""

    after = Text(required=False, default="", help_text="The key of the last row that you have.")
    limit = serializers.IntegerField(required=False, default=LIMIT, min_value=1, max_value=MOST)


class NumberPageQuery(Input):
    """Which page of a list whose key is a number."""

    after = serializers.IntegerField(
        required=False,
        default=None,
        allow_null=True,
        min_value=0,
        max_value=2**62,
        help_text="The key of the last row that you have.",
    )
    limit = serializers.IntegerField(required=False, default=LIMIT, min_value=1, max_value=MOST)


def keyset_page(
    request: Request,
    found: QuerySet[M],
    wanted: Mapping[str, Any],
    shown: Callable[[Sequence[M]], Sequence[Any]],
    *,
    key: str,
) -> Response:
    """One page of a list in the order of a unique key, and the address of the next.

    Nothing is counted and nothing skipped, so the last page costs what the first does; rows that come or go meanwhile
    move no other row.

    Parameters
    ----------
    wanted
        `after` and `limit`, as `PageQuery` reads them.
    shown
        Turns rows into what is answered.
    key
        Unique field; with a minus the list runs backwards.
    """
    name, step = (key[1:], "lt") if key.startswith("-") else (key, "gt")
    if wanted["after"] not in (None, ""):
        found = found.filter(**{f"{name}__{step}": wanted["after"]})
    rows = list(found.order_by(key)[: wanted["limit"] + 1])
    page = rows[: wanted["limit"]]
    following = _address(request, getattr(page[-1], name)) if len(rows) > len(page) else None
    return Response({"items": shown(page), "next": following})


def _address(request: Request, after: Any) -> str:
    query: QueryDict = request.query_params.copy()
    query["after"] = str(after)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def rows_as(shape: type[serializers.Serializer[Any]], rows: Iterable[Any]) -> list[Any]:
    """Rows in the shape of a serializer."""
    return list(shape(rows, many=True).data)


def whole_list(items: Sequence[Any]) -> Response:
    """A list that is short by nature, in the shape of a page."""
    return Response({"items": items, "next": None})


def page_of(row: type[serializers.Serializer[Any]]) -> Any:
    """For the description of an endpoint: a page of such rows."""
    fields: dict[str, Any] = {
        "items": row(many=True),
        "next": serializers.CharField(
            allow_null=True, help_text="Address of the next page; null on the last."
        ),
    }
    return inline_serializer(f"{row.__name__}Page", fields)


# Limits of rate -----------------------------------------------------------------------------------------------------


class _Throttle(SimpleRateThrottle):
    """Counts in the shared cache; where that cannot be reached nobody is refused for it."""

    cache = cast("BaseCache", ConnectionProxy(caches, "throttle"))

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether the limit is not reached."""
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError) as error:
            logger.warning("The cache of the rate limits does not answer (%s).", error)
            return True


class PersonThrottle(_Throttle):
    """So many requests of a person, whichever sessions and tokens they come by."""

    scope = "person"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """The person; nothing where nobody is known."""
        number = getattr(request.user, "pk", None)
        return None if number is None else self.cache_format % {"scope": self.scope, "ident": number}


class StrangerThrottle(_Throttle):
    """So many requests without a valid session or token from one network address."""

    scope = "stranger"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """The network address."""
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}
