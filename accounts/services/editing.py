"""Withdrawing edit access to a trial before a data cut, and giving it back."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError

from accounts.errors import EditAccessReasonMissing, EditAccessStopEnded, EditAccessStopped
from accounts.models import EditStop
from audit.context import Actor, acting
from foundation.clock import now

LONGEST_REASON = 500
SHORTEST_REASON = 3


def withdraw_edit_access(
    *, actor: Actor, trial: str, site: str = "", reason: str, starts: datetime | None = None
) -> EditStop:
    """From a moment on all roles keep only reading, in a trial or at one of its sites.

    It holds everywhere at once: `accounts.access.Access` no longer grants what writes, and the database refuses a
    person's write to any subject there.

    Parameters
    ----------
    trial, site
        Codes; an empty site means all sites of the trial.
    starts
        From when (now); aware.

    References
    ----------
    ICH E6(R3) 3.16.1(r).

    Raises
    ------
    EditAccessReasonMissing, EditAccessStopped
    """
    words = _given(reason)
    try:
        with acting(actor, reason=words):
            return EditStop.objects.create(
                trial=trial, site=site, reason=words, starts=starts or now(), stopped_by_id=_person(actor)
            )
    except IntegrityError as error:
        raise EditAccessStopped(trial=trial, site=f" at {site}" if site else "") from error


def give_edit_access_back(*, actor: Actor, stop: EditStop, reason: str) -> EditStop:
    """Everybody may do again what their role allows.

    Raises
    ------
    EditAccessReasonMissing, EditAccessStopEnded
    """
    words = _given(reason)
    with acting(actor, reason=words):
        held = EditStop.objects.select_for_update().get(pk=stop.pk)
        if held.ends is not None:
            raise EditAccessStopEnded
        held.ends, held.resumed_by_id, held.resumed_reason = now(), _person(actor), words
        held.save(update_fields=["ends", "resumed_by", "resumed_reason"])
    return held


def _person(actor: Actor) -> int:
    if actor.id is None:
        raise PermissionError("Only a person does this.")
    return actor.id


def _given(reason: str) -> str:
    words = reason.strip()[:LONGEST_REASON]
    if len(words) < SHORTEST_REASON:
        raise EditAccessReasonMissing(field="reason")
    return words
