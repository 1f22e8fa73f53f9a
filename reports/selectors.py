"""Reading the reports room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.access import Access
from foundation.errors import NotFound
from imaging.selectors.delivery import Amount, ReaderOf, Scope, amounts_of, readers_in
from patients.selectors import within
from reports.errors import ExportNotReadyError
from reports.models import Export, ExportFormat, ExportState
from reports.policies import DELIVERING, needed_for
from trials.models import Trial


def exports_visible_to(access: Access) -> QuerySet[Export]:
    """A person's own exports of trials that they may still export, and snapshots of what was locked there."""
    condition = Q(pk__in=[])
    for file_format in ExportFormat.values:
        condition |= Q(format=file_format) & _may_have(access, needed_for(file_format))
    condition &= Q(requested_by_id=access.user_id, lock__isnull=True)
    found = Export.objects.filter(condition | _snapshots(access))
    return found.select_related("trial", "requested_by", "subject", "lock__site").defer("manifest")


def _snapshots(access: Access) -> Q:
    """Snapshots of places whose data the person may export, whoever locked them."""
    return Q(lock__isnull=False) & within(access, "export.run", trial="trial__code", site="lock__site__code")


def _may_have(access: Access, permissions: tuple[str, ...]) -> Q:
    """Exports of trials where the person holds all of these."""
    condition = Q()
    for permission in permissions:
        trials = access.trials(permission)
        condition &= Q() if "" in trials else Q(trial__code__in=trials)
    return condition


def trials_to_deliver(access: Access) -> list[tuple[Trial, Amount]]:
    """Trials whose images and reads the person may have, with how much there is of each; three statements."""
    codes = set.intersection(*(access.trials(permission) for permission in DELIVERING))
    trials = list(Trial.objects.filter(code__in=codes).order_by("code"))
    amounts = amounts_of([trial.code for trial in trials])
    return [(trial, amounts[trial.code]) for trial in trials]


def get_export(access: Access, export_id: int) -> Export:
    """One of a person's own exports.

    Raises
    ------
    NotFound
    """
    found = exports_visible_to(access).filter(pk=export_id).first()
    if found is None:
        raise NotFound(what="export", name=str(export_id))
    return found


def get_snapshot(access: Access, lock_id: int) -> Export:
    """The snapshot of a lock, where the person may export what was locked.

    Raises
    ------
    NotFound
        There is none for this person; locks from before snapshots were kept have none.
    """
    found = exports_visible_to(access).filter(lock=lock_id).first()
    if found is None:
        raise NotFound(what="snapshot", name=str(lock_id))
    return found


def get_delivery(access: Access, export_id: int) -> Export:
    """One of a person's own deliveries of images and reads that is made.

    Raises
    ------
    NotFound, ExportNotReadyError
    """
    found = get_export(access, export_id)
    if found.format != ExportFormat.DICOM:
        raise NotFound(what="delivery", name=str(export_id))
    if found.state != ExportState.DONE:
        raise ExportNotReadyError
    return found


def readers_of(export: Export) -> Iterator[ReaderOf]:
    """Who made the reads of a delivery."""
    made_at = datetime.fromisoformat((export.manifest or {})["created_at"])
    return readers_in(Scope(export.trial.code, tuple(export.sites), export.subject_id), made_at)
