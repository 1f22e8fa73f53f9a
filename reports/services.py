"""Asking for exports and making them."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, Final

from accounts.access import Access
from audit.context import Actor, acting, service_actor
from foundation import clock
from foundation.errors import DomainError, Forbidden
from imaging.selectors.delivery import Scope, amount_of
from patients.models import Subject
from reports import work
from reports.archives import Milestones, digest_of, keep_archive
from reports.errors import (
    FutureMomentError,
    NothingToDeliverError,
    OneSubjectOnlyOfImagesError,
    OnlyAsItIsError,
    UnknownFormatError,
    UnknownSiteError,
    UnknownSubjectError,
)
from reports.exports.delivery.archive import write_delivery
from reports.exports.delivery.order import Order, Progress
from reports.exports.frame import Wanted
from reports.exports.odm.package import write_odm_package
from reports.exports.package import write_export
from reports.models import Export, ExportFormat, ExportState
from reports.policies import needed_for
from reports.snapshots import write_snapshot
from trials.models import Trial
from trials.selectors import sites_visible_to

FORMATS: Final = ("csv", "odm")
"""Formats of the data; images and reads are an export of their own."""
ACTOR = service_actor("exports")


def request_export(
    *,
    actor: Actor,
    access: Access,
    trial: Trial,
    file_format: str = ExportFormat.CSV,
    sites: tuple[str, ...] = (),
    subject: str = "",
    as_of: datetime | None = None,
) -> Export:
    """Ask for an export; a worker makes it (the caller enqueues `tasks.make_export`, or a sweep finds it).

    Parameters
    ----------
    file_format
        `csv` for the data as tables, `odm` for the data with all transactions, `dicom` for images and signed reads.
    sites
        Codes; none means all sites where the person may export.
    subject
        Number of the only subject that is wanted, of ODM, or of images and reads; empty for all.

    Raises
    ------
    foundation.errors.NotFound, foundation.errors.Forbidden
        The person may not export this trial.
    UnknownFormatError, UnknownSiteError, UnknownSubjectError, FutureMomentError, OnlyAsItIsError
    OneSubjectOnlyOfImagesError, NothingToDeliverError
    """
    if file_format not in ExportFormat.values:
        raise UnknownFormatError(
            field="format", format=file_format, known=", ".join(map(str, ExportFormat.values))
        )
    for permission in needed_for(file_format):
        access.require(permission, trial.code)
    if actor.id is None:
        raise PermissionError("An export is made for a person.")
    images = file_format == ExportFormat.DICOM
    _must_be_past(as_of, images=images)
    if subject and file_format == ExportFormat.CSV:
        raise OneSubjectOnlyOfImagesError(field="subject")
    chosen = sites_to_export(access, trial, sites, needed_for(file_format))
    only = _subject(trial, subject, chosen) if subject else None
    if images and not amount_of(Scope(trial.code, chosen, only.pk if only else None)):
        raise NothingToDeliverError(whose=_whose(trial, sites, only))
    with acting(actor):
        return Export.objects.create(
            trial=trial,
            format=file_format,
            sites=list(chosen),
            subject=only,
            as_of=as_of,
            requested_by_id=actor.id,
        )


def _must_be_past(as_of: datetime | None, *, images: bool) -> None:
    if as_of is not None and images:
        raise OnlyAsItIsError(field="as_of")
    if as_of is not None and as_of > clock.now():
        raise FutureMomentError(field="as_of", moment=as_of.isoformat())


def _subject(trial: Trial, number: str, sites: tuple[str, ...]) -> Subject:
    found = Subject.objects.filter(trial=trial, number=number)
    subject = (found.filter(site__code__in=sites) if sites else found).first()
    if subject is None:
        raise UnknownSubjectError(field="subject", subject=number, trial=trial.short_title)
    return subject


def _whose(trial: Trial, sites: tuple[str, ...], subject: Subject | None) -> str:
    if subject is not None:
        return subject.number
    return f"{trial.short_title} at {', '.join(sites)}" if sites else trial.short_title


def sites_to_export(
    access: Access, trial: Trial, wanted: tuple[str, ...], permissions: tuple[str, ...] = ("export.run",)
) -> tuple[str, ...]:
    """Sites of the export: those asked for, within those where the person holds every permission; none for all.

    Raises
    ------
    UnknownSiteError
    foundation.errors.Forbidden
        There is no site at which the person holds all of them.
    """
    if not wanted and all(_everywhere(access, permission, trial) for permission in permissions):
        return ()
    allowed = set.intersection(
        *(
            set(sites_visible_to(access, permission, trial).values_list("code", flat=True))
            for permission in permissions
        )
    )
    for site in wanted:
        if site not in allowed:
            raise UnknownSiteError(field="sites", site=site, trial=trial.short_title)
    if not allowed:
        raise Forbidden
    return tuple(sorted(wanted or allowed))


def _everywhere(access: Access, permission: str, trial: Trial) -> bool:
    return any(site == "" for code, site in access.scopes(permission) if code in {"", trial.code})


def make_export(export_id: int) -> None:
    """Make an export that waits. Safe to run twice: only one run claims it."""
    if not work.claim(Export, export_id, ACTOR):
        return
    export = Export.objects.select_related(
        "trial", "requested_by", "lock__trial", "lock__site", "subject"
    ).get(pk=export_id)
    try:
        _make(export)
    except DomainError as error:
        _update(export_id, state=ExportState.FAILED, problem=str(error)[:300])
    except OSError as error:
        _update(export_id, state=ExportState.FAILED, problem=_unwritten(error))


def _unwritten(error: OSError) -> str:
    reason = error.strerror or str(error)
    return (
        f"A file could not be read or written: {reason}. Nothing of this export was kept; ask for it again."[
            :300
        ]
    )


def _make(export: Export) -> None:
    write = _write_delivery if export.format == ExportFormat.DICOM else _write_data
    milestones = Milestones()

    def progress(done: int, total: int) -> None:
        if milestones.reached(done, total):
            work.report(Export, export.pk, ACTOR, done=done, total=total)

    with tempfile.TemporaryFile() as archive:
        manifest = write(export, archive, progress)
        digest = digest_of(archive)
        work.report(Export, export.pk, ACTOR)
        name = keep_archive(f"exports/{export.trial.code}-{export.pk}.zip", archive)
    _update(
        export.pk,
        state=ExportState.DONE,
        file=name,
        sha256=digest,
        manifest=manifest,
        problem=_missing(manifest.get("problem_count", 0)),
    )


def _write_data(export: Export, archive: IO[bytes], progress: Progress) -> dict[str, Any]:
    if export.lock is not None:
        return write_snapshot(export.lock, archive, progress)
    number = export.subject.number if export.subject else ""
    wanted = Wanted(export.trial, tuple(export.sites), export.as_of, number)
    if export.format == ExportFormat.ODM:
        return write_odm_package(wanted, archive, export.requested_by.full_name, progress)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        return write_export(
            wanted, lambda name: _member(packed, name), export.requested_by.full_name, progress
        )


def _write_delivery(export: Export, archive: IO[bytes], progress: Progress) -> dict[str, Any]:
    order = Order(export.trial, scope_of(export), export.requested_by.full_name, progress)
    return write_delivery(order, archive)


def scope_of(export: Export) -> Scope:
    """Whose images and reads a delivery holds."""
    return Scope(export.trial.code, tuple(export.sites), export.subject_id)


def _missing(count: int) -> str:
    if not count:
        return ""
    return f"Incomplete: {count} {'file is' if count == 1 else 'files are'} missing in it."


@contextmanager
def _member(packed: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    with packed.open(name, "w", force_zip64=True) as out:
        yield out


def _update(export_id: int, **fields: Any) -> None:
    work.keep(Export, export_id, ACTOR, **fields)
