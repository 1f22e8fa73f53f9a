"""Archives of exports: made in a file of the worker's, kept in the storage whole or not at all, and given out."""

from __future__ import annotations

import hashlib
from time import monotonic
from typing import IO, Final

from django.core.files.base import File
from django.core.files.storage import default_storage

from audit.context import Actor, acting
from imaging.models import Study
from imaging.selectors.delivery import taken_back
from reports.errors import ExportNotReadyError, ExportOutdatedError
from reports.models import Export, ExportFormat, ExportState, ExportTaken

BLOCK: Final = 1 << 20
STEPS: Final = 50
QUIET: Final = 60.0
"""Seconds after which somebody who waits is told how far the work is, whether a step was made or not."""


class Milestones:
    """Which of many small steps are worth telling: as many as one sees in a bar, and a sign of life each minute."""

    def __init__(self) -> None:
        self._told, self._at = -1, monotonic()

    def reached(self, done: int, total: int) -> bool:
        """Whether this one is."""
        step = STEPS * done // max(total, 1)
        if step == self._told and monotonic() - self._at < QUIET:
            return False
        self._told, self._at = step, monotonic()
        return True


def digest_of(archive: IO[bytes]) -> str:
    """SHA-256 of a file, read in blocks."""
    archive.seek(0)
    digest = hashlib.sha256()
    while block := archive.read(BLOCK):
        digest.update(block)
    archive.seek(0)
    return digest.hexdigest()


def keep_archive(name: str, archive: IO[bytes]) -> str:
    """Keep an archive in the storage. What a lost worker or a full disk left behind of it goes first.

    Raises
    ------
    OSError
        It could not be kept, and nothing of it is.
    """
    default_storage.delete(name)
    try:
        return default_storage.save(name, File(archive))
    except OSError:
        default_storage.delete(name)
        raise


def take_archive(*, actor: Actor, export: Export) -> File[bytes]:
    """Open the archive of an export, and note who takes it away.

    Raises
    ------
    ExportNotReadyError, ExportOutdatedError
    """
    if export.state != ExportState.DONE:
        raise ExportNotReadyError
    for study in _taken_back(export):
        raise ExportOutdatedError(subject=study.subject.number, visit=str(study.visit))
    archive = default_storage.open(export.file)
    note_taken(actor=actor, export=export, what="file")
    return archive


def note_taken(*, actor: Actor, export: Export, what: str) -> None:
    """Note that somebody takes an export away, or the list of its readers."""
    with acting(actor):
        ExportTaken.objects.create(export=export, what=what, sha256=export.sha256)


def still_holds(export: Export) -> bool:
    """Whether no image of a delivery was taken out or rejected since it was made."""
    return not _taken_back(export)


def _taken_back(export: Export) -> list[Study]:
    examinations = (export.manifest or {}).get("examinations", [])
    return taken_back(examinations) if examinations else []


def file_name(export: Export) -> str:
    """The name under which somebody keeps an archive."""
    subject = f"-{export.subject.number}" if export.subject else ""
    content = {ExportFormat.DICOM: "-images", ExportFormat.ODM: "-odm"}.get(
        ExportFormat(export.format), "-lock" if export.lock_id else ""
    )
    return f"hilum-{export.trial.code}{subject}{content}-{export.requested_at:%Y%m%d-%H%M}.zip"
