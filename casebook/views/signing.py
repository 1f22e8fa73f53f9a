"""Signing: what waits, what a signature covers, and which casebooks are not signed before a milestone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.decorators import permission
from accounts.models import User
from accounts.requests import Request
from accounts.selectors import is_genuine
from accounts.signing import remember_signature, typed_name
from casebook.errors import NothingToSignError
from casebook.models import Milestone, SignedRecord
from casebook.pages.banner import subject_banner
from casebook.pages.moment import as_it_stood
from casebook.pages.said import as_signed
from casebook.pages.signing import unsigned_casebooks, waiting_page
from casebook.pages.standing import signatures_of_subject, standings_of
from casebook.rules.dates import DateFault, read_date
from casebook.services.milestones import keep_milestone
from casebook.services.signing import Outcome, Wanted, sign_records
from foundation import clock
from foundation.errors import DomainError, Invalid, NotFound
from foundation.web import is_htmx, page
from patients.selectors import get_subject, subjects_visible_to
from trials.selectors import trials_visible_to

PER_PAGE = 50


@permission("sign.entry")
def signatures(request: Request) -> HttpResponse:
    """What waits for my signature; sign it in one go. `?record=` asks for some; HTMX, for all that these say."""
    only = request.GET.getlist("record")
    if request.method != "POST":
        return _said(request, only) if is_htmx(request) else _waiting(request, only)
    wanted = [_wanted(text) for text in request.POST.getlist("record")]
    try:
        outcome = _sign(request, wanted)
    except DomainError as error:
        return _waiting(request, only, status=422, error=error, chosen=request.POST.getlist("record"))
    if outcome.signed:
        messages.success(request, f"Signed: {_counted(outcome.signed)}.")
    if outcome.refused:
        return _waiting(request, only, status=409, refused=outcome.refused)
    return redirect(_back(only))


def _said(request: Request, only: Sequence[str]) -> HttpResponse:
    rows = waiting_page(request.access, only).rows
    return page(request, "casebook/_said.html", {"forms": [form for row in rows for form in row.forms]})


def _sign(request: Request, wanted: Sequence[Wanted]) -> Outcome:
    if not wanted:
        raise NothingToSignError(field="record")
    user = request.user
    assert isinstance(user, User)
    outcome = sign_records(
        actor=request.access.actor(),
        user=user,
        wanted=wanted,
        password=request.POST.get("password", ""),
        username=typed_name(request),
    )
    remember_signature(request)
    return outcome


def _wanted(text: str) -> Wanted:
    key, _, seen = text.partition("|")
    return Wanted(key, seen)


def _waiting(request: Request, only: Sequence[str], *, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "waiting": waiting_page(request.access, only),
        "only": only,
        "signed_at": clock.now(),
        **more,
    }
    return page(request, "casebook/signatures.html", context, status=status)


def _counted(signed: Sequence[SignedRecord]) -> str:
    return "1 record" if len(signed) == 1 else f"{len(signed)} records"


def _back(only: Sequence[str]) -> str:
    """To the casebook that was signed, where one was asked for; else to what still waits."""
    numbers = {parts[1] for key in only if len(parts := key.split("/")) > 1}
    return reverse("subject-signatures", args=[numbers.pop()]) if len(numbers) == 1 else reverse("signatures")


@permission("entry.view")
@as_it_stood
def subject_signatures(request: Request, number: str) -> HttpResponse:
    """States of a casebook, what may be done, and every signature in it."""
    subject = get_subject(request.access, number, "entry.view")
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "standings": standings_of(subject, request.access),
        "signed": signatures_of_subject(subject),
    }
    return page(request, "casebook/signatures_of_subject.html", context)


@permission("entry.view")
@as_it_stood
def signed_record(request: Request, number: str, signed: int) -> HttpResponse:
    """What a signature covers, and what changed since."""
    subject = get_subject(request.access, number, "entry.view")
    record = (
        SignedRecord.objects.filter(pk=signed, subject=subject)
        .select_related("signature", "visit", "entry", "batch__signature")
        .first()
    )
    if record is None:
        raise NotFound
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "record": record,
        "forms": as_signed(record, subject),
        "genuine": is_genuine(record.signature),
        "shown": next(each for each in signatures_of_subject(subject) if each.record.pk == record.pk),
    }
    return page(request, "casebook/signed_record.html", context)


@permission("entry.view")
def milestones(request: Request) -> HttpResponse:
    """Days before which casebooks are to be signed, and those that are not."""
    trials = list(trials_visible_to(request.access, ("entry.view",)))
    faults: dict[str, str] = {}
    if request.method == "POST":
        try:
            return _keep(request)
        except Invalid as error:
            faults = error.errors
    chosen = request.GET.get("trial", "") or (trials[0].code if trials else "")
    subjects = subjects_visible_to(request.access, "entry.view").filter(trial__code=chosen).order_by("number")
    shown = Paginator(subjects, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "trials": trials,
        "trial": chosen,
        "milestones": Milestone.objects.filter(trial__in=trials).select_related("trial"),
        "unsigned": unsigned_casebooks(list(shown.object_list)),
        "page": shown,
        "may_keep": request.access.may("lock.entry", chosen),
        "faults": faults,
        "typed": request.POST,
    }
    return page(request, "casebook/milestones.html", context, status=422 if faults else 200)


def _keep(request: Request) -> HttpResponse:
    code = request.POST.get("trial", "")
    request.access.require("lock.entry", code)
    try:
        due = date.fromisoformat(read_date(request.POST.get("due_on", ""), clock.today()))
        keep_milestone(
            actor=request.access.actor(code),
            trial=next(
                each for each in trials_visible_to(request.access, ("entry.view",)) if each.code == code
            ),
            name=request.POST.get("name", ""),
            due_on=due,
        )
    except DateFault as fault:
        raise Invalid({"due_on": str(fault)}) from None
    except IntegrityError:
        raise Invalid({"name": "A milestone of this trial has this name already."}) from None
    return redirect(f"{reverse('milestones')}?trial={code}")
