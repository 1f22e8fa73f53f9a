"""What this room does when a lower room says that something happened."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from audit.context import Actor
from casebook.models import PlaceLock
from casebook.signals import place_locked
from foundation.tasks import enqueue
from reports import tasks
from reports.snapshots import ask_for_snapshot


@receiver(place_locked, dispatch_uid="reports.snapshot")
def keep_what_was_locked(sender: type[PlaceLock], lock: PlaceLock, actor: Actor, **_: Any) -> None:
    """A site or a study that is locked has its snapshot."""
    enqueue(tasks.make_export, ask_for_snapshot(actor=actor, lock=lock).pk)
