"""Locking sites and studies: how far each is, what is in the way, the lock, and its unlocking by two persons."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.decorators import permission
from accounts.requests import Request
from casebook import tasks
from casebook.pages import places as shown
from casebook.rules.places import PERMISSIONS, PlaceAction
from casebook.services import lock_runs, places
from foundation.errors import Forbidden
from foundation.tasks import enqueue
from foundation.web import page
from trials.models import Site, Trial
from trials.selectors import get_trial, trials_visible_to

DONE = {
    "lock": "Locked",
    "ask-unlock": "Asked to unlock",
    "lock-ready": "The casebooks that are ready are being locked",
}


@permission("entry.view")
def locks(request: Request) -> HttpResponse:
    """Sites of a trial: casebooks in all, ready, locked, and what is in the way; and the study itself."""
    trials = list(trials_visible_to(request.access, (shown.SEEN,)))
    asked = request.GET.get("trial", "")
    trial = get_trial(request.access, asked or (trials[0].code if trials else ""), (shown.SEEN,))
    rows = shown.site_rows(request.access, trial)
    context = {
        "trial": trial,
        "trials": trials,
        "place": shown.study_page(request.access, trial),
        "rows": rows,
        "may_stop": request.access.may("edit.stop", trial.code),
        "stops": [stop for stop in request.access.stops if stop.trial == trial.code],
    }
    return page(request, "casebook/locks.html", context)


@permission("entry.view")
def site_lock(request: Request, trial: str, site: str) -> HttpResponse:
    """One site: every casebook that is not locked with what is in the way, and what may be done."""
    found, where = _place(request, trial, site)
    assert where is not None
    left = shown.site_left(found, where)
    run = shown.last_run(found, where)
    context = {
        "trial": found,
        "place": shown.site_page(request.access, found, where, left),
        "checks": shown.lock_checks(),
        "left": left,
        "ready": sum(each.ready for each in left),
        "row": shown.site_row(found, where),
        "run": run,
        "runs": shown.is_under_way(run),
    }
    return page(request, "casebook/site_lock.html", context)


@permission("entry.view")
@require_POST
def move_study(request: Request, trial: str, verb: str) -> HttpResponse:
    """Lock a study, or ask to unlock it."""
    return _move(request, trial, "", verb)


@permission("entry.view")
@require_POST
def move_site(request: Request, trial: str, site: str, verb: str) -> HttpResponse:
    """Lock a site or its casebooks, or ask to unlock it."""
    return _move(request, trial, site, verb)


def _move(request: Request, code: str, site_code: str, verb: str) -> HttpResponse:
    action: PlaceAction = verb  # type: ignore[assignment]
    if not request.access.may_anywhere(PERMISSIONS[action]):
        raise Forbidden
    trial, site = _place(request, code, site_code)
    request.access.require(PERMISSIONS[action], trial.code, site_code)
    actor = request.access.actor(trial.code, site_code)
    reason = request.POST.get("reason", "")
    if action == "lock-ready" and site is not None:
        run = lock_runs.request_lock_run(actor=actor, trial=trial, site=site, reason=reason)
        enqueue(tasks.lock_casebooks, run.pk)
    elif action == "ask-unlock":
        hours = request.POST.get("hours", "")
        number = int(hours) if hours.isdigit() else 0
        places.ask_place_unlock(actor=actor, trial=trial, site=site, reason=reason, hours=number)
    else:
        places.lock_place(actor=actor, trial=trial, site=site, reason=reason)
    messages.success(request, f"{DONE[action]}: {site.name if site is not None else trial.short_title}.")
    if site is None:
        return redirect(f"{reverse('locks')}?trial={trial.code}")
    return redirect("site-lock", trial.code, site.code)


@permission("entry.view")
def run_status(request: Request, run: int) -> JsonResponse:
    """Progress for the page that waits."""
    found = shown.get_run(request.access, run)
    ended = not shown.is_under_way(found)
    return JsonResponse(
        {
            "state": found.state.lower(),
            "done": found.done,
            "total": found.total or 1,
            "text": found.problem or f"{found.done} of {found.total} casebooks",
            **({"redirect": reverse("site-lock", args=[found.trial.code, found.site.code])} if ended else {}),
        }
    )


@permission("entry.view")
def place_lock(request: Request, lock: int) -> HttpResponse:
    """What one lock of a site or a study covered, when, why and by whom."""
    found = shown.get_lock(request.access, lock)
    context = {
        "lock": found,
        "rows": shown.manifest_rows(found),
        "may_take": request.access.may(
            "export.run", found.trial.code, found.site.code if found.site is not None else None
        ),
        "unlocks": found.unlocks.select_related("asked_by", "decided_by"),
    }
    return page(request, "casebook/place_lock.html", context)


@permission("entry.view")
def place_unlock(request: Request, unlock: int) -> HttpResponse:
    """One unlocking of a place: who asked, who decided, and the casebooks that were written to meanwhile."""
    found = shown.get_place_unlock(request.access, unlock)
    site = found.lock.site.code if found.lock.site is not None else ""
    may = request.access.may(PERMISSIONS["approve-unlock"], found.lock.trial.code, site)
    context = {
        "unlock": found,
        "changed": shown.changed_casebooks(found),
        "may_answer": may and found.asked_by_id != request.access.user_id,
        "own": found.asked_by_id == request.access.user_id,
    }
    return page(request, "casebook/place_unlock.html", context)


@permission("unlock.approve")
@require_POST
def answer_place_unlock(request: Request, unlock: int, decision: str) -> HttpResponse:
    """Approve or refuse, as a second person."""
    found = shown.get_place_unlock(request.access, unlock)
    trial, site = found.lock.trial.code, found.lock.site.code if found.lock.site is not None else ""
    request.access.require("unlock.approve", trial, site)
    move = places.approve_place_unlock if decision == "approve" else places.refuse_place_unlock
    move(actor=request.access.actor(trial, site), unlock=found, answer=request.POST.get("answer", ""))
    return redirect("place-unlock", found.pk)


def _place(request: Request, code: str, site: str) -> tuple[Trial, Site | None]:
    trial = get_trial(request.access, code, (shown.SEEN,))
    return trial, shown.get_site(request.access, trial, site) if site else None
