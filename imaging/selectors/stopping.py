"""When a subject needs no more scans, because local recurrence was read by whom the charter names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from zoneinfo import ZoneInfo

from imaging.rules.ablation import ends_scans
from imaging.selectors.answered import outcomes_of_all
from imaging.selectors.judging import ABLATION, procedure_days, scan_day
from imaging.selectors.lesions import suspected_visits
from imaging.selectors.results import results_of
from patients.models import Subject
from visits.models import Visit

MAX_PROCEDURES = "max_procedures"


def scans_ended(subjects: Collection[Subject]) -> dict[int, date]:
    """The day on which local recurrence was read, by subject; those whose scans go on are left out.

    Notes
    -----
    The central reading counts from its signature on, the site's from the day of its visit. Where the charter does not
    ask for ablated lesions, nothing ends the scans. As many statements for many subjects as for one.
    """
    wholly = [(each, each.version.protocol.charter) for each in subjects]
    asked = [(each, charter) for each, charter in wholly if charter and ABLATION in charter.assessments]
    central = [each for each, charter in asked if charter.stop_on != "SITE"]
    site = [each for each, charter in asked if charter.stop_on != "CENTRAL"]
    ended: dict[int, date] = {}
    for subject, day in (*_read_centrally(central), *_seen_by_sites(site)):
        ended[subject] = min(day, ended.get(subject, day))
    return ended


def _read_centrally(subjects: Collection[Subject]) -> Iterable[tuple[int, date]]:
    known = {subject.pk: subject for subject in subjects}
    final = [(each.accepted, each.final_at) for each in results_of(subjects)]
    signed = [(read, at) for read, at in final if read is not None and at is not None]
    said, procedures = outcomes_of_all([read for read, _ in signed]), procedure_days(subjects)
    for read, at in signed:
        subject = known[read.subject_id]
        before = sum(day < scan_day(read.visit) for day in procedures[subject.pk])
        if ends_scans(said[read.pk].values(), before, _most(subject)):
            yield subject.pk, at.astimezone(ZoneInfo(subject.site.time_zone)).date()


def _most(subject: Subject) -> int | None:
    values = {each.name: each.value for each in subject.version.protocol.settings}
    most = values.get(MAX_PROCEDURES)
    return most if isinstance(most, int) else None


def _seen_by_sites(subjects: Collection[Subject]) -> Iterable[tuple[int, date]]:
    visits = Visit.objects.filter(subject__in=subjects, happened_on__isnull=False)
    days = {
        pk: (subject, day) for pk, subject, day in visits.values_list("pk", "subject", "happened_on") if day
    }
    return [days[visit] for visit in suspected_visits(days)]
