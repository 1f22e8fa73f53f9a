"""The casebook of a subject as a PDF, as it is or as it stood."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from casebook.pages.moment import PARAMETER, no_such_moment, standing_of
from casebook.rules.moment import MomentFault
from foundation.tasks import enqueue
from foundation.web import page
from patients.selectors import get_subject
from reports import copies, tasks
from reports.errors import CopyNotReadyError
from reports.models import ExportState


@permission("entry.view")
def casebook_pdf(request: Request, number: str) -> HttpResponseBase:
    """Everything that is known of a subject, with the trail; a long one is made by a worker, on a page that waits."""
    subject = get_subject(request.access, number, "entry.view")
    asked = request.GET.get(PARAMETER, "").strip()
    try:
        moment = standing_of(subject, asked).moment if asked else None
    except MomentFault as fault:
        return no_such_moment(request, subject, asked, str(fault))
    actor = request.access.actor(subject.trial.code, subject.site.code)
    if copies.takes_long(subject):
        wanted = copies.request_copy(actor=actor, subject=subject, as_of=moment)
        enqueue(tasks.make_copy, wanted.pk)
        return redirect("casebook-copy", number, wanted.pk)
    paper, _ = copies.take_copy(actor=actor, subject=subject, as_of=moment)
    answer = HttpResponse(paper.content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{_name(number)}"'
    answer.headers["X-Content-SHA-256"] = paper.sha256
    return answer


@permission("entry.view")
def casebook_copy(request: Request, number: str, copy_id: int) -> HttpResponse:
    """A copy that a worker makes: its progress, then its digests and the file."""
    subject = get_subject(request.access, number, "entry.view")
    found = copies.get_copy_request(request.access, subject, copy_id)
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "wanted": found,
        "ready": found.state == ExportState.DONE,
    }
    return page(request, "reports/copy.html", context)


@permission("entry.view")
def casebook_copy_status(request: Request, number: str, copy_id: int) -> HttpResponse:
    """Progress for the page that waits."""
    subject = get_subject(request.access, number, "entry.view")
    found = copies.get_copy_request(request.access, subject, copy_id)
    ended = found.state in {ExportState.DONE, ExportState.FAILED}
    return JsonResponse(
        {
            "state": found.state.lower(),
            "done": 0,
            "total": 1,
            "text": found.problem or found.get_state_display(),
            **({"redirect": request.path.removesuffix("status/")} if ended else {}),
        }
    )


@permission("entry.view")
def casebook_copy_file(request: Request, number: str, copy_id: int) -> HttpResponseBase:
    """The PDF.

    Raises
    ------
    CopyNotReadyError
    """
    subject = get_subject(request.access, number, "entry.view")
    found = copies.get_copy_request(request.access, subject, copy_id)
    if found.state != ExportState.DONE:
        raise CopyNotReadyError
    return FileResponse(default_storage.open(found.file), as_attachment=True, filename=_name(number))


def _name(number: str) -> str:
    return f"casebook-{number}.pdf"
