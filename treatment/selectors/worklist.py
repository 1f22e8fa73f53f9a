"""What waits in treatment over all subjects of a person; each list costs a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse

from accounts.access import Access
from casebook.models import Entry
from casebook.selectors import entries, row_of
from patients.models import Subject, SubjectStatus
from patients.selectors import subjects_visible_to, within
from treatment.rules.forms import treatment_forms
from treatment.rules.strata import sub_study_of
from treatment.rules.timing import Finding, FindingOutcome
from treatment.selectors.record import SubjectTreatment

RECENT = timedelta(days=14)
"""How long a broken limit stays on the list after its forms were last touched; a house rule."""
HARD = frozenset({"hard", "deviation"})


@dataclass(frozen=True)
class TreatmentTask:
    """Something in treatment that waits for a person.

    Attributes
    ----------
    state
        Name of the status shape.
    """

    subject: Subject
    state: str
    title: str
    detail: str

    @property
    def url(self) -> str:
        """Address of the subject's treatment page."""
        return reverse("treatment", args=[self.subject.number])


def subjects_to_treat(access: Access) -> list[TreatmentTask]:
    """Subjects who are signed as eligible and wait for randomisation or for their first procedure; one statement."""
    found = subjects_visible_to(access, "allocate.subject").filter(status=SubjectStatus.ELIGIBLE)
    return [_to_treat(subject) for subject in found.order_by("status_since", "number")]


def _to_treat(subject: Subject) -> TreatmentTask:
    own = sub_study_of(subject.version.protocol, subject.sub_study)
    if own is not None and own.randomised:
        return TreatmentTask(subject, "eligible", "Randomise", f"Eligible for {own.name}.")
    title = "Plan the first procedure" if own is not None else "Route to a sub-study"
    return TreatmentTask(subject, "eligible", title, "Eligible, not treated yet.")


def broken_limits(access: Access, now: datetime, permission: str = "entry.write") -> list[TreatmentTask]:
    """Subjects whose recorded times break a limit, with treatment forms touched lately; two statements.

    Parameters
    ----------
    now
        The moment that is looked at, with offset.
    permission
        What the person must hold at the site.
    """
    condition = within(access, permission, trial="subject__trial__code", site="subject__site__code")
    touched = entries().filter(condition, updated_at__gte=now - RECENT, struck_out=False)
    subjects = {entry.subject_id: entry.subject for entry in touched if _is_treatment(entry)}
    rows = Entry.objects.filter(subject__in=subjects, struck_out=False).select_related("visit").order_by("pk")
    by_subject: dict[int, list[Entry]] = {}
    for entry in rows:
        by_subject.setdefault(entry.subject_id, []).append(entry)
    tasks = [_task(subjects[key], found, now) for key, found in by_subject.items()]
    return sorted((task for task in tasks if task), key=lambda task: task.subject.number)


def _is_treatment(entry: Entry) -> bool:
    protocol = entry.subject.version.protocol
    return bool(protocol.timing) and entry.form in treatment_forms(protocol)


def _task(subject: Subject, found: Iterable[Entry], now: datetime) -> TreatmentTask | None:
    today = now.astimezone(ZoneInfo(subject.site.time_zone)).date()
    treatment = SubjectTreatment(subject, [row_of(entry) for entry in found], today)
    broken = [finding for finding in treatment.findings if _is_broken(finding)]
    if not broken:
        return None
    number = f"{len(broken)} limit{'' if len(broken) == 1 else 's'} of the treatment not kept"
    return TreatmentTask(subject, "fail", number, f"{broken[0].because}.")


def _is_broken(finding: Finding) -> bool:
    return finding.outcome is FindingOutcome.FAIL and finding.severity in HARD
