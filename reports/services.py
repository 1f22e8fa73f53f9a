"""Asking for exports and making them."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from accounts.access import Access
from audit.context import Actor, acting, service_actor
from foundation import clock
from foundation.errors import DomainError
from reports import work
from reports.errors import FutureMomentError, UnknownFormatError, UnknownSiteError
from reports.exports.package import Wanted, write_export
from reports.models import Export, ExportState
from trials.models import Trial
from trials.selectors import sites_visible_to

FORMATS = ("csv",)
ACTOR = service_actor("exports")


def request_export(
    *,
    actor: Actor,
    access: Access,
    trial: Trial,
    file_format: str = "csv",
    sites: tuple[str, ...] = (),
    as_of: datetime | None = None,
) -> Export:
    """Ask for an export; a worker makes it (the caller enqueues `tasks.make_export`, or a sweep finds it).

    Parameters
    ----------
    sites
        Codes; none means all sites where the person may export.

    Raises
    ------
    foundation.errors.NotFound, foundation.errors.Forbidden
        The person may not export this trial.
    UnknownFormatError, UnknownSiteError, FutureMomentError
    """
    access.require("export.run", trial.code)
    if file_format not in FORMATS:
        raise UnknownFormatError(field="format", format=file_format, known=", ".join(FORMATS))
    if as_of is not None and as_of > clock.now():
        raise FutureMomentError(field="as_of", moment=as_of.isoformat())
    chosen = sites_to_export(access, trial, sites)
    if actor.id is None:
        raise PermissionError("An export is made for a person.")
    with acting(actor):
        return Export.objects.create(
            trial=trial, format=file_format, sites=list(chosen), as_of=as_of, requested_by_id=actor.id
        )


def sites_to_export(access: Access, trial: Trial, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Sites of the export: those asked for, within those that the person may export."""
    if not wanted and any(
        site == "" for code, site in access.scopes("export.run") if code in {"", trial.code}
    ):
        return ()
    allowed = set(sites_visible_to(access, "export.run", trial).values_list("code", flat=True))
    for site in wanted:
        if site not in allowed:
            raise UnknownSiteError(field="sites", site=site, trial=trial.short_title)
    return tuple(sorted(wanted or allowed))


def make_export(export_id: int) -> None:
    """Make an export that waits. Safe to run twice: only one run claims it."""
    if not work.claim(Export, export_id, ACTOR):
        return
    export = Export.objects.select_related("trial", "requested_by").get(pk=export_id)
    try:
        _make(export)
    except (DomainError, OSError) as error:
        _update(export_id, state=ExportState.FAILED, problem=str(error)[:300])


def _make(export: Export) -> None:
    wanted = Wanted(export.trial, tuple(export.sites), export.as_of)
    with tempfile.TemporaryFile() as archive:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            manifest = write_export(
                wanted,
                lambda name: _member(packed, name),
                export.requested_by.full_name,
                lambda done, total: _update(export.pk, done=done, total=total),
            )
        digest = _digest(archive)
        archive.seek(0)
        name = default_storage.save(f"exports/{export.trial.code}-{export.pk}.zip", File(archive))
    _update(export.pk, state=ExportState.DONE, file=name, sha256=digest, manifest=manifest)


@contextmanager
def _member(packed: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    with packed.open(name, "w", force_zip64=True) as out:
        yield out


def _digest(archive: IO[bytes]) -> str:
    archive.seek(0)
    digest = hashlib.sha256()
    while block := archive.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _update(export_id: int, **fields: Any) -> None:
    work.keep(Export, export_id, ACTOR, **fields)
