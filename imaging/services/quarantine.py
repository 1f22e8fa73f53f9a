"""What a person decides about quarantined files: let them pass, or destroy them."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.db import transaction

from audit.context import Actor, acting
from foundation import clock
from imaging.dicom.intake import Arrived
from imaging.errors import CannotReleaseError, NotInQuarantineError, ReasonMissingError
from imaging.models import Batch, BatchFile, BatchState, FileState, Study
from imaging.policies import may_release
from imaging.services.frames import make_frames
from imaging.services.keeping import Fate, Keeper
from imaging.services.processing import judge, write_fate
from imaging.services.quality import check_quality


def release_file(*, actor: Actor, file: BatchFile, reason: str) -> BatchFile:
    """Let a quarantined file pass: somebody looked and takes responsibility. It is de-identified like any other.

    Where something else stands against it that a person may judge too, it stays in quarantine for that reason.

    Raises
    ------
    NotInQuarantineError, ReasonMissingError
    CannotReleaseError
        It is no readable image, or something stands against it that nobody may overrule; it stays in quarantine.
    """
    _check_reason(reason)
    with acting(actor, reason=reason):
        held = _held(file)
        if not may_release(held.code):
            raise CannotReleaseError(reason=held.reason)
        with default_storage.open(held.stored_key) as stored:
            data = stored.read()
        overruled = frozenset((*held.overruled, held.code))
        (fate,) = judge(Keeper(held.batch.visit, actor=actor), [(Arrived(held.path, data), overruled)])
        if fate.instance is None and not may_release(fate.code):
            raise CannotReleaseError(reason=fate.reason)
        held.overruled = sorted(overruled)
        held.save(update_fields=["overruled"])
        if fate.instance is None:
            write_fate(held, fate)
            return held
        make_frames([fate.instance])
        _settle(held, fate, actor)
    check_quality(actor=actor, study=Study.objects.get(series__instances=fate.instance))
    return held


def release_alike(*, actor: Actor, batch: Batch, code: str, reason: str) -> int:
    """Let all files of a batch pass that are held back for one reason; the worker goes on with them.

    Returns
    -------
    int
        How many; zero where somebody else decided first.

    Raises
    ------
    ReasonMissingError, CannotReleaseError
    """
    _check_reason(reason)
    with acting(actor, reason=reason):
        held = _alike(batch, code)
        if held and not may_release(code):
            raise CannotReleaseError(reason=held[0].reason)
        for file in held:
            file.overruled = sorted({*file.overruled, code})
            file.state, file.decided_by = FileState.RECEIVED, actor.name
        BatchFile.objects.bulk_update(held, ["overruled", "state", "decided_by"], batch_size=500)
        if held:
            Batch.objects.filter(pk=batch.pk).update(
                state=BatchState.RECEIVED, received_at=clock.now(), claimed_at=None, attempts=0, done_at=None
            )
    return len(held)


def reject_file(*, actor: Actor, file: BatchFile, reason: str) -> BatchFile:
    """Destroy a quarantined file; that it was there, and why it went, stays on record.

    Raises
    ------
    NotInQuarantineError, ReasonMissingError
    """
    _check_reason(reason)
    with acting(actor, reason=reason):
        held = _held(file)
        _settle(held, Fate(FileState.REJECTED, held.code, held.reason), actor)
    return held


def reject_alike(*, actor: Actor, batch: Batch, code: str, reason: str) -> int:
    """Destroy all files of a batch that are held back for one reason; returns how many.

    Raises
    ------
    ReasonMissingError
    """
    _check_reason(reason)
    with acting(actor, reason=reason):
        held = _alike(batch, code)
        for file in held:
            _settle(file, Fate(FileState.REJECTED, file.code, file.reason), actor)
    return len(held)


def _alike(batch: Batch, code: str) -> list[BatchFile]:
    found = BatchFile.objects.select_for_update().filter(batch=batch, code=code, state=FileState.QUARANTINED)
    return list(found.order_by("pk"))


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < 3:
        raise ReasonMissingError(field="reason")


def _held(file: BatchFile) -> BatchFile:
    held = (
        BatchFile.objects.select_for_update(of=("self",))
        .select_related("batch__visit__subject")
        .get(pk=file.pk)
    )
    if held.state != FileState.QUARANTINED:
        raise NotInQuarantineError(state=held.get_state_display())
    return held


def _settle(held: BatchFile, fate: Fate, actor: Actor) -> None:
    key = held.stored_key
    transaction.on_commit(lambda: default_storage.delete(key))
    held.stored_key, held.decided_by = "", actor.name
    write_fate(held, fate)
    held.save(update_fields=["decided_by"])
