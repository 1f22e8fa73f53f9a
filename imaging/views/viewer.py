"""What the viewer on the reading desk fetches and sends: series, frames, marks, time at work."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from imaging import forms
from imaging.dicom.frames import FRAME_TYPE
from imaging.errors import ReadWaitsError
from imaging.gate import FOREVER, GRANTS
from imaging.selectors import reads
from imaging.selectors.pictures import frame_at, neighbours
from imaging.selectors.priors import prior_read
from imaging.selectors.shown import mark_document, series_of_read
from imaging.services import erase_measurement, record_measurement, record_time

TIME_POINT = "time_point"
"""Which earlier time point is asked for; without it the one before."""


@permission("read.open")
@gzip_page
@require_GET
def series(request: Request, opaque: UUID) -> JsonResponse:
    """The images of the time point to be read, for the viewer."""
    return _series(request, opaque, prior=False)


@permission("read.open")
@gzip_page
@require_GET
def prior_series(request: Request, opaque: UUID) -> JsonResponse:
    """The images of the time point before, for the viewer."""
    return _series(request, opaque, prior=True)


def _series(request: Request, opaque: UUID, *, prior: bool) -> JsonResponse:
    read = reads.get_read(request.access, opaque)
    if reads.is_locked(read):
        raise ReadWaitsError

    def frame_url(name: UUID) -> str:
        return reverse("reading-frame", args=[opaque, name])

    shown = prior_read(read, forms.time_point(request)) if prior else read
    return JsonResponse(series_of_read(read, shown, frame_url=frame_url))


@permission("read.open")
@require_GET
def frame(request: Request, opaque: UUID, instance: UUID) -> HttpResponse:
    """One slice as a lossless HTJ2K code stream."""
    return stored_frame(request, opaque, reads.frame_key(request.access, opaque, instance))


def stored_frame(request: Request, scope: UUID, key: str) -> HttpResponse:
    """A stored frame, which never changes under its address; its neighbours go the short way for a while.

    Parameters
    ----------
    scope
        The read or adjudication in which the slices have their names.
    """
    content = frame_at(key)
    session = request.session.session_key
    if session:
        GRANTS.add(session, neighbours(scope, key, request.path.rsplit("/", 2)[0]))
    return HttpResponse(
        content,
        content_type=FRAME_TYPE,
        headers={"Cache-Control": FOREVER, "Content-Length": str(len(content))},
    )


@permission("read.open")
@require_POST
def marks(request: Request, opaque: UUID) -> JsonResponse:
    """A mark was drawn, moved or taken away."""
    read = reads.get_read(request.access, opaque)
    sent = forms.sent_mark(request)
    if sent.action == "delete":
        erase_measurement(actor=request.access.actor(), read=read, mark=sent.mark)
        return JsonResponse({"id": str(sent.mark)})
    saved = record_measurement(actor=request.access.actor(), read=read, mark=sent.mark, sent=sent.content)
    return JsonResponse(mark_document(saved, read.opaque))


@permission("read.open")
@require_POST
def time(request: Request, opaque: UUID) -> HttpResponse:
    """Seconds in which the page was looked at since it said so last."""
    read = reads.get_read(request.access, opaque)
    record_time(actor=request.access.actor(), read=read, seconds=forms.seconds(request))
    return HttpResponse(status=204)
