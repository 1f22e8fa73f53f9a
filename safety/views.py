"""Pages of the safety room."""

from __future__ import annotations

from django.http import HttpResponse

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from foundation.web import page
from patients.selectors import get_subject
from safety.pages import safety_page


@permission("safety.view")
def safety(request: Request, number: str) -> HttpResponse:
    """Adverse events of a subject, reports that are due, and grades that laboratory values suggest."""
    subject = get_subject(request.access, number, "safety.view")
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "shown": safety_page(subject),
        "may_write": request.access.may("entry.write", subject.trial.code, subject.site.code),
    }
    return page(request, "safety/safety.html", context)
