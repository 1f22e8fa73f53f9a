"""Source data verification: a monitor has compared what stands here with the source."""

from __future__ import annotations

import hashlib
import json

from audit.context import Actor, acting
from casebook.models import Entry, Verification


def content_digest(entry: Entry, item: str = "") -> str:
    """SHA-256 of what was verified: one cell, or all cells of the form."""
    content = entry.values.get(item) if item else entry.values
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def verify_item(*, actor: Actor, entry: Entry, item: str) -> Verification:
    """Record that an item agrees with its source, as it stands now."""
    if actor.id is None:
        raise PermissionError("Only a person compares data with their source.")
    with acting(actor):
        return Verification.objects.create(
            entry=entry,
            subject_id=entry.subject_id,
            item=item,
            digest=content_digest(entry, item),
            by_id=actor.id,
        )


def verify_entry(*, actor: Actor, entry: Entry) -> Verification:
    """Record that a whole form agrees with its source, as it stands now."""
    return verify_item(actor=actor, entry=entry, item="")
