"""What a person decides about a quarantined file: let it pass, or destroy it."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.db import transaction

from audit.context import Actor, acting
from imaging.dicom.intake import examine
from imaging.errors import CannotReleaseError, NotInQuarantineError, ReasonMissingError
from imaging.models import BatchFile, FileState, Study
from imaging.policies import may_release
from imaging.services.keeping import Fate, Keeper
from imaging.services.processing import write_fate
from imaging.services.quality import check_quality


def release_file(*, actor: Actor, file: BatchFile, reason: str) -> BatchFile:
    """Let a quarantined file pass: somebody looked and takes responsibility. It is de-identified like any other.

    Raises
    ------
    NotInQuarantineError, ReasonMissingError
    CannotReleaseError
        It is no readable image, or something else stands against it; it stays in quarantine.
    """
    _check_reason(reason)
    with acting(actor, reason=reason):
        held = _held(file)
        if not may_release(held.code):
            raise CannotReleaseError(reason=held.reason)
        with default_storage.open(held.stored_key) as stored:
            data = stored.read()
        read = examine(data, held.path).file
        if read is None:
            raise CannotReleaseError(reason=held.reason)
        fate = Keeper(held.batch.visit, actor=actor, overruled=frozenset({held.code})).keep(read)
        if fate.instance is None:
            raise CannotReleaseError(reason=fate.reason)
        _settle(held, fate, actor)
    check_quality(actor=actor, study=Study.objects.get(series__instances=fate.instance))
    return held


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
