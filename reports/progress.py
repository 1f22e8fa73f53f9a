"""What a sponsor wants to see without asking: enrolment, screening outcomes, completeness of the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from accounts.access import Access
from casebook.completeness import due_forms
from casebook.models import Query, QueryState
from casebook.rules.status import UNSCHEDULED, is_overdue
from patients.models import Subject, SubjectStatus
from patients.selectors import within
from treatment.models import Allocation
from trials.models import Trial
from visits.models import Visit, VisitState

ENROLLED = ("ENROLLED", "ON_TREATMENT", "FOLLOW_UP", "COMPLETED", "DISCONTINUED")


@dataclass(frozen=True)
class SiteRow:
    """One site: subjects by where they stand, and what is late."""

    code: str
    name: str
    screened: int
    enrolled: int
    failed: int
    forms_due: int
    forms_complete: int
    overdue: int
    open_queries: int
    visits_in_window: int
    visits_done: int

    @property
    def complete_per_cent(self) -> int | None:
        """Forms that are complete, of those that are due."""
        return round(100 * self.forms_complete / self.forms_due) if self.forms_due else None


@dataclass(frozen=True)
class Progress:
    """Everything on a trial's progress page."""

    trial: Trial
    screened: tuple[tuple[date, int], ...]
    enrolled: tuple[tuple[date, int], ...]
    statuses: tuple[tuple[str, int], ...]
    sites: tuple[SiteRow, ...]

    @property
    def total(self) -> SiteRow:
        """All sites together."""
        numbers = {
            name: sum(getattr(row, name) for row in self.sites)
            for name in SiteRow.__dataclass_fields__
            if name not in {"code", "name"}
        }
        return SiteRow(code="", name="All sites", **numbers)


def progress_of(access: Access, trial: Trial, today: date) -> Progress:
    """Make the progress of a trial at the sites where the person may see reports: seven statements."""
    subjects = list(
        Subject.objects.filter(within(access, "report.view"), trial=trial)
        .select_related("site", "version")
        .defer("version__definition")
    )
    keys = [subject.pk for subject in subjects]
    visits = list(Visit.objects.filter(subject__in=keys).exclude(state=VisitState.SUPERSEDED))
    by_key = {subject.pk: subject for subject in subjects}
    for visit in visits:
        visit.subject = by_key[visit.subject_id]
    due = due_forms([visit for visit in visits if _is_due(visit, today)], today)
    queries = dict(
        Query.objects.filter(subject__in=keys)
        .exclude(state=QueryState.CLOSED)
        .values_list("subject_id")
        .annotate(Count("pk"))
        .values_list("subject_id", "pk__count")
    )
    by_subject: dict[int, list[Visit]] = {}
    for visit in visits:
        by_subject.setdefault(visit.subject_id, []).append(visit)
    allocated = {
        row.subject_id: row.on for row in Allocation.objects.filter(subject__in=keys).only("subject", "on")
    }
    statuses = Counter(subject.status for subject in subjects)
    return Progress(
        trial=trial,
        screened=_cumulative(subject.screened_at.date() for subject in subjects),
        enrolled=_cumulative(
            day
            for subject in subjects
            if subject.status in ENROLLED
            for day in _enrolled_on(subject, by_subject.get(subject.pk, []), allocated.get(subject.pk))
        ),
        statuses=tuple((status, statuses[status]) for status in SubjectStatus.values if statuses[status]),
        sites=_sites(subjects, by_subject, due, queries, today),
    )


def _cumulative(days: Iterable[date]) -> tuple[tuple[date, int], ...]:
    return tuple((day, number) for number, day in enumerate(sorted(days), start=1))


def _enrolled_on(subject: Subject, visits: Iterable[Visit], allocated: date | None) -> list[date]:
    """The day of randomisation, else of the first treatment visit; none where neither was recorded."""
    if allocated is not None:
        return [allocated]
    protocol = subject.version.protocol
    days = [
        visit.happened_on
        for visit in visits
        if visit.happened_on and visit.code != UNSCHEDULED and protocol.visit(visit.code).kind == "treatment"
    ]
    return [min(days)] if days else []


def _sites(
    subjects: list[Subject],
    visits: Mapping[int, list[Visit]],
    due: Mapping[int, Mapping[str, bool]],
    queries: Mapping[int, int],
    today: date,
) -> tuple[SiteRow, ...]:
    by_site: dict[str, list[Subject]] = {}
    for subject in subjects:
        by_site.setdefault(subject.site.code, []).append(subject)
    return tuple(_site(here, visits, due, queries, today) for _, here in sorted(by_site.items()))


def _site(
    here: list[Subject],
    visits: Mapping[int, list[Visit]],
    due: Mapping[int, Mapping[str, bool]],
    queries: Mapping[int, int],
    today: date,
) -> SiteRow:
    mine = [visit for subject in here for visit in visits.get(subject.pk, [])]
    forms = [(visit, complete) for visit in mine for complete in due.get(visit.pk, {}).values()]
    missing = [visit for visit, complete in forms if not complete]
    done = [visit for visit in mine if visit.happened_on and visit.earliest and visit.latest]
    return SiteRow(
        code=here[0].site.code,
        name=here[0].site.name,
        screened=len(here),
        enrolled=sum(subject.status in ENROLLED for subject in here),
        failed=sum(subject.status == SubjectStatus.SCREEN_FAILURE for subject in here),
        forms_due=len(forms),
        forms_complete=len(forms) - len(missing),
        overdue=sum(
            is_overdue(happened_on=v.happened_on, latest=v.latest, visit_state=v.state, today=today)
            for v in missing
        ),
        open_queries=sum(queries.get(subject.pk, 0) for subject in here),
        visits_in_window=sum(v.earliest <= v.happened_on <= v.latest for v in done),  # type: ignore[operator]
        visits_done=len(done),
    )


def _is_due(visit: Visit, today: date) -> bool:
    """Whether a visit's forms should exist by now: it happened, or its window has closed."""
    if visit.code == UNSCHEDULED or visit.state == VisitState.MISSED:
        return False
    return visit.happened_on is not None or (visit.latest is not None and visit.latest < today)
