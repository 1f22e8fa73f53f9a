"""The imaging room's signed reads as scans of the endpoints."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from casebook.models import Entry
from endpoints.rules.timeline import Scan
from endpoints.sources import ReadScan
from imaging.models import ImageQuality, Read, ReadState
from imaging.models import LesionOutcome as OutcomeRow
from imaging.rules.ablation import LesionOutcome
from patients.models import Subject

SCAN_FORM, SCAN_DATE = "IMG", "PRSTDAT"
FIRST_READER = 1


def signed_scans(subjects: Collection[Subject]) -> dict[int, list[ReadScan]]:
    """Scans of the subjects that have a signed central read; three statements.

    Notes
    -----
    The newest signed version counts, dated by the site's day of the scan (its scan form, else the day of the visit):
    stored images carry shifted dates only. With two readers and no adjudication on record, the first reader's read
    stands while both agree; where they differ the scan is left out, since no final read exists.
    """
    known = {subject.pk: subject for subject in subjects}
    reads = _newest(known)
    outcomes = _outcomes(reads)
    days = _scan_days({read.visit_id for read in reads})
    found: dict[int, list[ReadScan]] = {}
    for first, others in _by_scan(reads):
        acquired = days.get(first.visit_id) or first.visit.happened_on
        said = outcomes.get(first.pk, {})
        if acquired is None or any(outcomes.get(other.pk, {}) != said for other in others):
            continue
        zone = ZoneInfo(known[first.subject_id].site.time_zone)
        scan = Scan(
            acquired=acquired,
            signed=first.signed_at.astimezone(zone).date() if first.signed_at else None,
            adequate=first.image_quality != ImageQuality.INADEQUATE,
            lesions=said,
        )
        found.setdefault(first.subject_id, []).append(ReadScan(str(first.visit), scan))
    return found


def _newest(subjects: Collection[int]) -> list[Read]:
    """The newest signed version of each reader's read of each visit."""
    rows = (
        Read.objects.filter(subject__in=list(subjects), state=ReadState.SIGNED)
        .select_related("visit")
        .order_by("subject", "visit__ordinal", "visit__sequence", "number", "version")
    )
    return list({(read.visit_id, read.number): read for read in rows}.values())


def _by_scan(reads: Collection[Read]) -> list[tuple[Read, list[Read]]]:
    """First reader's read of each visit, and those of the others."""
    first = {read.visit_id: read for read in reads if read.number == FIRST_READER}
    return [
        (read, [other for other in reads if other.visit_id == visit and other.pk != read.pk])
        for visit, read in first.items()
    ]


def _outcomes(reads: Collection[Read]) -> dict[int, dict[str, LesionOutcome]]:
    """What each read says of each lesion; later rows of a read replace earlier ones."""
    found: dict[int, dict[str, LesionOutcome]] = {}
    rows = OutcomeRow.objects.filter(read__in=[read.pk for read in reads]).order_by("pk")
    for read, lesion, outcome in rows.values_list("read_id", "lesion", "outcome"):
        found.setdefault(read, {})[lesion] = LesionOutcome(outcome)
    return found


def _scan_days(visits: Collection[int]) -> dict[int, date]:
    """The first day of scanning that the site recorded for each visit."""
    rows = Entry.objects.filter(visit__in=list(visits), form=SCAN_FORM, struck_out=False)
    found: dict[int, date] = {}
    for visit, values in rows.values_list("visit_id", "values"):
        text = str((values.get(SCAN_DATE) or {}).get("value") or "")
        if visit is not None and len(text) == 10:
            day = date.fromisoformat(text)
            found[visit] = min(day, found.get(visit, day))
    return found
