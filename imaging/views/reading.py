"""The reading desk. Nothing in pages, addresses, headers or JSON names a subject, site, visit or date."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from csp.constants import SELF
from csp.decorators import csp_update
from django.core.files.storage import default_storage
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.errors import AccountLocked, SignatureRefused
from accounts.models import User
from accounts.requests import Request
from foundation import clock
from foundation.web import is_htmx, page
from imaging import forms
from imaging.dicom.frames import FRAME_TYPE
from imaging.errors import OutcomeRefusedError, ReadIncompleteError
from imaging.models import ImageQuality, Read
from imaging.selectors import reads
from imaging.services import (
    correct_read,
    erase_measurement,
    open_read,
    record_findings,
    record_measurement,
    record_outcome,
    sign_read,
)
from imaging.services.reading import STATEMENT, missing_in

FOREVER = "private, max-age=31536000, immutable"


@permission("read.perform")
@require_GET
def queue(request: Request) -> HttpResponse:
    """Cases that wait for this reader, oldest due first."""
    return page(request, "imaging/queue.html", {"rows": reads.queue_rows(request.access)})


@permission("read.perform")
@require_GET
def next_case(request: Request) -> HttpResponse:
    """Go to the case that is due first, or back to the empty queue."""
    first = reads.queue_of(request.access).first()
    return redirect("reading-case", first.opaque) if first else redirect("reading-queue")


@permission("read.perform")
@csp_update({"script-src": [SELF, "'wasm-unsafe-eval'"], "img-src": [SELF, "data:", "blob:"]})  # type: ignore[arg-type]
@require_GET
def case(request: Request, opaque: UUID) -> HttpResponse:
    """One case: images, lesions, quality, signature."""
    read = open_read(actor=request.access.actor(), read=reads.get_read(request.access, opaque))
    return page(request, "imaging/case.html", _case(read))


def _case(read: Read) -> dict[str, Any]:
    return {
        "read": read,
        "case": reads.case_of(read),
        "prior": reads.prior_read(read),
        "judged": reads.lesions_to_judge(read),
        "asks_outcomes": reads.judges_outcomes(read),
        "marks": reads.measurements_of(read),
        "qualities": ImageQuality.choices,
        "missing": missing_in(read),
        "signed": read.state == "SIGNED",
    }


@permission("read.perform")
@gzip_page
@require_GET
def series(request: Request, opaque: UUID) -> JsonResponse:
    """The images of the time point to be read, for the viewer."""
    return _series(request, opaque, prior=False)


@permission("read.perform")
@gzip_page
@require_GET
def prior_series(request: Request, opaque: UUID) -> JsonResponse:
    """The images of the time point before, for the viewer."""
    return _series(request, opaque, prior=True)


def _series(request: Request, opaque: UUID, *, prior: bool) -> JsonResponse:
    read = reads.get_read(request.access, opaque)

    def frame_url(instance: UUID) -> str:
        return reverse("reading-frame", args=[opaque, instance])

    return JsonResponse(reads.series_document(read, prior=prior, frame_url=frame_url))


@permission("read.perform")
@require_GET
def frame(request: Request, opaque: UUID, instance: UUID) -> HttpResponse:
    """One slice as a lossless HTJ2K code stream."""
    key = reads.frame_key(request.access, opaque, instance)
    with default_storage.open(key) as stored:
        content = stored.read()
    return HttpResponse(
        content,
        content_type=FRAME_TYPE,
        headers={"Cache-Control": FOREVER, "Content-Length": str(len(content))},
    )


@permission("read.perform")
@require_POST
def marks(request: Request, opaque: UUID) -> JsonResponse:
    """A mark was drawn, moved or taken away."""
    read = reads.get_read(request.access, opaque)
    sent = forms.sent_mark(request)
    if sent.action == "delete":
        erase_measurement(actor=request.access.actor(), read=read, mark=sent.mark)
        return JsonResponse({"id": str(sent.mark)})
    saved = record_measurement(actor=request.access.actor(), read=read, mark=sent.mark, sent=sent.content)
    return JsonResponse(reads.mark_document(saved))


@permission("read.perform")
@require_POST
def outcome(request: Request, opaque: UUID) -> HttpResponse:
    """What became of a lesion."""
    read = reads.get_read(request.access, opaque)
    lesion = request.POST.get("lesion", "")
    record_outcome(
        actor=request.access.actor(),
        read=read,
        lesion=lesion,
        outcome=request.POST.get(f"outcome-{lesion}", ""),
    )
    return _judged(request, opaque)


@permission("read.perform")
@require_POST
def findings(request: Request, opaque: UUID) -> HttpResponse:
    """Quality of the images, new lesion, comment."""
    read = reads.get_read(request.access, opaque)
    form = forms.FindingsForm(request.POST)
    if not form.is_valid():
        raise OutcomeRefusedError(message="Choose one of the given answers.")
    record_findings(actor=request.access.actor(), read=read, **form.cleaned_data)
    return _judged(request, opaque)


def _judged(request: Request, opaque: UUID) -> HttpResponse:
    """The judgement panel again, or the whole page where no script asked."""
    if not is_htmx(request):
        return redirect("reading-case", opaque)
    return page(request, "imaging/_judgement.html", _case(reads.get_read(request.access, opaque)))


@permission("read.perform")
def sign(request: Request, opaque: UUID) -> HttpResponse:
    """The signature: a dialog on GET; signs on POST and goes on to the next case."""
    read = reads.get_read(request.access, opaque)
    if request.method != "POST":
        missing = missing_in(read)
        if missing:
            raise ReadIncompleteError(missing=", ".join(missing))
        return page(request, "accounts/_sign_dialog.html", _signing(read))
    user = User.objects.get(pk=request.access.user_id)
    try:
        sign_read(
            actor=request.access.actor(), user=user, read=read, password=request.POST.get("password", "")
        )
    except (SignatureRefused, AccountLocked) as refused:
        context = {**_signing(read), "refused": refused.message}
        return page(request, "accounts/_sign_dialog.html", context, status=422)
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("reading-next")})
    return redirect("reading-next")


def _signing(read: Read) -> dict[str, Any]:
    case = reads.case_of(read)
    return {
        "sign_url": reverse("reading-sign", args=[read.opaque]),
        "sign_title": "Sign this read",
        "statement": STATEMENT,
        "meaning": "Author",
        "record": f"Case {case.code}, time point {case.time_point}",
        "signed_at": clock.now(),
    }


@permission("read.perform")
@require_POST
def correct(request: Request, opaque: UUID) -> HttpResponse:
    """A new version of a signed read."""
    read = reads.get_read(request.access, opaque)
    new = correct_read(actor=request.access.actor(), read=read, reason=request.POST.get("reason", ""))
    return redirect("reading-case", new.opaque)
