"""Pages of the treatment room."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from foundation.errors import DomainError
from foundation.web import page
from patients.selectors import get_subject
from treatment.pages.treatment import treatment_page
from treatment.services import allocate_subject


@permission("treatment.view")
def treatment(request: Request, number: str) -> HttpResponse:
    """Procedures, doses, lesions and randomisation of a subject."""
    subject = get_subject(request.access, number, "treatment.view")
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "shown": treatment_page(subject),
        "may_randomise": request.access.may("allocate.subject", subject.trial.code, subject.site.code),
    }
    return page(request, "treatment/treatment.html", context)


@permission("allocate.subject")
@require_POST
def randomise(request: Request, number: str) -> HttpResponse:
    """Randomise a subject; what stands in the way is said on the page."""
    subject = get_subject(request.access, number, "allocate.subject")
    actor = request.access.actor(subject.trial.code, subject.site.code)
    try:
        given = allocate_subject(actor=actor, subject=subject)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        arm = subject.version.protocol.arm(given.arm)
        messages.success(request, f"{number} is randomised to {arm.name}. Its visits are planned from today.")
    return redirect("treatment", number)
