"""Asking the criteria: one subject on a page, many subjects for a list, one patient in all trials."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from accounts.access import Access
from casebook.facts import facts_of
from casebook.models import Entry
from casebook.registry import answers_for
from casebook.rules.picture import ProtocolKey
from casebook.rules.projection import Projection, project
from casebook.selectors import row_of
from eligibility.models import Assessment as SignedAssessment
from eligibility.policies import IN_SCREENING
from eligibility.rules.assessment import Assessment, Criteria, CriterionResult, Evidence
from eligibility.rules.facts import REFDAT, facts_digest, facts_used, snapshot
from eligibility.rules.outlook import Outlook, outlook_of
from patients.models import Subject
from patients.selectors import within
from trials.models import ProtocolVersion, protocol_by_key
from trials.schema import Protocol
from trials.selectors import trials_in_force

VIEW = "eligibility.view"


@dataclass(frozen=True)
class Evaluation:
    """The criteria of a protocol asked of a document of facts on one day; nothing of it is stored.

    Attributes
    ----------
    projection
        The facts and where each comes from.
    assessment
        Every set of the protocol.
    outlook
        Where the sets that decide lead; None where the protocol has no criteria.
    """

    protocol: Protocol
    as_of: date
    projection: Projection
    assessment: Assessment
    outlook: Outlook | None

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The part of the document that the criteria read, and the day."""
        return {**snapshot(self.protocol, self.projection.document), REFDAT: self.as_of.isoformat()}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the facts; it changes with each of them, and with the day."""
        return facts_digest(self.facts)

    @property
    def results(self) -> tuple[CriterionResult, ...]:
        """Every criterion once, in the order of the protocol."""
        found = {
            result.criterion.id: result for each in self.assessment.sets.values() for result in each.criteria
        }
        return tuple(found[each.id] for each in self.protocol.criteria if each.id in found)


@lru_cache(maxsize=64)
def _criteria(key: ProtocolKey) -> Criteria:
    return Criteria(key.protocol)


def evaluate(protocol: Protocol, projection: Projection, as_of: date) -> Evaluation:
    """Ask a protocol's criteria of projected facts. The criteria are compiled once for each protocol content."""
    assessment = _criteria(ProtocolKey(protocol)).assess(projection.document, as_of)
    return Evaluation(protocol, as_of, projection, assessment, outlook_of(protocol, assessment))


def judging_versions(subjects: Collection[Subject]) -> dict[int, int]:
    """The version whose criteria judge each subject, by primary keys; one statement where any is past screening.

    In screening that is the version that the subject is on. After enrolment it is the one under which eligibility was
    signed: who was included under the criteria then in force is not judged by those of a later amendment.
    """
    past = [each.pk for each in subjects if each.status not in {*IN_SCREENING, "SCREEN_FAILURE"}]
    signed = (
        SignedAssessment.objects.filter(subject__in=past, signature__isnull=False)
        .order_by("subject_id", "-pk")
        .distinct("subject_id")
        .values_list("subject_id", "version_id")
    )
    then = dict(signed) if past else {}
    return {each.pk: then.get(each.pk, each.version_id) for each in subjects}


def _protocol(subject: Subject, version_id: int) -> Protocol:
    return subject.version.protocol if version_id == subject.version_id else protocol_by_key(version_id)


def evaluation_of(subject: Subject, as_of: date) -> Evaluation:
    """A subject's eligibility from what is dated up to `as_of`, under the version that judges it."""
    protocol = _protocol(subject, judging_versions([subject])[subject.pk])
    return evaluate(protocol, facts_of(subject, as_of, protocol), as_of)


