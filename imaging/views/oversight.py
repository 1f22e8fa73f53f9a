"""The central reading for those who oversee it: progress, agreement of readers, and each signed read as a report."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from foundation.web import page
from imaging import forms
from imaging.dicom.report import encoded
from imaging.errors import ReaderRecordRefusedError
from imaging.models import ReaderRecordKind
from imaging.selectors import oversight
from imaging.selectors.readers import readers_of, trials_overseen
from imaging.selectors.report import report_of
from imaging.services import record_reader


@permission("read.oversee")
@require_GET
def reads(request: Request) -> HttpResponse:
    """How far the central reading is, and how far readers agree."""
    context = {
        "trials": oversight.oversight_of(request.access),
        "without_result": oversight.without_result(request.access),
        "stale": oversight.stale_overseen(request.access),
        "signed": oversight.latest_signed(request.access),
        "may_deliver": request.access.may_anywhere("export.run"),
    }
    return page(request, "imaging/oversight.html", context)


@permission("read.oversee")
@require_GET
def readers(request: Request) -> HttpResponse:
    """Who may read in each trial, and what is on record of each reader."""
    found = [(trial, readers_of(trial.code)) for trial in trials_overseen(request.access)]
    return page(request, "imaging/readers.html", {"trials": found, "kinds": ReaderRecordKind.choices})


@permission("read.oversee")
@require_POST
def record(request: Request) -> HttpResponse:
    """Put something on record of a reader."""
    known = {trial.code: trial for trial in trials_overseen(request.access)}
    trial = known.get(request.POST.get("trial", ""))
    standing = {str(each.reader.pk): each.reader for each in readers_of(trial.code)} if trial else {}
    reader = standing.get(request.POST.get("reader", ""))
    if trial is None or reader is None:
        raise ReaderRecordRefusedError(message="Choose a reader of the trial.")
    record_reader(actor=request.access.actor(), trial=trial, reader=reader, **forms.reader_record_in(request))
    return redirect("readers")


@permission("read.oversee")
@require_GET
def report(request: Request, opaque: UUID) -> HttpResponse:
    """A signed read as a DICOM structured report (TID 1500)."""
    read = oversight.get_overseen(request.access, opaque)
    name = f"read-{read.subject.number}-{read.visit.code}-{read.number}-v{read.version}.dcm"
    return HttpResponse(
        encoded(report_of(read)),
        content_type="application/dicom",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
