"""Moving subjects from a page: what is offered, what was typed, and one subject at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from accounts.access import Access
from casebook.rules.dates import DateFault, read_date
from foundation import clock
from foundation.errors import DomainError, NotFound
from patients.errors import MoveRefusedError
from patients.models import Subject
from patients.policies import OFF_STUDY
from patients.selectors import subjects_visible_to
from patients.services import move_subject
from reports.impact.shapes import SubjectImpact
from reports.impact.simulation import simulate
from trials.models import ProtocolVersion
from trials.selectors import approvals_in_force, approved_versions

AMEND = "subject.amend"


@dataclass
class Outcome:
    """What came of moving several: keys of those who moved, and why others did not, by their number."""

    moved: set[int] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    error: str = ""


def candidates_for(subject: Subject, today: date) -> list[ProtocolVersion]:
    """Later versions that the subject's site may use today, the newest first; none for who is off study."""
    if subject.status in OFF_STUDY:
        return []
    usable = approved_versions(subject.trial, subject.site, today)
    return [version for version in usable if subject.version.sha256 in version.lineage]


def impact_on(subject: Subject, version: ProtocolVersion) -> SubjectImpact | None:
    """What a version would change for one subject."""
    return next(iter(impact_on_all([subject], version)), None)


def impact_on_all(subjects: Sequence[Subject], version: ProtocolVersion) -> tuple[SubjectImpact, ...]:
    """What a version would change for each of these subjects of its trial."""
    found = Subject.objects.filter(pk__in=[subject.pk for subject in subjects])
    candidate = version.protocol
    return simulate(version.trial, candidate, candidate, subjects=found).subjects


def to_be_moved(access: Access, version: ProtocolVersion) -> list[Subject]:
    """Subjects whom the person may move to a version: on an earlier one, at sites that may use it, on study."""
    sites = approvals_in_force().filter(version=version).values("site")
    found = subjects_visible_to(access, AMEND).filter(
        trial=version.trial_id, site__in=sites, version__sha256__in=version.lineage
    )
    return list(found.exclude(status__in=OFF_STUDY).order_by("number"))


def move(access: Access, subject: Subject, typed: Mapping[str, str]) -> Subject:
    """Move one subject as typed: `version`, `reconsented_on`, `reason`.

    Raises
    ------
    NotFound, MoveRefusedError, VersionNotApproved
    """
    version = subject.trial.versions.filter(label=typed.get("version", "")).select_related("trial").first()
    if version is None:
        raise NotFound
    return move_subject(
        actor=access.actor(subject.trial.code, subject.site.code),
        subject=subject,
        version=version,
        reconsented_on=_day(typed.get("reconsented_on", ""), clock.today(subject.site.time_zone)),
        reason=typed.get("reason", ""),
    )


def move_many(
    access: Access, version: ProtocolVersion, subjects: Sequence[Subject], typed: Mapping[str, str]
) -> Outcome:
    """Move those subjects for whom a day of consent was typed (`on-NUMBER`); each moves or stays by itself."""
    outcome = Outcome()
    asked = [subject for subject in subjects if typed.get(f"on-{subject.number}", "").strip()]
    if not asked:
        outcome.error = "Nobody was moved: enter the day of consent beside each subject who consented again."
        outcome.refused[""] = outcome.error
    for subject in asked:
        try:
            move_subject(
                actor=access.actor(subject.trial.code, subject.site.code),
                subject=subject,
                version=version,
                reconsented_on=_day(typed[f"on-{subject.number}"], clock.today(subject.site.time_zone)),
                reason=typed.get("reason", ""),
            )
            outcome.moved.add(subject.pk)
        except DomainError as error:
            outcome.refused[subject.number] = error.message
    return outcome


def _day(text: str, today: date) -> date:
    if not text.strip():
        raise MoveRefusedError(field="reconsented_on", why="On which day did the subject consent again?")
    try:
        return date.fromisoformat(read_date(text, today))
    except DateFault as fault:
        raise MoveRefusedError(field="reconsented_on", why=str(fault)) from None
