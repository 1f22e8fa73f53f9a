"""The imaging room's signed reads as scans of the endpoints."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from casebook.models import Entry
from endpoints.rules.timeline import Scan
from endpoints.sources import ReadScan
from imaging.models import ImageQuality, Read
from imaging.rules.ablation import LesionOutcome
from imaging.selectors.answered import outcomes_of_all
from imaging.selectors.results import results_of
from patients.models import Subject

SCAN_FORM, SCAN_DATE = "IMG", "PRSTDAT"


def signed_scans(subjects: Collection[Subject]) -> dict[int, list[ReadScan]]:
    """Scans of the subjects that have a final central read; as many statements for one as for many.

    Notes
    -----
    The newest signed version counts, dated by the site's day of the scan (its scan form, else the day of the visit):
    stored images carry shifted dates only. With two readers the scan counts when both have signed: as both say it, or
    as the adjudicator accepted it. A time point without a result is none here; whoever oversees the reads sees why.
    """
    known = {subject.pk: subject for subject in subjects}
    final = [result for result in results_of(subjects) if result.accepted is not None]
    outcomes = _outcomes([result.accepted for result in final if result.accepted])
    days = _scan_days({result.visit for result in final})
    found: dict[int, list[ReadScan]] = {}
    for result in final:
        read = result.accepted
        assert read is not None
        acquired = days.get(read.visit_id) or read.visit.happened_on
        if acquired is None:
            continue
        zone = ZoneInfo(known[read.subject_id].site.time_zone)
        scan = Scan(
            acquired=acquired,
            signed=result.final_at.astimezone(zone).date() if result.final_at else None,
            adequate=read.image_quality != ImageQuality.INADEQUATE,
            lesions=outcomes.get(read.pk, {}),
        )
        found.setdefault(read.subject_id, []).append(ReadScan(str(read.visit), scan))
    return found


def _outcomes(reads: Collection[Read]) -> dict[int, dict[str, LesionOutcome]]:
    """What each read says of each ablated lesion; what it says of sizes decides no endpoint of ablation."""
    return {
        read: {lesion: LesionOutcome(outcome) for lesion, outcome in said.items()}
        for read, said in outcomes_of_all(reads).items()
    }


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
