"""Reviewing, freezing, locking and unlocking."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.decorators import permission
from accounts.requests import Request
from audit.context import Actor
from casebook.models import Unlock
from casebook.pages.addresses import form_url
from casebook.pages.places import place_unlocks_visible_to
from casebook.pages.unlocks import get_unlock, unlock_changes, unlocks_visible_to
from casebook.rules.states import LABELS, PERMISSIONS, Action
from casebook.selectors import LOG, find_entry
from casebook.services import states
from casebook.services.states import Scope
from foundation.errors import Forbidden, NotFound
from foundation.web import page
from patients.models import Subject
from patients.selectors import get_subject
from visits.selectors import get_visit


@permission("entry.view")
@require_POST
def move(request: Request, number: str, verb: str) -> HttpResponse:
    """Do something to a form, a visit or a casebook."""
    action: Action = verb  # type: ignore[assignment]
    if not request.access.may_anywhere(PERMISSIONS[action]):
        raise Forbidden
    subject = get_subject(request.access, number, "entry.view")
    request.access.require(PERMISSIONS[action], subject.trial.code, subject.site.code)
    scope = _scope(request, subject)
    actor = request.access.actor(subject.trial.code, subject.site.code)
    _MOVES[action](request, actor, scope)
    messages.success(request, f"{DONE[action]}: {_name(scope)}.")
    return redirect(_address(scope))


DONE = {
    "review": "Reviewed",
    "freeze": "Frozen",
    "unfreeze": "Given back to entry",
    "lock": "Locked",
    "ask-unlock": "Asked to unlock",
}


def _review(request: Request, actor: Actor, scope: Scope) -> None:
    states.review(actor=actor, scope=scope, comment=request.POST.get("reason", ""))


def _freeze(request: Request, actor: Actor, scope: Scope) -> None:
    states.freeze(actor=actor, scope=scope, reason=request.POST.get("reason", ""))


def _unfreeze(request: Request, actor: Actor, scope: Scope) -> None:
    states.unfreeze(actor=actor, scope=scope, reason=request.POST.get("reason", ""))


def _lock(request: Request, actor: Actor, scope: Scope) -> None:
    states.lock(actor=actor, scope=scope, reason=request.POST.get("reason", ""))


def _ask(request: Request, actor: Actor, scope: Scope) -> None:
    hours = request.POST.get("hours", "")
    states.ask_unlock(
        actor=actor,
        scope=scope,
        reason=request.POST.get("reason", ""),
        hours=int(hours) if hours.isdigit() else 0,
    )


_MOVES: dict[str, Callable[[Request, Actor, Scope], None]] = {
    "review": _review,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "lock": _lock,
    "ask-unlock": _ask,
}


@permission("entry.view")
def unlocks(request: Request) -> HttpResponse:
    """What waits to be unlocked, what is open now, and what was."""
    context = {
        "unlocks": unlocks_visible_to(request.access),
        "places": place_unlocks_visible_to(request.access)[:50],
    }
    return page(request, "casebook/unlocks.html", context)


@permission("entry.view")
def unlock(request: Request, unlock: int) -> HttpResponse:
    """One unlocking: who asked, who decided, and everything that was changed meanwhile."""
    found = get_unlock(request.access, unlock)
    may = request.access.may("unlock.approve", found.subject.trial.code, found.subject.site.code)
    context = {
        "unlock": found,
        "changes": unlock_changes(found),
        "may_answer": may and found.asked_by_id != request.access.user_id,
        "own": found.asked_by_id == request.access.user_id,
        "label": LABELS["approve-unlock"],
    }
    return page(request, "casebook/unlock.html", context)


@permission("unlock.approve")
@require_POST
def answer_unlock(request: Request, unlock: int, decision: str) -> HttpResponse:
    """Approve or refuse, as a second person."""
    found: Unlock = get_unlock(request.access, unlock)
    trial, site = found.subject.trial.code, found.subject.site.code
    request.access.require("unlock.approve", trial, site)
    move = states.approve_unlock if decision == "approve" else states.refuse_unlock
    move(actor=request.access.actor(trial, site), unlock=found, answer=request.POST.get("answer", ""))
    return redirect("unlock", found.pk)


def _scope(request: Request, subject: Subject) -> Scope:
    visit, form = request.POST.get("visit", ""), request.POST.get("form", "")
    repeat = request.POST.get("repeat", "1")
    if form:
        number = int(repeat) if repeat.isdigit() else 1
        entry = find_entry(request.access, subject.number, visit, form, number)
        if not entry.opened:
            raise NotFound
        return Scope(entry.subject, entry.visit, entry)
    if visit and visit != LOG:
        return Scope(subject, get_visit(subject, visit))
    return Scope(subject)


def _name(scope: Scope) -> str:
    if scope.entry is not None:
        return scope.entry.protocol.form(scope.entry.form).name
    return str(scope.visit) if scope.visit is not None else "the whole casebook"


def _address(scope: Scope) -> str:
    entry = scope.entry
    if entry is not None:
        return form_url(scope.subject, entry.visit, entry.form, entry.repeat)
    return reverse("subject-signatures", args=[scope.subject.number])
