"""Quality of a study against the charter: what passes goes to the readers by itself, the rest to a person."""

from __future__ import annotations

from datetime import date

from audit.context import Actor, acting
from foundation import clock
from imaging.errors import CannotDecideError, ReasonMissingError
from imaging.models import (
    BatchFile,
    FileState,
    PatientNumber,
    QualityChoice,
    QualityDecision,
    Study,
    StudyState,
)
from imaging.rules.quality import Finding, Severity, findings, passes
from imaging.rules.working_days import add_working_days
from imaging.selectors.studies import series_facts, standard_of
from imaging.services.reading import queue_reads
from imaging.services.writing import CODE as WRITING
from imaging.signals import images_changed

QC_DAYS = 2
_ASKED = frozenset({QualityChoice.QUERY.value, QualityChoice.REJECT.value})
_DECIDABLE = frozenset({StudyState.QC_PASS, StudyState.QC_QUERY, StudyState.QC_REJECTED})


def check_quality(*, actor: Actor, study: Study) -> Study:
    """Check a study, write down what was found, and hand it to the readers where it passes.

    A study that a person accepted stays accepted; one that a person questioned or rejected waits for a person again,
    whatever came since; one that was taken out stays out.
    """
    with acting(actor):
        held = Study.objects.select_for_update().get(pk=study.pk)
        if held.state == StudyState.WITHDRAWN:
            return held
        before = held.state
        found = (*findings(series_facts(held), standard_of(held)), *_held_back(held))
        held.findings = [{"code": f.code, "severity": f.severity, "sentence": f.sentence} for f in found]
        held.checked_at = clock.now()
        last = QualityDecision.objects.filter(study=held).values_list("choice", flat=True).last()
        accepted = bool(held.accepted_because) or (passes(found) and last not in _ASKED)
        held.state = StudyState.QC_PASS if accepted else StudyState.QC_QUERY
        if not accepted and held.check_due_on is None:
            held.check_due_on = add_working_days(clock.today(), _days(held))
        held.save(update_fields=["findings", "checked_at", "state", "check_due_on"])
        if StudyState.QC_PASS in (before, held.state):
            _tell(held, actor, "Images were added." if before == held.state else "Images were checked again.")
        if accepted:
            queue_reads(actor=actor, study=held)
    return held


def _held_back(study: Study) -> list[Finding]:
    """Slices that may belong to the study and wait for a person, since something may be written on them."""
    waiting = BatchFile.objects.filter(
        batch__visit=study.visit_id, state=FileState.QUARANTINED, code=WRITING
    ).count()
    sentence = f"{waiting} files of this visit are held back: something may be written in the picture."
    return [Finding("writing", Severity.MAJOR, sentence)] if waiting else []


def _days(study: Study) -> int:
    """Working days that the charter gives for the quality check."""
    charter = study.subject.version.protocol.charter
    return int(charter.due.get("qc", QC_DAYS)) if charter else QC_DAYS


def _tell(study: Study, actor: Actor, reason: str) -> None:
    images_changed.send(sender=Study, study=study, actor=actor, reason=reason)


def accept_quality(*, actor: Actor, study: Study, reason: str) -> Study:
    """Accept a study in spite of what the check found, with the reason; the readers get it.

    Raises
    ------
    ReasonMissingError, CannotDecideError
    """
    with acting(actor, reason=_said(reason)):
        held = _decide(actor, study, QualityChoice.ACCEPT, reason)
        held.accepted_because, held.check_due_on = reason.strip()[:300], None
        held.save(update_fields=["accepted_because", "check_due_on"])
        return check_quality(actor=actor, study=held)


def question_quality(
    *,
    actor: Actor,
    study: Study,
    reason: str,
    corrective_action: str,
    due_on: date | None = None,
    reject: bool = False,
) -> Study:
    """Ask the site about a study, or reject it, with what the site is to do; readers do not get it.

    Parameters
    ----------
    due_on
        By when; the charter's days for the upload from today, if not said.

    Raises
    ------
    ReasonMissingError
        No reason, or nothing that the site could do.
    CannotDecideError
    """
    _said(corrective_action, field="corrective_action")
    with acting(actor, reason=_said(reason)):
        choice = QualityChoice.REJECT if reject else QualityChoice.QUERY
        held = _decide(actor, study, choice, reason, corrective_action, due_on)
        before, held.accepted_because = held.state, ""
        held.state = StudyState.QC_REJECTED if reject else StudyState.QC_QUERY
        held.check_due_on = None if reject else held.check_due_on
        held.save(update_fields=["state", "accepted_because", "check_due_on"])
        if before == StudyState.QC_PASS:
            _tell(held, actor, "The quality of the images was questioned.")
    return held


def withdraw_study(*, actor: Actor, study: Study, reason: str, another_person: bool = False) -> Study:
    """Take the images of a study out: readers see them no more. The files stay on record.

    Parameters
    ----------
    another_person
        They are another person's: the patient number that they brought counts no more, so that the right images are
        not taken for a stranger's.

    Raises
    ------
    ReasonMissingError, CannotDecideError
    """
    with acting(actor, reason=_said(reason)):
        held = _decide(actor, study, QualityChoice.WITHDRAW, reason)
        before, held.state = held.state, StudyState.WITHDRAWN
        held.save(update_fields=["state"])
        if another_person and held.patient_number_id is not None:
            PatientNumber.objects.filter(pk=held.patient_number_id, ended_at=None).update(
                ended_at=clock.now(), ended_by=actor.name, ended_because=reason.strip()[:300]
            )
        if before == StudyState.QC_PASS:
            _tell(held, actor, "Images were taken out.")
    return held


def restore_study(*, actor: Actor, study: Study, reason: str) -> Study:
    """Take a study back in that was taken out by mistake; its quality is checked anew.

    Raises
    ------
    ReasonMissingError, CannotDecideError
    """
    with acting(actor, reason=_said(reason)):
        held = Study.objects.select_for_update().get(pk=study.pk)
        if held.state != StudyState.WITHDRAWN:
            raise CannotDecideError(state=held.get_state_display())
        held.state = StudyState.RECEIVED
        held.save(update_fields=["state"])
        _record(actor, held, QualityChoice.RESTORE, reason)
        return check_quality(actor=actor, study=held)


def _said(reason: str, field: str = "reason") -> str:
    if len(reason.strip()) < 3:
        raise ReasonMissingError(field=field)
    return reason


def _decide(
    actor: Actor,
    study: Study,
    choice: QualityChoice,
    reason: str,
    corrective_action: str = "",
    due_on: date | None = None,
) -> Study:
    held = Study.objects.select_for_update().get(pk=study.pk)
    if held.state not in _DECIDABLE:
        raise CannotDecideError(state=held.get_state_display())
    if corrective_action and due_on is None:
        due_on = add_working_days(clock.today(), _upload_days(held))
    _record(actor, held, choice, reason, corrective_action, due_on)
    return held


def _upload_days(study: Study) -> int:
    charter = study.subject.version.protocol.charter
    return int(charter.due.get("upload", QC_DAYS)) if charter else QC_DAYS


def _record(
    actor: Actor,
    study: Study,
    choice: QualityChoice,
    reason: str,
    corrective_action: str = "",
    due_on: date | None = None,
) -> None:
    QualityDecision.objects.create(
        study=study,
        subject_id=study.subject_id,
        choice=choice,
        reason=reason.strip()[:300],
        corrective_action=corrective_action.strip()[:300],
        due_on=due_on,
        by=actor.name,
    )
