"""Source data verification: a monitor has compared what stands here with the source."""

from __future__ import annotations

import secrets

from audit.context import Actor, acting, service_actor
from casebook.errors import UnknownItemError
from casebook.models import Entry, Verification
from casebook.rules.verification import digest_of, sourced_items
from casebook.sampling import SamplingSeed
from trials.models import Trial

SAMPLER = service_actor("verification sample")


def content_digest(entry: Entry, item: str = "") -> str:
    """SHA-256 of what was verified: what was entered in one item, or in all items of the form."""
    return digest_of(entry.values, item)


def verify_item(*, actor: Actor, entry: Entry, item: str) -> Verification:
    """Record that an item agrees with its source, as it stands now; an empty item verifies the whole form.

    Raises
    ------
    UnknownItemError
    """
    if not item:
        return verify_entry(actor=actor, entry=entry)
    if item not in entry.protocol.form(entry.form).items_by_id:
        raise UnknownItemError(form=entry.form, item=item)
    person = _person(actor)
    with acting(actor):
        made = _made(person, entry, item)
        made.save(force_insert=True)
    return made


def verify_entry(*, actor: Actor, entry: Entry) -> Verification:
    """Record that a whole form agrees with its source, as it stands now: each of its items, and the form."""
    person = _person(actor)
    with acting(actor):
        items = sourced_items(entry.protocol.form(entry.form), entry.values)
        made = Verification.objects.bulk_create(_made(person, entry, item) for item in (*items, ""))
    return made[-1]


def _made(person: int, entry: Entry, item: str) -> Verification:
    return Verification(
        entry=entry,
        subject_id=entry.subject_id,
        item=item,
        digest=content_digest(entry, item),
        by_id=person,
    )


def _person(actor: Actor) -> int:
    if actor.id is None:
        raise PermissionError("Only a person compares data with their source.")
    return actor.id


def ensure_seed(trial: Trial) -> None:
    """Draw the seed of a trial's sample, once; it stays what it is for the whole trial."""
    if SamplingSeed.objects.filter(trial=trial).exists():
        return
    with acting(SAMPLER, reason="seed drawn"):
        SamplingSeed.objects.get_or_create(trial=trial, defaults={"seed": secrets.token_hex(32)})
