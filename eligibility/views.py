"""The eligibility pages of a subject: the criteria, signing, and all trials side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.decorators import permission
from accounts.models import User
from accounts.requests import Request
from accounts.signing import remember_signature, typed_name
from casebook.pages.banner import subject_banner
from casebook.pages.moment import as_it_stood, days_are_its_own
from eligibility.errors import NotEligibleError
from eligibility.forms import SignForm, read_day
from eligibility.models import Assessment, Decision
from eligibility.pages.criteria import criteria_page, moves_subject
from eligibility.pages.places import places_of
from eligibility.pages.trials import trials_page
from eligibility.policies import DECISIONS, differs, may_be_signed
from eligibility.selectors import (
    VIEW,
    Evaluation,
    Standing,
    assessments_of,
    compared_on,
    evaluation_of,
    judged_on,
    standing,
)
from eligibility.selectors.standing import NOTHING_SIGNED
from eligibility.services import sign_assessment, statement_of
from foundation import clock
from foundation.errors import DomainError, NotFound
from foundation.web import is_htmx, page
from patients.models import Subject
from patients.selectors import get_subject

SIGN = "eligibility.sign"


@permission(VIEW)
@as_it_stood
@days_are_its_own
def eligibility(request: Request, number: str) -> HttpResponse:
    """Every criterion with its evidence, on the day that is judged or on another one."""
    subject = get_subject(request.access, number, VIEW)
    return _criteria(request, subject)


def _criteria(request: Request, subject: Subject, *, status: int = 200, **more: Any) -> HttpResponse:
    today = clock.today(subject.site.time_zone)
    asked, fault = read_day(request.GET.get("as_of", ""), today)
    history = list(assessments_of(subject))
    signed = next((each for each in history if each.decision), None)
    judged = judged_on(subject, signed, today)
    evaluation = evaluation_of(subject, asked or judged)
    shown = criteria_page(
        subject,
        evaluation,
        places_of(subject, evaluation.projection),
        _standing(subject, evaluation, history, today),
        judged_on=judged,
        history=history,
        may_sign=request.access.may(SIGN, subject.trial.code, subject.site.code),
    )
    projection = evaluation.projection if evaluation.as_of == today else None
    context = {
        "subject": subject,
        "shown": shown,
        "day_fault": fault,
        "day_typed": request.GET.get("as_of", "") if fault else "",
        "moves": moves_subject(subject),
        "banner": subject_banner(subject, request.access, projection),
        **more,
    }
    return page(request, "eligibility/eligibility.html", context, status=422 if fault else status)


def _standing(subject: Subject, shown: Evaluation, history: Sequence[Assessment], today: date) -> Standing:
    signed = next((each for each in history if each.decision), None)
    if signed is None:
        return NOTHING_SIGNED
    on = compared_on(subject, signed, today)
    return standing(subject, signed, shown if shown.as_of == on else evaluation_of(subject, on), today)


@permission(SIGN)
def sign(request: Request, number: str) -> HttpResponse:
    """Ask for the password, and sign."""
    subject = get_subject(request.access, number, SIGN)
    if request.method != "POST":
        decision = request.GET.get("decision", "")
        if decision not in DECISIONS:
            raise NotFound
        return _dialog(request, subject, decision)
    form = SignForm(request.POST)
    decision = request.POST.get("decision", "")
    if not form.is_valid():
        if decision not in DECISIONS:
            raise NotFound
        return _dialog(request, subject, decision, refused="Type your password to sign.", field="password")
    try:
        _sign(request, subject, form)
    except DomainError as error:
        return _dialog(request, subject, decision, refused=error.message, field=error.field or "")
    messages.success(request, f"Signed: {subject.number} is {Decision(decision).label.lower()}.")
    return _go_to(request, reverse("eligibility", args=[number]))


def _sign(request: Request, subject: Subject, form: SignForm) -> None:
    user = request.user
    assert isinstance(user, User)
    sign_assessment(
        actor=request.access.actor(subject.trial.code, subject.site.code),
        user=user,
        subject=subject,
        username=typed_name(request),
        **form.cleaned_data,
    )
    remember_signature(request)


def _dialog(
    request: Request, subject: Subject, decision: str, *, refused: str = "", field: str = ""
) -> HttpResponse:
    """The dialog; on a page of its own where no script asks for it."""
    today = clock.today(subject.site.time_zone)
    signed = next((each for each in assessments_of(subject) if each.decision), None)
    evaluation = evaluation_of(subject, judged_on(subject, signed, today))
    outlook = evaluation.outlook
    if not refused and outlook is not None and not may_be_signed(decision, outlook.verdict):
        raise NotEligibleError(field="decision", because=f"{outlook.route.because}.")
    context: dict[str, Any] = {
        "decision": decision,
        "decision_word": Decision(decision).label.lower(),
        "statement": statement_of(subject, evaluation, decision),
        "evaluation": evaluation,
        "comment_needed": outlook is None or differs(decision, outlook.verdict),
        "comment": request.POST.get("comment", ""),
        "seen": request.POST.get("seen", "") or evaluation.digest,
        "signed_at": clock.now(),
        "time_zone": subject.site.time_zone,
        "roles": ", ".join(request.access.roles(subject.trial.code, subject.site.code)),
        "refused": refused,
        "refused_field": field,
    }
    status = 422 if refused else 200
    if is_htmx(request):
        return render(
            request, "eligibility/_sign_dialog.html", {"subject": subject, **context}, status=status
        )
    return _criteria(request, subject, status=status, dialog=True, **context)


@permission(VIEW)
def trials(request: Request, number: str) -> HttpResponse:
    """The patient in all trials that the person may see, side by side."""
    subject = get_subject(request.access, number, VIEW)
    today = clock.today(subject.site.time_zone)
    asked, fault = read_day(request.GET.get("as_of", ""), today)
    as_of = asked or today
    context = {
        "subject": subject,
        "as_of": as_of,
        "day_fault": fault,
        "sets": trials_page(request.access, subject, as_of),
        "banner": subject_banner(subject, request.access),
    }
    return page(request, "eligibility/trials.html", context, status=422 if fault else 200)


def _go_to(request: Request, url: str) -> HttpResponse:
    """Send the browser on, also from a fragment."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)
