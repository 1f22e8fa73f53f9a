"""What somebody typed and could not save yet, kept for the same person until it is saved, discarded or old.

A draft is not data: no rule, page of another person, export or interface ever reads it. It is sealed with a key of
its own, bound to person, subject and form, and nothing of it enters the trail but that it was kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Now

from audit.context import Actor, acting, service_actor
from casebook.errors import DraftTooLargeError
from casebook.models import Draft, Entry
from casebook.selectors import LOG
from foundation import clock, sealing

KEPT_FOR = timedelta(hours=72)
"""Over a weekend: who is signed out on Friday finds it on Monday."""
LARGEST = 200_000
PURPOSE = "draft"
PARTS = ("value", "unit", "low", "high", "missing")

type_parts = Mapping[str, str]


@dataclass(frozen=True)
class Kept:
    """A draft, opened: when it was typed, and by item what."""

    at: datetime
    items: Mapping[str, type_parts]


def place_of(entry: Entry) -> str:
    """Where a form is, whether or not anybody opened it: `SCR/LB/1`."""
    return f"{entry.visit or LOG}/{entry.form}/{entry.repeat}"


def keep_draft(*, actor: Actor, entry: Entry, items: Mapping[str, type_parts]) -> None:
    """Keep what a person typed into a form, in place of what was kept before; forget it where that is nothing.

    Raises
    ------
    DraftTooLargeError
    """
    person = _person(actor)
    known = entry.protocol.form(entry.form).items_by_id
    wanted = {item: _only_parts(parts) for item, parts in items.items() if item in known}
    if not wanted:
        forget_draft(actor=actor, entry=entry)
        return
    raw = json.dumps(wanted, sort_keys=True).encode()
    if len(raw) > LARGEST:
        raise DraftTooLargeError
    place = place_of(entry)
    sealed = sealing.seal(raw, purpose=PURPOSE, about=_about(person, entry))
    with acting(actor):
        Draft.objects.update_or_create(
            person_id=person, subject=entry.subject, place=place, defaults={"sealed": sealed, "at": Now()}
        )


def forget_draft(*, actor: Actor, entry: Entry) -> None:
    """Drop a person's draft of a form, if there is one."""
    with acting(actor):
        Draft.objects.filter(person_id=_person(actor), subject=entry.subject, place=place_of(entry)).delete()


def draft_of(person_id: int | None, entry: Entry) -> Kept | None:
    """The draft of this person for this form; None where there is none, or an old one."""
    found = Draft.objects.filter(person_id=person_id, subject=entry.subject, place=place_of(entry)).first()
    if found is None or person_id is None or found.at < clock.now() - KEPT_FOR:
        return None
    try:
        raw = sealing.unseal(found.sealed, purpose=PURPOSE, about=_about(person_id, entry))
    except sealing.SealBroken:
        return None
    return Kept(found.at, json.loads(raw))


def forget_old_drafts() -> None:
    """Drop all drafts that nobody came back for."""
    with acting(service_actor("drafts")):
        Draft.objects.filter(at__lt=clock.now() - KEPT_FOR).delete()


def _only_parts(parts: type_parts) -> dict[str, str]:
    return {name: str(parts[name]) for name in PARTS if parts.get(name)}


def _person(actor: Actor) -> int:
    if actor.id is None:
        raise PermissionError("Only a person has drafts.")
    return actor.id


def _about(person: int, entry: Entry) -> str:
    return f"{person}/{entry.subject_id}/{place_of(entry)}"
