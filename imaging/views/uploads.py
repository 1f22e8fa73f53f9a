"""Sending images for a visit, and what became of each file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from foundation.tasks import enqueue
from foundation.web import page
from imaging import forms
from imaging.dicom.first_step import table
from imaging.models import Batch, BatchState
from imaging.selectors import studies
from imaging.selectors.held import decidable
from imaging.services import finish_batch, receive_some, start_batch
from imaging.services.receiving import Sent
from imaging.tasks import process_batch
from patients.selectors import get_subject
from visits.selectors import get_visit

_SETTLED = (BatchState.DONE, BatchState.FAILED)


@permission("image.view")
@require_GET
def subject_images(request: Request, number: str) -> HttpResponse:
    """All images of a subject, visit by visit."""
    subject = get_subject(request.access, number, "image.view")
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "tab": "Images",
        "visits": studies.images_by_visit(subject),
        "may_upload": request.access.may("image.upload", subject.trial.code, subject.site.code),
    }
    return page(request, "imaging/subject.html", context)


@permission("image.upload")
@require_GET
def visit_images(request: Request, number: str, visit: str) -> HttpResponse:
    """Send images for a visit."""
    subject = get_subject(request.access, number, "image.upload")
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "tab": "Images",
        "visit": get_visit(subject, visit),
    }
    return page(request, "imaging/upload.html", context)


@permission("image.upload")
@require_POST
def manifest(request: Request, number: str, visit: str) -> JsonResponse:
    """The list of what will be sent; answers what is missing."""
    subject = get_subject(request.access, number, "image.upload")
    batch, missing = start_batch(
        actor=request.access.actor(subject.trial.code, subject.site.code),
        visit=get_visit(subject, visit),
        files=forms.manifest(request),
    )
    refused = [
        {"index": file.index, "state": file.state.lower(), "reason": file.reason}
        for file in studies.files_not_sent(batch)
    ]
    return JsonResponse({"upload": str(batch.opaque), "missing": missing, "refused": refused})


@permission("image.upload")
@require_GET
@cache_control(private=True, max_age=3600)
def first_step(request: Request) -> JsonResponse:
    """How a browser takes names out of a file before it sends it."""
    return JsonResponse(table())


@permission("image.upload")
@require_POST
def batch_files(request: Request, opaque: UUID) -> JsonResponse:
    """Some files of a batch; answers for each whether it was taken."""
    batch = studies.get_batch(request.access, opaque, "image.upload")
    actor = request.access.actor(batch.subject.trial.code, batch.subject.site.code)
    sent = [
        Sent(int(index), file.file, file.size or 0, request.POST.get(f"sha256-{index}", "").lower())
        for name, file in request.FILES.items()
        if (index := name.removeprefix("file-")).isdecimal()
        and not isinstance(file, list)
        and file.file is not None
    ]
    receipts = receive_some(actor=actor, batch=batch, sent=sent)
    results = [
        {"index": each.index, "state": receipt.state, "reason": receipt.reason}
        for each, receipt in zip(sent, receipts, strict=True)
    ]
    return JsonResponse({"results": results})


@permission("image.upload")
@require_POST
def finish(request: Request, opaque: UUID) -> JsonResponse:
    """Everything was sent; the images are processed now."""
    batch = studies.get_batch(request.access, opaque, "image.upload")
    finish_batch(actor=request.access.actor(batch.subject.trial.code, batch.subject.site.code), batch=batch)
    enqueue(process_batch, batch.pk)
    return JsonResponse({"redirect": reverse("image-batch", args=[batch.opaque])})


@permission("image.view")
@require_GET
def batch(request: Request, opaque: UUID) -> HttpResponse:
    """What became of the files of a batch."""
    found = studies.get_batch(request.access, opaque)
    context = {
        "batch": found,
        "subject": found.subject,
        "banner": subject_banner(found.subject, request.access),
        "tab": "Images",
        "counts": studies.file_counts(found),
        "files": decidable(studies.files_with_a_reason(found)[:500]),
        "alike": studies.held_alike(found),
        "settled": found.state in _SETTLED,
        "may_decide": request.access.may("image.upload", found.subject.trial.code, found.subject.site.code),
    }
    return page(request, "imaging/batch.html", context)


@permission("image.view")
@require_GET
def batch_status(request: Request, opaque: UUID) -> JsonResponse:
    """How far a batch has come, for the progress bar."""
    found = studies.get_batch(request.access, opaque)
    return JsonResponse(_status(found))


def _status(batch: Batch) -> dict[str, Any]:
    counts = studies.file_counts(batch)
    total = sum(counts.values())
    done = total - counts.get("RECEIVED", 0) - counts.get("EXPECTED", 0)
    states = {BatchState.DONE: "done", BatchState.FAILED: "failed", BatchState.PROCESSING: "running"}
    status = {
        "state": states.get(BatchState(batch.state), "waiting"),
        "done": done,
        "total": total,
        "text": batch.problem or f"{done} of {total} files checked",
    }
    if batch.state == BatchState.DONE:
        status["redirect"] = reverse("image-batch", args=[batch.opaque])
    return status