def evaluations_of(subjects: Collection[Subject], days: Mapping[int, date]) -> dict[int, Evaluation]:
    """The eligibility of many subjects; two statements at most, whatever their number.

    Parameters
    ----------
    days
        The evaluation date of each subject, by primary key.

    Returns
    -------
    dict
        By the subject's primary key. Facts of upper rooms are asked for only where a criterion reads them.
    """
    entries: dict[int, list[Entry]] = {}
    found = Entry.objects.filter(subject__in=[subject.pk for subject in subjects], struck_out=False)
    for entry in found.select_related("visit").order_by("pk"):
        entries.setdefault(entry.subject_id, []).append(entry)
    judging = judging_versions(subjects)
    return {
        subject.pk: _evaluated(
            subject,
            _protocol(subject, judging[subject.pk]),
            entries.get(subject.pk, []),
            days[subject.pk],
        )
        for subject in subjects
    }


def _evaluated(subject: Subject, protocol: Protocol, entries: list[Entry], as_of: date) -> Evaluation:
    asked = facts_used(protocol).registry
    projection = project(
        protocol,
        [row_of(entry) for entry in entries],
        as_of,
        time_zone=subject.site.time_zone,
        answers=answers_for(subject, asked, as_of) if asked else {},
    )
    return evaluate(protocol, projection, as_of)


@dataclass(frozen=True)
class TrialEvaluation:
    """One trial's criteria asked of a patient, who may be its subject or not.

    Attributes
    ----------
    subject
        This patient in that trial; None where screening has not begun.
    """

    version: ProtocolVersion
    evaluation: Evaluation
    subject: Subject | None


@dataclass(frozen=True)
class Screened:
    """A patient in all trials, with the entries that the facts come from."""

    trials: tuple[TrialEvaluation, ...]
    entries: tuple[Entry, ...]


def pre_screening(access: Access, subject: Subject, as_of: date) -> Screened:
    """The patient of a subject in each trial that the person may see; four statements.

    A trial in which the patient is a subject is asked under the subject's version, another one under the newest that
    the site may use.

    The facts come from all of the patient's entries that the person may read, in whichever trial they were entered:
    what was asked once is not asked again.
    """
    condition = within(access, "entry.view", trial="subject__trial__code", site="subject__site__code")
    entries = tuple(
        Entry.objects.filter(condition, subject__patient=subject.patient_id, struck_out=False)
        .select_related("visit", "subject__site", "subject__trial")
        .order_by("pk")
    )
    rows = [row_of(entry) for entry in entries]
    site = subject.site
    mine = {each.trial_id: each for each in _subjects_of(access, subject)}
    trials = [
        TrialEvaluation(
            version=version,
            evaluation=evaluate(
                version.protocol,
                project(version.protocol, rows, as_of, time_zone=site.time_zone),
                as_of,
            ),
            subject=mine.get(each.trial.pk),
        )
        for each in trials_in_force(access, as_of, site)
        for version in [mine[each.trial.pk].version if each.trial.pk in mine else each.version]
        if version is not None and access.may(VIEW, each.trial.code, site.code)
    ]
    return Screened(tuple(trials), entries)


def _subjects_of(access: Access, subject: Subject) -> list[Subject]:
    found = Subject.objects.filter(within(access, "subject.view"), patient=subject.patient_id)
    return list(found.select_related("trial", "site", "version").defer("version__definition"))


def outcomes_document(evaluation: Evaluation) -> dict[str, Any]:
    """Everything that the criteria said, as plain JSON values: what an assessment keeps."""
    return {
        "sets": {
            name: {
                "title": each.title,
                "verdict": str(each.verdict),
                "valid_until": _iso(each.valid_until),
                "criteria": [result.criterion.id for result in each.criteria],
            }
            for name, each in evaluation.assessment.sets.items()
        },
        "criteria": {result.criterion.id: _result(result) for result in evaluation.results},
    }


def _result(result: CriterionResult) -> dict[str, Any]:
    return {
        "outcome": str(result.outcome),
        "because": result.because,
        "evidence": [_evidence(each) for each in result.evidence],
        "missing": list(result.missing),
        "valid_until": _iso(result.valid_until),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "fact": evidence.path,
        "label": evidence.label,
        "value": evidence.value,
        "unit": evidence.unit,
        "note": evidence.note,
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
