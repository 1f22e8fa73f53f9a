"""Locking and unlocking a site, or a whole study.

What may be done in which state and by whom stands in `casebook.rules.places`; the database holds what is locked,
against every table that belongs to a subject (`casebook.gates`).
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.db.models import DateTimeField, Func

from audit.context import Actor, acting
from casebook.closing import (
    casebook_manifest,
    casebooks_of,
    place_digest,
    place_state,
    site_manifest,
    sites_left,
    standing_lock,
    standstills,
    waiting_unlock,
)
from casebook.errors import PlaceBusyError, RoleRefusedError, StateRefusedError
from casebook.models import PlaceLock, PlaceUnlock, UnlockState
from casebook.rules.places import PlaceAction, PlaceState, place_refusal
from casebook.rules.states import Asked
from casebook.services.states import LONGEST_UNLOCK_HOURS, person_of, roles_of, trail_head
from casebook.services.words import reason_given
from casebook.signals import place_locked
from foundation import clock
from trials.models import Site, Trial, TrialSite


def lock_place(*, actor: Actor, trial: Trial, site: Site | None, reason: str) -> PlaceLock:
    """Lock a site, or without one the study: from now on nothing of its subjects is written.

    Raises
    ------
    ReasonTooShortError, RoleRefusedError
    StateRefusedError
        A casebook of the site, or a site of the study, is not locked, or a room above objects.
    PlaceBusyError
        Somebody is writing there at this moment.

    References
    ----------
    ICH E6(R3) 4.2.6.
    """
    words = reason_given(reason)
    with acting(actor, reason=words):
        _one_after_the_other(trial, site)
        _must_be_allowed("lock", actor, place_state(trial, site, left=0))
        _alone(trial, site)
        _must_be_allowed("lock", actor, lockable_state(trial, site))
        manifest = (
            site_manifest(trial) if site is None else casebook_manifest(list(casebooks_of(trial, site)))
        )
        made = PlaceLock.objects.create(
            trial=trial,
            site=site,
            reason=words,
            made_by_id=person_of(actor),
            made_at=Func(function="clock_timestamp", output_field=DateTimeField()),
            manifest=manifest,
            digest=place_digest(trial, site, manifest),
            trail_head=trail_head(),
        )
        made.refresh_from_db(fields=["made_at"])
        place_locked.send(PlaceLock, lock=made, actor=actor)
    return made


def ask_place_unlock(
    *, actor: Actor, trial: Trial, site: Site | None, reason: str, hours: int
) -> PlaceUnlock:
    """Ask that a locked site or study be opened for a time; its casebooks stay locked, each until it is unlocked.

    Raises
    ------
    ReasonTooShortError, StateRefusedError, RoleRefusedError
    """
    words = reason_given(reason)
    if not 1 <= hours <= LONGEST_UNLOCK_HOURS:
        raise StateRefusedError(field="hours", sentence=f"Choose from 1 to {LONGEST_UNLOCK_HOURS} hours.")
    with acting(actor, reason=words):
        lock = _held(trial, site)
        asked: Asked = "other" if lock is not None and waiting_unlock(lock) is not None else ""
        _must_be_allowed("ask-unlock", actor, place_state(trial, site, left=0, asked=asked))
        assert lock is not None
        return PlaceUnlock.objects.create(lock=lock, reason=words, hours=hours, asked_by_id=person_of(actor))


def approve_place_unlock(*, actor: Actor, unlock: PlaceUnlock, answer: str = "") -> PlaceUnlock:
    """Open a site or a study for the time that was asked for, as a second person.

    Raises
    ------
    StateRefusedError, RoleRefusedError
    """
    with acting(actor, reason=unlock.reason):
        held = _answered(actor, unlock, UnlockState.APPROVED, answer)
        PlaceLock.objects.filter(pk=held.lock_id).update(open_until=held.ends_at)
    return held


def refuse_place_unlock(*, actor: Actor, unlock: PlaceUnlock, answer: str) -> PlaceUnlock:
    """Leave a site or a study locked, and say why.

    Raises
    ------
    ReasonTooShortError, StateRefusedError, RoleRefusedError
    """
    words = reason_given(answer)
    with acting(actor, reason=words):
        return _answered(actor, unlock, UnlockState.REFUSED, words)


def lockable_state(trial: Trial, site: Site | None) -> PlaceState:
    """A site, or the study, with what is left to be locked in it, as the rules look at it."""
    lock = standing_lock(trial, site)
    asked: Asked = "other" if lock is not None and waiting_unlock(lock) is not None else ""
    if site is None:
        empty = not TrialSite.objects.filter(trial=trial).exists()
        return place_state(trial, None, left=sites_left(trial), empty=empty, asked=asked)
    left = standstills(trial, site)
    return place_state(trial, site, left=len(left), ready=sum(each.ready for each in left), asked=asked)


def _answered(actor: Actor, unlock: PlaceUnlock, state: UnlockState, answer: str) -> PlaceUnlock:
    held = (
        PlaceUnlock.objects.select_for_update(of=("self",))
        .select_related("lock__trial", "lock__site")
        .get(pk=unlock.pk)
    )
    asked: Asked = (
        "" if held.state != UnlockState.ASKED else "self" if held.asked_by_id == actor.id else "other"
    )
    place = place_state(held.lock.trial, held.lock.site, left=0, asked=asked)
    _must_be_allowed("approve-unlock", actor, place)
    held.state, held.answer = state, answer.strip()[:500]
    held.decided_by_id, held.decided_at = actor.id, clock.now()
    if state == UnlockState.APPROVED:
        held.ends_at = held.decided_at + timedelta(hours=held.hours)
        held.trail_head = trail_head()
    held.save(update_fields=["state", "answer", "decided_by", "decided_at", "ends_at", "trail_head"])
    return held


def _held(trial: Trial, site: Site | None) -> PlaceLock | None:
    """The standing lock of a place, held so that two who ask come one after the other."""
    found = standing_lock(trial, site)
    return PlaceLock.objects.select_for_update().get(pk=found.pk) if found is not None else None


def _must_be_allowed(action: PlaceAction, actor: Actor, place: PlaceState) -> None:
    found = place_refusal(action, place, roles_of(actor))
    if found is not None:
        raise (RoleRefusedError if found.by == "role" else StateRefusedError)(sentence=found.sentence)


def _one_after_the_other(trial: Trial, site: Site | None) -> None:
    """Let nobody else lock anything of this trial, or this site, until the end of the transaction.

    The trial's row comes first, and nothing is waited for after the two rows. Who waited for another lock is told of
    it before anybody looks for writers: one that the other lock has just refused may hold the place a moment longer.
    """
    Trial.objects.select_for_update(no_key=True).get(pk=trial.pk)
    if site is not None:
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)


def _alone(trial: Trial, site: Site | None) -> None:
    """Hold the place, or every site of the study, alone until the end of the transaction.

    Whoever writes to a subject holds its place shared (the gate in the database does that), so no write is under way
    when it is looked at, and the next one comes after the lock. It does not wait: who waited would hold up everybody.
    """
    places = TrialSite.objects.filter(trial=trial).order_by("site_id")
    if site is not None:
        places = places.filter(site=site)
    with connection.cursor() as cursor:
        for key in places.values_list("site_id", flat=True):
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [trial.pk, key])
            if not cursor.fetchone()[0]:
                raise PlaceBusyError
