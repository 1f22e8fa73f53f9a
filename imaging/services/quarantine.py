"""What a person decides about quarantined files: let them pass, or destroy them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from audit.context import Actor, acting
from foundation import clock
from imaging import originals
from imaging.dicom.intake import Arrived
from imaging.dicom.writing import Box, as_text
from imaging.errors import CannotCoverError, CannotReleaseError, NotInQuarantineError, ReasonMissingError
from imaging.models import Batch, BatchFile, BatchState, FileState, Study
from imaging.policies import may_cover, may_release
from imaging.services.frames import make_frames
from imaging.services.keeping import Fate, Keeper
from imaging.services.originals import note_destroyed
from imaging.services.processing import Judged, judge, judged, write_fate
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
        with originals.opened(held.stored_key) as stored:
            data = stored.read()
        overruled = frozenset((*held.overruled, held.code))
        again = Judged(Arrived(held.path, data), overruled, judged(held, Arrived(held.path, None)).covers)
        (fate,) = judge(Keeper(held.batch.visit, actor=actor), [again])
        if fate.instance is None and not may_release(fate.code):
            raise CannotReleaseError(reason=fate.reason)
        held.overruled = sorted(overruled)
        held.save(update_fields=["overruled"])
        if fate.instance is None:
            write_fate(held, fate)
            return held
        make_frames([fate.instance])
        _settle(held, fate, actor)
        note_destroyed(actor, 1, reason, held.batch)
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
        return _let_pass(actor, _alike(batch, code), ())


def release_held(*, actor: Actor, file: BatchFile, reason: str, covers: Sequence[Box] = ()) -> int:
    """Let a picture in which something may be written pass, with those of the same marks; the worker goes on with them.

    Parameters
    ----------
    covers
        Areas that are blackened in each of them before it is kept.

    Returns
    -------
    int
        How many; zero where somebody else decided first.

    Raises
    ------
    ReasonMissingError, CannotCoverError
    """
    _check_reason(reason)
    if not may_cover(file.code):
        raise CannotCoverError
    with acting(actor, reason=reason):
        return _let_pass(actor, _marked_alike(file), covers)


def _let_pass(actor: Actor, held: Sequence[BatchFile], covers: Sequence[Box]) -> int:
    """Files go back to the worker, with what a person decided about them."""
    if not held:
        return 0
    if not may_release(held[0].code):
        raise CannotReleaseError(reason=held[0].reason)
    for file in held:
        file.overruled = sorted({*file.overruled, file.code})
        file.covers = as_text(covers) or file.covers
        file.state, file.decided_by = FileState.RECEIVED, actor.name
    BatchFile.objects.bulk_update(held, ["overruled", "covers", "state", "decided_by"], batch_size=500)
    Batch.objects.filter(pk=held[0].batch_id).update(
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
        _destroy(actor, [held], reason)
    return held


def reject_alike(*, actor: Actor, batch: Batch, code: str, reason: str) -> int:
    """Destroy all files of a batch that are held back for one reason; returns how many.

    Raises
    ------
    ReasonMissingError
    """
    _check_reason(reason)
    with acting(actor, reason=reason):
        return _destroy(actor, _alike(batch, code), reason)


def reject_held(*, actor: Actor, file: BatchFile, reason: str) -> int:
    """Destroy a picture in which something is written, with those of the same marks; returns how many.

    Raises
    ------
    ReasonMissingError
    """
    _check_reason(reason)
    with acting(actor, reason=reason):
        return _destroy(actor, _marked_alike(file), reason)


def _destroy(actor: Actor, held: Sequence[BatchFile], reason: str) -> int:
    for file in held:
        _settle(file, Fate(FileState.REJECTED, file.code, file.reason), actor)
    if held:
        note_destroyed(actor, len(held), reason, held[0].batch)
        _check_again(actor, held[0])
    return len(held)


def _alike(batch: Batch, code: str) -> list[BatchFile]:
    return list(_held_files().filter(batch=batch, code=code).order_by("pk"))


def _marked_alike(file: BatchFile) -> list[BatchFile]:
    """The file, and where something was found in it, those of its upload with the same marks: its series."""
    found = _held_files().filter(batch=file.batch_id, code=file.code)
    own = found.filter(marks=file.marks) if file.marks else found.filter(pk=file.pk)
    return list(own.order_by("pk"))


def _held_files() -> QuerySet[BatchFile]:
    held = BatchFile.objects.select_for_update(of=("self",)).select_related("batch__visit__subject")
    return held.filter(state=FileState.QUARANTINED)


def _check_again(actor: Actor, file: BatchFile) -> None:
    """Studies of the visit wait for no file any more; what they lack, the check says."""
    for study in Study.objects.filter(visit=file.batch.visit_id):
        check_quality(actor=actor, study=study)


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
    originals.destroy([held.stored_key])
    held.stored_key, held.decided_by = "", actor.name
    write_fate(held, fate)
    held.save(update_fields=["decided_by"])
