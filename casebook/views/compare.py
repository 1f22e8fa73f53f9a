"""Two moments of a subject side by side."""

from __future__ import annotations

from django.http import HttpResponse

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from casebook.pages.compare import compare, picks, span
from foundation import clock
from foundation.web import page
from patients.selectors import get_subject


@permission("entry.view")
def comparison(request: Request, number: str) -> HttpResponse:
    """What happened between two moments; the last seven days where nothing is asked."""
    subject = get_subject(request.access, number, "entry.view")
    since, until, faults = span(subject, request.GET, clock.now())
    compared = None if faults else compare(subject, since, until)
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "compared": compared,
        "faults": faults,
        "asked": request.GET,
        "zone": subject.site.time_zone,
        "picks": picks(subject, request.access.user_id or 0, compared),
        "may_read_trail": request.access.may("audit.view", subject.trial.code, subject.site.code),
    }
    return page(request, "casebook/compare.html", context, status=422 if faults else 200)
