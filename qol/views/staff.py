"""What the site sees: scores of a subject, and links for the patient."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.decorators import permission
from accounts.requests import Request
from casebook.facts import facts_of
from casebook.pages.banner import subject_banner
from foundation import charts, clock
from foundation.errors import NotFound
from foundation.web import page
from patients.models import Subject
from patients.selectors import get_subject
from qol import services
from qol.pages import QualityOfLife, quality_of_life_page
from qol.qr import qr_code
from qol.rules.questionnaire import questionnaire_of
from qol.selectors import get_invitation
from qol.words import language_name
from visits.selectors import get_visit


@permission("qol.view")
def quality_of_life(request: Request, number: str) -> HttpResponse:
    """Scores at each visit, the course, and what is expected."""
    subject = get_subject(request.access, number, "qol.view")
    return page(request, "qol/quality_of_life.html", _context(request, subject))


def _context(request: Request, subject: Subject) -> dict[str, Any]:
    questionnaire = questionnaire_of(subject.version.protocol)
    if questionnaire is None:
        raise NotFound(what="questionnaire", name=subject.number)
    projection = facts_of(subject, clock.today(subject.site.time_zone))
    shown = quality_of_life_page(subject, questionnaire, projection)
    return {
        "subject": subject,
        "banner": subject_banner(subject, request.access, projection),
        "shown": shown,
        "chart": _chart(shown) if len(shown.chart) > 1 else "",
        "may_invite": request.access.may("qol.invite", subject.trial.code, subject.site.code),
    }


def _chart(shown: QualityOfLife) -> str:
    best = shown.questionnaire.instrument.best
    last = shown.latest is not None and shown.latest.deteriorated
    label = f"{shown.questionnaire.instrument.code}, 0 to {best} points, higher is better: " + ", ".join(
        f"{visit} {score:f}" for visit, score in shown.chart
    )
    return charts.trend(shown.chart, low=0, high=best, label=label, tone="stop" if last else "")


@permission("qol.invite")
@require_POST
def invite(request: Request, number: str, visit: str) -> HttpResponse:
    """Make a link and show it, this once."""
    subject = get_subject(request.access, number, "qol.invite")
    found = get_visit(subject, visit)
    invitation, token = services.invite(
        actor=request.access.actor(subject.trial.code, subject.site.code),
        subject=subject,
        visit=found,
        language=request.POST.get("language", ""),
    )
    address = request.build_absolute_uri(reverse("questionnaire", args=[token]))
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "visit": found,
        "name": subject.version.protocol.visit(found.code).name,
        "invitation": invitation,
        "language": language_name(invitation.language),
        "address": address,
        "code": qr_code(address, "The address as a code for the camera of a phone"),
    }
    return page(request, "qol/link.html", context)


@permission("qol.invite")
@require_POST
def revoke(request: Request, number: str, visit: str) -> HttpResponse:
    """Take the open link of a visit back."""
    subject = get_subject(request.access, number, "qol.invite")
    found = get_visit(subject, visit)
    actor = request.access.actor(subject.trial.code, subject.site.code)
    services.revoke(actor=actor, invitation=get_invitation(subject, found))
    messages.success(request, f"The link of {found} opens nothing any more.")
    return redirect("quality-of-life", number)
