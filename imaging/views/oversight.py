"""The central reading for those who oversee it: progress, agreement of readers, and each signed read as a report."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from accounts.decorators import permission
from accounts.requests import Request
from foundation.web import page
from imaging.dicom.report import encoded
from imaging.selectors import oversight
from imaging.selectors.report import report_of


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
def report(request: Request, opaque: UUID) -> HttpResponse:
    """A signed read as a DICOM structured report (TID 1500)."""
    read = oversight.get_overseen(request.access, opaque)
    name = f"read-{read.subject.number}-{read.visit.code}-{read.number}-v{read.version}.dcm"
    return HttpResponse(
        encoded(report_of(read)),
        content_type="application/dicom",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
