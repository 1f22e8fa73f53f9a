"""What the site sees of its images: studies, what de-identification did, and files that wait for a decision."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from audit.context import Actor
from casebook.pages.banner import subject_banner
from foundation.web import page
from imaging.forms import ReasonForm
from imaging.models import BatchFile
from imaging.selectors import pictures, studies
from imaging.services import accept_quality, reject_file, release_file


@permission("image.view")
@require_GET
def inbox(request: Request) -> HttpResponse:
    """What was sent lately, and what waits for a decision."""
    context = {
        "batches": studies.batches_visible_to(request.access)[:50],
        "waiting": studies.quarantined_files(request.access)[:200],
        "may_decide": request.access.may_anywhere("image.upload"),
    }
    return page(request, "imaging/inbox.html", context)


@permission("image.view")
@require_GET
def study(request: Request, opaque: UUID) -> HttpResponse:
    """A study: series with a picture each, quality, and the ledger of de-identification."""
    found = studies.get_study(request.access, opaque)
    context = {
        "study": found,
        "subject": found.subject,
        "banner": subject_banner(found.subject, request.access),
        "tab": "Images",
        "series": pictures.series_of(found),
        "ledger": pictures.ledger_of(found),
        "may_accept": request.access.may("query.raise", found.subject.trial.code, found.subject.site.code),
    }
    return page(request, "imaging/study.html", context)


@permission("image.view")
@require_GET
def thumbnail(request: Request, opaque: UUID) -> HttpResponse:
    """The middle slice of a series, small."""
    picture = pictures.thumbnail(request.access, opaque)
    return HttpResponse(
        picture, content_type="image/png", headers={"Cache-Control": "private, max-age=86400, immutable"}
    )


@permission("query.raise")
@require_POST
def accept(request: Request, opaque: UUID) -> HttpResponse:
    """Accept a study in spite of a finding."""
    found = studies.get_study(request.access, opaque)
    request.access.require("query.raise", found.subject.trial.code, found.subject.site.code)
    actor = request.access.actor(found.subject.trial.code, found.subject.site.code)
    accept_quality(actor=actor, study=found, reason=_reason(request))
    messages.success(request, "Accepted; the readers have it.")
    return redirect("image-study", opaque)


@permission("image.upload")
@require_POST
def release(request: Request, file_id: int) -> HttpResponse:
    """Let a quarantined file pass."""
    file = studies.get_quarantined(request.access, file_id)
    release_file(actor=_actor(request, file), file=file, reason=_reason(request))
    messages.success(request, "Released: the file was de-identified and stored.")
    return redirect("image-batch", file.batch.opaque)


@permission("image.upload")
@require_POST
def reject(request: Request, file_id: int) -> HttpResponse:
    """Destroy a quarantined file."""
    file = studies.get_quarantined(request.access, file_id)
    reject_file(actor=_actor(request, file), file=file, reason=_reason(request))
    messages.success(request, "Rejected: the file was destroyed.")
    return redirect("image-batch", file.batch.opaque)


def _reason(request: Request) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""


def _actor(request: Request, file: BatchFile) -> Actor:
    return request.access.actor(file.subject.trial.code, file.subject.site.code)
