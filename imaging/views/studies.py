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
from foundation.tasks import enqueue
from foundation.web import page
from imaging.forms import quality_in, reason_in
from imaging.models import BatchFile, FileState
from imaging.selectors import inbox as waiting
from imaging.selectors import pictures, studies
from imaging.selectors.held import decidable
from imaging.services import (
    accept_quality,
    question_quality,
    reject_alike,
    reject_file,
    release_alike,
    release_file,
    restore_study,
    withdraw_study,
)
from imaging.tasks import process_batch


@permission("image.view")
@require_GET
def inbox(request: Request) -> HttpResponse:
    """What was sent lately, and what waits for a decision."""
    context = {
        "batches": studies.batches_visible_to(request.access)[:50],
        "examinations": waiting.examinations_waiting(request.access),
        "waiting": decidable(studies.quarantined_files(request.access)[:200]),
        "destroyed": studies.destructions(request.access)[:20],
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
        "covered": pictures.covered_slices(found),
        "decisions": found.decisions.all(),
        "may_accept": request.access.may("query.raise", found.subject.trial.code, found.subject.site.code),
        "may_withdraw": request.access.may(
            waiting.PERMISSION, found.subject.trial.code, found.subject.site.code
        ),
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
    accept_quality(actor=actor, study=found, reason=reason_in(request))
    messages.success(request, "Accepted; the readers have it.")
    return redirect("image-study", opaque)


@permission("image.upload")
@require_POST
def release(request: Request, file_id: int) -> HttpResponse:
    """Let a quarantined file pass."""
    file = studies.get_quarantined(request.access, file_id)
    released = release_file(actor=_actor(request, file), file=file, reason=reason_in(request))
    if released.state == FileState.QUARANTINED:
        messages.warning(request, f"Still held back, for another reason: {released.reason}")
    else:
        messages.success(request, "Released: the file was de-identified and stored.")
    return redirect("image-batch", file.batch.opaque)


@permission("image.upload")
@require_POST
def reject(request: Request, file_id: int) -> HttpResponse:
    """Destroy a quarantined file."""
    file = studies.get_quarantined(request.access, file_id)
    reject_file(actor=_actor(request, file), file=file, reason=reason_in(request))
    messages.success(request, "Rejected: the file was destroyed.")
    return redirect("image-batch", file.batch.opaque)


@permission("image.upload")
@require_POST
def decide_alike(request: Request, opaque: UUID) -> HttpResponse:
    """One decision for all files of an upload that are held back for the same reason."""
    batch = studies.get_batch(request.access, opaque, "image.upload")
    actor = request.access.actor(batch.subject.trial.code, batch.subject.site.code)
    code = request.POST.get("code", "")
    if request.POST.get("decision") == "release":
        number = release_alike(actor=actor, batch=batch, code=code, reason=reason_in(request))
        enqueue(process_batch, batch.pk)
        messages.success(request, f"{number} files pass; they are de-identified and stored now.")
    else:
        number = reject_alike(actor=actor, batch=batch, code=code, reason=reason_in(request))
        messages.success(request, f"Rejected: {number} files were destroyed.")
    return redirect("image-batch", batch.opaque)


@permission("query.raise")
@require_POST
def question(request: Request, opaque: UUID) -> HttpResponse:
    """Ask the site about a study, or reject it, with what the site is to do."""
    found = studies.get_study(request.access, opaque)
    request.access.require("query.raise", found.subject.trial.code, found.subject.site.code)
    actor = request.access.actor(found.subject.trial.code, found.subject.site.code)
    question_quality(actor=actor, study=found, **quality_in(request))
    messages.success(request, "Sent to the site; the readers do not get these images.")
    return redirect("image-study", opaque)


@permission(waiting.PERMISSION)
@require_POST
def withdraw(request: Request, opaque: UUID) -> HttpResponse:
    """Take the images of a study out."""
    found = studies.get_study(request.access, opaque)
    request.access.require(waiting.PERMISSION, found.subject.trial.code, found.subject.site.code)
    actor = request.access.actor(found.subject.trial.code, found.subject.site.code)
    another = request.POST.get("another_person") == "Y"
    withdraw_study(actor=actor, study=found, reason=reason_in(request), another_person=another)
    messages.success(request, "Taken out: the readers see these images no more.")
    return redirect("image-study", opaque)


@permission(waiting.PERMISSION)
@require_POST
def restore(request: Request, opaque: UUID) -> HttpResponse:
    """Take a study back in."""
    found = studies.get_study(request.access, opaque)
    request.access.require(waiting.PERMISSION, found.subject.trial.code, found.subject.site.code)
    actor = request.access.actor(found.subject.trial.code, found.subject.site.code)
    restore_study(actor=actor, study=found, reason=reason_in(request))
    messages.success(request, "Taken back in; its quality was checked anew.")
    return redirect("image-study", opaque)


def _actor(request: Request, file: BatchFile) -> Actor:
    return request.access.actor(file.subject.trial.code, file.subject.site.code)
