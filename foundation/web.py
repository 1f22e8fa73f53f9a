"""Pages, fragments and problems: what views answer with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils.html import escape

from foundation.errors import DomainError, Invalid

PROBLEM_PAGE = "problem.html"
PROBLEM_FRAGMENT = "components/_problem.html"


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
    """
    response = render(request, template, dict(context or {}), status=status)
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


def problem(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The answer to a broken rule: problem+json (RFC 9457) to programs, a fragment to HTMX, a page to people."""
    if wants_json(request):
        return JsonResponse(
            problem_document(request, error), status=error.status, content_type="application/problem+json"
        )
    context = {"error": error, "message": error.message, "status": error.status}
    template = PROBLEM_FRAGMENT if is_htmx(request) else PROBLEM_PAGE
    try:
        return HttpResponse(render_to_string(template, context, request), status=error.status)
    except TemplateDoesNotExist:
        return HttpResponse(f'<p role="alert">{escape(error.message)}</p>', status=error.status)


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
