"""Originals that are destroyed: what was decided, what nobody decided in time, and what outlived its use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet

from audit.context import Actor, acting
from foundation import clock
from imaging import originals
from imaging.models import Batch, BatchFile, Destruction, FileState, InboxItem, InboxState
from imaging.services.keeping import INTAKE
from patients.models import Subject

OLD = timedelta(days=1)
"""Younger files may belong to a transaction that has not ended."""

_UNUSED = "No row names them any more."


def note_destroyed(
    actor: Actor, files: int, reason: str, batch: Batch | None = None, subject: Subject | None = None
) -> None:
    """Write down that originals are destroyed, in the transaction that decides it."""
    if files:
        Destruction.objects.create(
            subject_id=batch.subject_id if batch else subject.pk if subject else None,
            batch=batch,
            files=files,
            reason=reason.strip()[:300],
            by=actor.name,
        )


def destroy_expired() -> int:
    """Destroy originals about which nobody decided in time; returns how many.

    That they were there stays on record; the site has them, and can send them again.
    """
    limit = clock.now() - timedelta(days=settings.ORIGINALS_KEPT_DAYS)
    since = Q(held_since__lt=limit) | Q(held_since=None, batch__done_at__lt=limit)
    held = BatchFile.objects.filter(since, state=FileState.QUARANTINED)
    waiting = InboxItem.objects.filter(state=InboxState.WAITING, received_at__lt=limit)
    return _expire_held(held) + _expire_waiting(waiting)


def _expired() -> str:
    return f"Nobody decided within {settings.ORIGINALS_KEPT_DAYS} days, and it was destroyed. Send it again."


def _expire_held(held: QuerySet[BatchFile]) -> int:
    batches = Batch.objects.filter(pk__in=held.values("batch"))
    gone = 0
    for batch in batches:
        with acting(INTAKE, reason=_expired()):
            own = list(held.filter(batch=batch).select_for_update(of=("self",)))
            originals.destroy(file.stored_key for file in own)
            note_destroyed(INTAKE, len(own), _expired(), batch)
            BatchFile.objects.filter(pk__in=[file.pk for file in own]).update(
                state=FileState.REJECTED, reason=_expired(), stored_key="", held_since=None
            )
        gone += len(own)
    return gone


def _expire_waiting(waiting: QuerySet[InboxItem]) -> int:
    with acting(INTAKE, reason=_expired()):
        own = list(waiting.select_for_update(of=("self",)))
        originals.destroy(item.stored_key for item in own)
        note_destroyed(INTAKE, len(own), _expired())
        InboxItem.objects.filter(pk__in=[item.pk for item in own]).update(
            state=InboxState.REJECTED,
            stored_key="",
            decided_by=INTAKE.name,
            decided_at=clock.now(),
            decision_reason=_expired(),
        )
    return len(own)


def destroy_leftovers() -> int:
    """Destroy every received file that no row names any more; returns how many.

    Raises
    ------
    OSError
        The storage does not answer; the next run goes on.
    """
    limit = clock.now() - OLD
    named = {
        key
        for table in (BatchFile, InboxItem)
        for key in table._default_manager.exclude(stored_key="").values_list("stored_key", flat=True)
    }
    gone = 0
    try:
        for key in _keys(originals.FOLDER):
            if key not in named and default_storage.get_modified_time(key) < limit:
                default_storage.delete(key)
                gone += 1
    finally:
        with acting(INTAKE):
            note_destroyed(INTAKE, gone, _UNUSED)
    return gone


def _keys(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _keys(f"{folder}/{name}")
