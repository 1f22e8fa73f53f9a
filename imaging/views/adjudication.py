"""Adjudication: two reads as A and B, the images, a decision. Nothing names a reader, subject, site, visit or date."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from csp.decorators import csp_update
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.errors import AccountLocked, SignatureRefused, WritingStopped
from accounts.models import User
from accounts.requests import Request
from accounts.signing import remember_signature, typed_name
from foundation import clock
from foundation.web import is_htmx, page
from imaging.models import Adjudication
from imaging.selectors import adjudications as found
from imaging.selectors.answered import measurements_of
from imaging.selectors.reads import time_points_of
from imaging.selectors.shown import mark_document, series_document
from imaging.services import hold_adjudication, read_anew, release_adjudication, sign_adjudication
from imaging.services.adjudication import (
    STATEMENT,
    choices_of,
    must_be_choice,
    must_be_reason,
)
from imaging.views.reading import VIEWER_POLICY
from imaging.views.viewer import stored_frame


@permission("adjudicate.read")
@require_GET
def queue(request: Request) -> HttpResponse:
    """Disagreements that wait, oldest due first, and what this adjudicator decided."""
    context = {"rows": found.adjudication_rows(request.access), "decided": found.decided_by(request.access)}
    return page(request, "imaging/adjudications.html", context)


@permission("adjudicate.read")
@csp_update(VIEWER_POLICY)  # type: ignore[arg-type]
@require_GET
def adjudication(request: Request, opaque: UUID) -> HttpResponse:
    """One case: what both readers said, the images with their marks, the decision.

    Where nothing is written at the moment, it is looked at without being held.
    """
    row = found.get_adjudication(request.access, opaque)
    if row.state == "WAITING":
        with suppress(WritingStopped):
            hold_adjudication(actor=request.access.actor(), adjudication=row)
    return page(request, "imaging/adjudication.html", _context(request, row))


def _context(request: Request, row: Adjudication) -> dict[str, Any]:
    own = found.own_read(row, request.access.user_id)
    return {
        "adjudication": row,
        "case": found.case_of(row),
        "differences": found.in_words(row.differences),
        "lines": found.comparison(row),
        "choices": choices_of(row),
        "prior_point": _prior_point(row),
        "own": own,
        "own_signed": own is not None and own.state == "SIGNED",
        "decided": row.state == "SIGNED",
    }


def _prior_point(row: Adjudication) -> int | None:
    """Number of the time point before; None where there is none."""
    read = next(iter(found.shown_reads(row, prior=True).values()), None)
    return time_points_of(row.subject_id)[read.visit_id] if read else None


@permission("adjudicate.read")
@gzip_page
@require_GET
def series(request: Request, opaque: UUID) -> JsonResponse:
    """The images of the time point, or of the one before (`prior`), with the marks of both readers."""
    row = found.get_adjudication(request.access, opaque)
    shown = found.shown_reads(row, prior="prior" in request.GET)
    marks = [
        mark_document(mark, row.opaque, locked=True, side=letter)
        for letter, read in shown.items()
        for mark in measurements_of(read)
    ]

    def frame_url(name: UUID) -> str:
        return reverse("adjudication-frame", args=[opaque, name])

    read = next(iter(shown.values()), None)
    return JsonResponse(
        {"series": []} if read is None else series_document(row.opaque, read, marks, frame_url=frame_url)
    )


@permission("adjudicate.read")
@require_GET
def frame(request: Request, opaque: UUID, instance: UUID) -> HttpResponse:
    """One slice of the images of an adjudication."""
    return stored_frame(request, opaque, found.frame_key(request.access, opaque, instance))


@permission("adjudicate.read")
@require_POST
def anew(request: Request, opaque: UUID) -> HttpResponse:
    """Begin to read the images anew."""
    row = found.get_adjudication(request.access, opaque)
    return redirect("reading-case", read_anew(actor=request.access.actor(), adjudication=row).opaque)


@permission("adjudicate.read")
@require_POST
def release(request: Request, opaque: UUID) -> HttpResponse:
    """Give the case back to the queue."""
    row = found.get_adjudication(request.access, opaque)
    release_adjudication(actor=request.access.actor(), adjudication=row)
    return redirect("adjudications")


@permission("adjudicate.read")
@require_POST
def decide(request: Request, opaque: UUID) -> HttpResponse:
    """Ask for the signature of a decision; with a password, sign it."""
    row = found.get_adjudication(request.access, opaque)
    choice = must_be_choice(row, request.POST.get("choice", ""))
    reason = must_be_reason(request.POST.get("reason", ""))
    signing = _signing(row, {"choice": choice, "reason": reason})
    password = request.POST.get("password")
    if password is None:
        return page(request, "accounts/_sign_dialog.html", signing)
    user = User.objects.get(pk=request.access.user_id)  # type: ignore[misc]  # somebody is signed in
    try:
        sign_adjudication(
            actor=request.access.actor(),
            user=user,
            adjudication=row,
            choice=choice,
            reason=reason,
            password=password,
            username=typed_name(request),
        )
    except (SignatureRefused, AccountLocked) as refused:
        return page(
            request, "accounts/_sign_dialog.html", {**signing, "refused": refused.message}, status=422
        )
    remember_signature(request)
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("adjudications")})
    return redirect("adjudications")


def _signing(row: Adjudication, carried: dict[str, str]) -> dict[str, Any]:
    case = found.case_of(row)
    return {
        "sign_url": reverse("adjudication-decide", args=[row.opaque]),
        "sign_title": "Sign this decision",
        "statement": STATEMENT,
        "meaning": "Author",
        "record": f"Case {case.code}, time point {case.time_point}",
        "signed_at": clock.now(),
        "fields": carried,
    }
