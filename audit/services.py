"""Sealing, anchoring and checking: what makes an alteration of the trail visible; and who went through it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from audit.context import Actor, acting, service_actor
from audit.models import Seal, TrailBundle, TrailCheck, TrailReview
from audit.registry import registered_checks
from audit.verification import Count, anchor_faults, faults
from foundation.errors import Invalid

ANCHORS = "anchors"
CHECKER = service_actor("trail verification")


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
    for _, content in stored_anchors():
        anchor = json.loads(content)
        yield anchor["seal"], anchor["digest"]


def stored_anchors() -> Iterator[tuple[str, bytes]]:
    """Name and content of every anchor in the installation's storage, oldest first."""
    if not default_storage.exists(ANCHORS):
        return
    for name in sorted(default_storage.listdir(ANCHORS)[1]):
        with default_storage.open(f"{ANCHORS}/{name}") as handle:
            yield f"{ANCHORS}/{name}", handle.read()


def every_fault(count: Count, anchors: Iterable[tuple[int, str]] | None = None) -> Iterator[str]:
    """Every broken place of the trail, against the anchors, and of what other rooms have checked.

    Parameters
    ----------
    count
        Filled with what was gone through.
    anchors
        Identifiers and digests of seals; those in the storage where none are given.
    """
    yield from map(str, faults(count))
    yield from map(str, anchor_faults(read_anchors() if anchors is None else anchors))
    for check in registered_checks().values():
        yield from check()


def check_trail() -> TrailCheck:
    """Verify the whole trail and keep the result, for the foot of every page."""
    count, number, first = Count(), 0, ""
    for fault in every_fault(count):
        number += 1
        first = first or fault
    with acting(CHECKER):
        return TrailCheck.objects.create(
            events=count.events, seals=count.seals, unsealed=count.unsealed, faults=number, first_fault=first
        )


def record_bundle(*, actor: Actor, whole: bool) -> TrailBundle:
    """Note that somebody takes a copy of the trail away."""
    newest = Seal.objects.order_by("-id").values_list("id", flat=True).first()
    with acting(actor):
        return TrailBundle.objects.create(by=actor.name, whole=whole, seal=newest)


def record_review(*, actor: Actor, scopes: Iterable[tuple[str, str]], said: dict[str, Any]) -> TrailReview:
    """Keep that somebody went through a window of the trail, and what they found.

    Parameters
    ----------
    scopes
        Trials and sites whose trail the reviewer may see.
    said
        The other columns of `TrailReview`.

    Raises
    ------
    foundation.errors.Invalid
        Something to follow up, and nothing said of how.

    References
    ----------
    ICH E6(R3) 4.2.2(c), 4.2.3; EMA/INS/GCP/112288/2023, 6.2.2.
    """
    if actor.id is None:
        raise PermissionError("A review is made by a person.")
    if said["result"] == "FOLLOW_UP" and not said.get("follow_up"):
        raise Invalid({"follow_up": "Say what is followed up, and with whom."})
    with acting(actor):
        return TrailReview.objects.create(
            reviewer_id=actor.id,
            reviewer=actor.name,
            role=actor.role[:100],
            scopes=[list(each) for each in scopes],
            **said,
        )
