"""Locking every casebook of a site that is ready, in the background: each through the one service that locks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from accounts.selectors import access_of
from audit.context import Actor, acting, service_actor
from casebook.closing import standstills
from casebook.errors import StateRefusedError
from casebook.models import LockRun, RunState
from casebook.rules.places import place_refusal
from casebook.services.places import lockable_state
from casebook.services.states import Scope, lock, person_of, roles_of
from casebook.services.words import reason_given
from foundation import clock
from foundation.errors import DomainError
from patients.models import Subject
from trials.models import Site, Trial

RUNNER = service_actor("locking casebooks")
GIVEN_UP_AFTER = timedelta(minutes=10)
"""A run that has not written for so long lost its worker; another takes it up."""
UNDER_WAY = (RunState.WAITING, RunState.RUNNING)


def request_lock_run(*, actor: Actor, trial: Trial, site: Site, reason: str) -> LockRun:
    """Ask for a run; one that is under way at the site is given instead of a second one.

    Raises
    ------
    ReasonTooShortError, RoleRefusedError, StateRefusedError
    """
    words = reason_given(reason)
    found = place_refusal("lock-ready", lockable_state(trial, site), roles_of(actor))
    if found is not None:
        raise StateRefusedError(sentence=found.sentence)
    with acting(actor, reason=words):
        Site.objects.select_for_update().get(pk=site.pk)  # so that two who ask get one run
        under_way = LockRun.objects.filter(trial=trial, site=site, state__in=UNDER_WAY).first()
        return under_way or LockRun.objects.create(
            trial=trial, site=site, reason=words, asked_by_id=person_of(actor)
        )


def waiting_lock_runs() -> list[int]:
    """Runs that wait, or whose worker was lost, oldest first."""
    return list(LockRun.objects.filter(_to_be_run()).order_by("pk").values_list("pk", flat=True))


def make_lock_run(run_id: int) -> None:
    """Lock what is ready, as the person who asked and with the rights that they have now. Safe to run twice."""
    with acting(RUNNER):
        taken = LockRun.objects.filter(_to_be_run(), pk=run_id).update(
            state=RunState.RUNNING, touched_at=Now()
        )
    if not taken:
        return
    run = LockRun.objects.select_related("trial", "site", "asked_by").get(pk=run_id)
    access = access_of(run.asked_by)
    if not access.may("lock.entry", run.trial.code, run.site.code):
        _keep(run, state=RunState.FAILED, problem=f"{run.asked_by.full_name} may not lock here any more.")
        return
    actor = access.actor(run.trial.code, run.site.code)
    ready = [each.subject for each in standstills(run.trial, run.site) if each.ready]
    _keep(run, total=run.done + len(ready))
    for subject in ready:
        _lock_one(run, actor, subject)
    _keep(run, state=RunState.DONE)


def _lock_one(run: LockRun, actor: Actor, subject: Subject) -> None:
    """Lock one casebook; what changed since the list was made is left as it is, with the reason."""
    try:
        lock(actor=actor, scope=Scope(subject), reason=run.reason)
        run.locked += 1
    except DomainError as error:
        run.refused[subject.number] = error.message
    run.done += 1
    _keep(run, done=run.done, locked=run.locked, refused=run.refused)


def _keep(run: LockRun, **fields: Any) -> None:
    with acting(RUNNER):
        LockRun.objects.filter(pk=run.pk).update(touched_at=Now(), **fields)


def _to_be_run() -> Q:
    lost = Q(state=RunState.RUNNING, touched_at__lt=clock.now() - GIVEN_UP_AFTER)
    return Q(state=RunState.WAITING) | lost
