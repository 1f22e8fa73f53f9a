"""A picture that is held back because something may be written in it: look, cover, let pass or destroy."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from foundation.errors import Invalid
from foundation.tasks import enqueue
from foundation.web import page
from imaging.forms import areas_in, reason_in
from imaging.selectors import held as pictures
from imaging.services import reject_held, release_held
from imaging.tasks import process_batch


@permission("image.upload")
@require_GET
def held(request: Request, file_id: int) -> HttpResponse:
    """The picture with what was found in it."""
    file = pictures.get_coverable(request.access, file_id)
    context = {
        "file": file,
        "subject": file.subject,
        "banner": subject_banner(file.subject, request.access),
        "tab": "Images",
        "held": pictures.held_with(file),
    }
    return page(request, "imaging/held.html", context)


@permission("image.upload")
@require_GET
def picture(request: Request, file_id: int) -> HttpResponse:
    """The picture as it was sent."""
    file = pictures.get_coverable(request.access, file_id)
    return HttpResponse(pictures.picture_of(file), content_type="image/png")


@permission("image.upload")
@require_POST
def cover(request: Request, file_id: int) -> HttpResponse:
    """One decision for the picture and those with the same marks."""
    file = pictures.get_coverable(request.access, file_id)
    actor = request.access.actor(file.subject.trial.code, file.subject.site.code)
    decision, reason = request.POST.get("decision"), reason_in(request)
    if decision not in ("cover", "release", "reject"):
        raise Invalid(decision="Cover, let pass or destroy.")
    if decision == "reject":
        number = reject_held(actor=actor, file=file, reason=reason)
        messages.success(request, f"Rejected: {number} files were destroyed.")
    else:
        covers = areas_in(request) if decision == "cover" else []
        number = release_held(actor=actor, file=file, reason=reason, covers=covers)
        enqueue(process_batch, file.batch_id)
        done = "covered, de-identified" if covers else "de-identified"
        messages.success(request, f"{number} files pass; they are {done} and stored now.")
    return redirect("image-batch", file.batch.opaque)
