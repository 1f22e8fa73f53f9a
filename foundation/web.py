"""Pages, fragments and problems: what views answer with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import escape
from django.utils.http import url_has_allowed_host_and_scheme

from foundation.errors import DomainError, Invalid, NotFound

PROBLEM_PAGE = "problem.html"
HEADINGS = {403: "Not allowed", 404: "Nothing here", 422: "Not taken"}


def is_htmx(request: HttpRequest) -> bool:
    """Did HTMX ask, and for a fragment? A boosted link wants the whole page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def wants_json(request: HttpRequest) -> bool:
    """Is it a program that asks?"""
    return request.path.startswith(("/api/", "/dicomweb/")) or request.headers.get("Accept", "").startswith(
        ("application/json", "application/problem+json")
    )


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page.

    For HTMX, a template named `room/thing.html` is answered with its fragment `room/_thing.html` where the view names
    that; this function adds the `Vary` that keeps the two apart in the browser's history.

    A page of a subject (one with a banner) is drawn in the clock of the subject's site, every other page in that of its
    reader; all moments on one page are in that one zone.
    """
    about = getattr((context or {}).get("banner"), "subject", None)
    request.about = about  # type: ignore[attr-defined]
    with timezone.override(_clock_of(request, about)):
        response = render(request, template, dict(context or {}), status=status)
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


def _clock_of(request: HttpRequest, about: Any) -> str:
    if about is not None:
        return str(about.site.time_zone)
    return str(getattr(getattr(request, "user", None), "time_zone", "") or "UTC")


def problem(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The answer to a broken rule: problem+json (RFC 9457) to programs, a sentence to HTMX, a page to people."""
    if wants_json(request):
        return JsonResponse(
            problem_document(request, error), status=error.status, content_type="application/problem+json"
        )
    if is_htmx(request):
        return HttpResponse(f'<p role="alert">{escape(error.message)}</p>', status=error.status)
    heading = HEADINGS.get(error.status, "This cannot be done now")
    context = {"heading": heading, "message": error.message, "back": _came_from(request)}
    return page(request, PROBLEM_PAGE, context, status=error.status)


def nothing_here(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to an address that nobody knows."""
    return problem(request, NotFound())


def _came_from(request: HttpRequest) -> str:
    """The page on which somebody was, where it is one of ours and another one."""
    before = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if ours and before != request.build_absolute_uri() else ""


def problem_document(request: HttpRequest, error: DomainError) -> dict[str, Any]:
    """A problem as RFC 9457 has it."""
    document: dict[str, Any] = {
        "type": f"urn:hilum:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.status,
        "detail": error.message,
        "instance": request.path,
    }
    if isinstance(error, Invalid):
        document["errors"] = error.errors
    elif error.field:
        document["errors"] = {error.field: error.message}
    return document
