"""The casebook page of a subject, and its visits."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from casebook.pages.deviations import days_off, deviation_form
from casebook.pages.matrix import casebook_page
from casebook.pages.moment import as_it_stood
from casebook.rules.dates import DateFault, read_date
from casebook.services.anchors import replan
from casebook.services.visits import visit_did_not_happen
from foundation import clock
from foundation.errors import Invalid
from foundation.web import page
from patients.models import Subject
from patients.selectors import get_subject
from visits.selectors import get_visit
from visits.services import add_unscheduled_visit, miss_visit, record_visit


@permission("subject.view")
@as_it_stood
def subject(request: Request, number: str) -> HttpResponse:
    """The casebook: forms × visits, logs, what waits."""
    found = get_subject(request.access, number)
    shown = casebook_page(found, request.access)
    context = {
        "subject": found,
        "banner": subject_banner(found, request.access, shown.facts),
        "casebook": shown,
        "may_record": request.access.may("visit.record", found.trial.code, found.site.code),
    }
    return page(request, "casebook/subject.html", context)


@permission("visit.record")
@require_POST
def visit_happened(request: Request, number: str, visit: str) -> HttpResponse:
    """Record the day of a visit; what it anchors moves with it."""
    found = get_subject(request.access, number, "visit.record")
    happened_on = _day(request, found)
    actor = request.access.actor(found.trial.code, found.site.code)
    record_visit(
        actor=actor,
        visit=get_visit(found, visit),
        happened_on=happened_on,
        reason=request.POST.get("reason", "").strip(),
    )
    replan(actor=actor, subject=found)
    messages.success(request, f"{visit} recorded on {happened_on:%d %b %Y}.{_proposal(found, visit)}")
    return redirect("subject", number)


def _proposal(subject: Subject, visit: str) -> str:
    """What is said where the day is outside the window."""
    off = days_off(get_visit(subject, visit))
    if not off or deviation_form(subject.version.protocol) is None:
        return ""
    words = "after it closed" if off > 0 else "before it opened"
    return f" That is outside its window, {abs(off)} d {words}. A protocol deviation is proposed under Needs you."


@permission("visit.record")
@require_POST
def visit_missed(request: Request, number: str, visit: str) -> HttpResponse:
    """Record that a visit did not take place, and why."""
    found = get_subject(request.access, number, "visit.record")
    actor = request.access.actor(found.trial.code, found.site.code)
    miss_visit(actor=actor, visit=get_visit(found, visit), reason=request.POST.get("reason", ""))
    return redirect("subject", number)


@permission("visit.record")
@require_POST
def visit_not_happened(request: Request, number: str, visit: str) -> HttpResponse:
    """Take back a visit that was recorded by mistake."""
    found = get_subject(request.access, number, "visit.record")
    actor = request.access.actor(found.trial.code, found.site.code)
    visit_did_not_happen(
        actor=actor, visit=get_visit(found, visit), reason=request.POST.get("reason", "").strip()
    )
    messages.success(request, f"{visit} is not recorded any more.")
    return redirect("subject", number)


@permission("visit.record")
@require_POST
def visit_unscheduled(request: Request, number: str) -> HttpResponse:
    """Record a visit that no plan asked for."""
    found = get_subject(request.access, number, "visit.record")
    actor = request.access.actor(found.trial.code, found.site.code)
    add_unscheduled_visit(actor=actor, subject=found, happened_on=_day(request, found))
    return redirect("subject", number)


def _day(request: Request, subject: Subject) -> date:
    try:
        typed = read_date(request.POST.get("happened_on", ""), clock.today(subject.site.time_zone))
    except DateFault as fault:
        raise Invalid({"happened_on": str(fault)}) from None
    return date.fromisoformat(typed)
