"""Sealing and anchoring: what makes an alteration of the trail visible."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from audit.models import Seal

ANCHORS = "anchors"


def seal_events() -> int:
    """Seal what no running transaction can add to any more.

    Returns
    -------
    int
        Number of events in the new block; 0 where there was nothing to seal.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.hilum_seal()")
        (sealed,) = cursor.fetchone()
    return int(sealed)


def anchor_newest_seal() -> str | None:
    """Put the newest seal's digest where the database's administrator cannot change it.

    Returns
    -------
    str or None
        Name of the file in the installation's storage (`STORAGE_URL`; production uses one that keeps versions); None
        while there is no seal, or where it is anchored already.
    """
    seal = Seal.objects.order_by("-id").first()
    if seal is None:
        return None
    name = f"{ANCHORS}/{seal.pk:012}.json"
    if default_storage.exists(name):
        return None
    content = {
        "seal": seal.pk,
        "at": seal.at.isoformat(),
        "last_event": seal.last_id,
        "digest": bytes(seal.digest).hex(),
    }
    return default_storage.save(name, ContentFile(json.dumps(content).encode()))


def read_anchors() -> Iterator[tuple[int, str]]:
    """Identifier and digest of every anchored seal."""
    if not default_storage.exists(ANCHORS):
        return
    for name in sorted(default_storage.listdir(ANCHORS)[1]):
        with default_storage.open(f"{ANCHORS}/{name}") as handle:
            anchor = json.load(handle)
        yield anchor["seal"], anchor["digest"]
