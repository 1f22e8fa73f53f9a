"""What every request passes: a number, headers, and errors told as sentences."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from foundation.errors import DomainError
from foundation.web import problem

GetResponse = Callable[[HttpRequest], HttpResponseBase]

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[0-9A-Za-z-]{8,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Number of the request that is being answered; empty outside of one."""
    return _current.get()


class RequestIdMiddleware:
    """Gives each request a number (or keeps the proxy's), for the log, the trail and the page of an error."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        number = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        request.request_id = number  # type: ignore[attr-defined]
        token = _current.set(number)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response[HEADER] = number
        return response


class RequestIdFilter(logging.Filter):
    """Adds the request's number to every line of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id() or "-"
        return True


class CompressPagesMiddleware(GZipMiddleware):
    """Pages and data travel packed; pictures, archives and single frames are packed already.

    A random length is added to each page (Django's answer to BREACH), and the CSRF token is masked anew each time.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Pack what is text and not streamed."""
        kind = str(response.headers.get("Content-Type", "")).partition(";")[0]
        if response.streaming or not (kind == "text/html" or kind.endswith("json")):
            return response
        return super().process_response(request, response)


class NoStoreMiddleware:
    """Pages hold patients' data: nothing between us and the person keeps a copy, unless a view says otherwise."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class DomainErrorMiddleware:
    """Turns a broken rule into a sentence: a page, a fragment for HTMX, or a problem document for a program."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: BaseException) -> HttpResponse | None:
        if isinstance(exception, DomainError):
            return problem(request, exception)
        return None
