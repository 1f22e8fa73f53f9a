"""Snapshots of locked sites and studies: the data as they were locked, made once and kept unchanged.

A snapshot is an export as of the moment of the lock. Everything in it follows from the records of that moment, the
moments on its members included, so that the same version of Hilum makes the same bytes again at any later time.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

from django.core.files.storage import default_storage

from audit.context import Actor, acting
from audit.models import Event
from casebook.models import PlaceLock
from reports.archives import digest_of
from reports.exports.frame import Wanted
from reports.exports.package import write_files
from reports.models import Export, ExportState

Progress = Callable[[int, int], None]


def ask_for_snapshot(*, actor: Actor, lock: PlaceLock) -> Export:
    """Ask for the snapshot of a lock, in the transaction of the lock; a worker makes it."""
    with acting(actor):
        return Export.objects.create(
            trial=lock.trial,
            sites=[lock.site.code] if lock.site else [],
            lock=lock,
            as_of=lock.made_at,
            requested_by_id=lock.made_by_id,
        )


def write_snapshot(lock: PlaceLock, archive: IO[bytes], progress: Progress | None = None) -> dict[str, Any]:
    """Write the snapshot of a lock.

    Returns
    -------
    dict
        Its manifest: the lock with its digest, the head of the trail, files with row counts and SHA-256.
    """
    sites = (lock.site.code,) if lock.site else ()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        member = _members(packed, lock.made_at)
        wanted = Wanted(lock.trial, sites, lock.made_at)
        frame, written = write_files(wanted, member, progress)
        manifest = {**_about(lock), "subjects": len(frame.subjects), "files": written}
        with member("manifest.json") as out:
            out.write(json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True).encode())
    return manifest


def _members(packed: zipfile.ZipFile, moment: datetime) -> Callable[[str], Any]:
    @contextmanager
    def opener(name: str) -> Iterator[IO[bytes]]:
        head = zipfile.ZipInfo(name, moment.astimezone(UTC).timetuple()[:6])
        head.compress_type = zipfile.ZIP_DEFLATED
        head.external_attr = 0o400 << 16
        with packed.open(head, "w", force_zip64=True) as out:
            yield out

    return opener


def _about(lock: PlaceLock) -> dict[str, Any]:
    """What was locked, by whom and when, from the lock itself and the trail of that moment."""
    inserted = Event.objects.filter(table_name="casebook_placelock", row_id=str(lock.pk), action="I")
    versions = lock.trial.versions.filter(published_at__lte=lock.made_at).order_by("effective_from", "pk")
    return {
        "trial": lock.trial.code,
        "registry_id": lock.trial.registry_id,
        "site": lock.site.code if lock.site else None,
        "lock": {
            "id": lock.pk,
            "made_at": lock.made_at.astimezone(UTC).isoformat(),
            "made_by": inserted.values_list("actor", flat=True).first(),
            "reason": lock.reason,
            "sha256": lock.digest,
            "manifest": lock.manifest,
        },
        "trail": {"newest_event": lock.trail_head, **_head(lock)},
        "protocol_versions": [
            {
                "label": each.label,
                "sha256": each.sha256,
                "effective_from": each.effective_from.isoformat(),
            }
            for each in versions.defer("definition")
        ],
    }


def _head(lock: PlaceLock) -> dict[str, str]:
    digest = Event.objects.filter(pk=lock.trail_head).values_list("digest", flat=True).first()
    return {"sha256": bytes(digest).hex()} if digest else {}


def made_again(lock: PlaceLock) -> str:
    """SHA-256 of the snapshot of a lock, made anew from the records of that moment; nothing is kept."""
    with tempfile.TemporaryFile() as archive:
        write_snapshot(lock, archive)
        return digest_of(archive)


def changed_snapshots() -> Iterator[str]:
    """Every snapshot whose file is not the one that was made. A check of `verify_trail`."""
    kept = Export.objects.filter(lock__isnull=False, state=ExportState.DONE).order_by("pk")
    for export in kept.defer("manifest").iterator():
        if not default_storage.exists(export.file):
            yield f"snapshot of lock {export.lock_id}: its file is gone"
            continue
        with default_storage.open(export.file) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != export.sha256:
                yield f"snapshot of lock {export.lock_id}: its file is not what was made"
