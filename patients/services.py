"""Writing in the patients room. Each function is one thing that a person would name."""

from __future__ import annotations

import re
from datetime import date

from django.db import IntegrityError, transaction

from audit.context import Actor, acting
from foundation import clock
from patients.errors import (
    AlreadyScreenedError,
    MoveRefusedError,
    PatientCodeMalformedError,
    PatientCodeTakenError,
    SiteNotOpenError,
    StatusChangeRefusedError,
)
from patients.models import Patient, Subject, VersionMove
from patients.policies import OFF_STUDY, may_move
from patients.signals import subject_moved, subject_screened
from trials.errors import VersionNotApproved
from trials.models import ProtocolVersion, Site, Trial, TrialSite
from trials.selectors import approved_versions, version_at_site

PATIENT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{1,31}")


def register_patient(*, actor: Actor, site: Site, code: str) -> Patient:
    """Register a person at a site under a pseudonymous code.

    Raises
    ------
    PatientCodeMalformedError, PatientCodeTakenError
    """
    code = code.strip()
    if not PATIENT_CODE.fullmatch(code):
        raise PatientCodeMalformedError(field="code", patient=code)
    try:
        with acting(actor), transaction.atomic():
            return Patient.objects.create(site=site, code=code)
    except IntegrityError as error:
        raise PatientCodeTakenError(field="code", patient=code, site=site.name) from error


def screen_patient(
    *,
    actor: Actor,
    patient: Patient,
    trial: Trial,
    on: date | None = None,
    version: ProtocolVersion | None = None,
) -> Subject:
    """Begin screening of a patient for a trial: gives the subject its number and protocol version.

    Parameters
    ----------
    version
        Where it is not to be the newest that the site may use on that day; the site must be allowed to use it.

    Raises
    ------
    SiteNotOpenError, AlreadyScreenedError, trials.errors.NoVersionInForce, trials.errors.VersionNotApproved
    """
    on = on or clock.today(patient.site.time_zone)
    version = _usable(trial, patient.site, version, on)
    with acting(actor):
        opened = _lock_open_site(trial, patient.site, on)
        known = Subject.objects.filter(patient=patient, trial=trial).first()
        if known is not None:
            raise AlreadyScreenedError(trial=trial.short_title, number=known.number)
        subject = Subject.objects.create(
            patient=patient,
            trial=trial,
            site=patient.site,
            version=version,
            number=_next_number(version.protocol.trial.subject_prefix, opened),
            status_since=on,
        )
        subject_screened.send(Subject, subject=subject, actor=actor)
    return subject


def _usable(trial: Trial, site: Site, wanted: ProtocolVersion | None, on: date) -> ProtocolVersion:
    """The version that a new subject of a site gets on a day."""
    if wanted is None:
        return version_at_site(trial, site, on)
    if wanted not in approved_versions(trial, site, on):
        raise VersionNotApproved(site=site.name, trial=trial.code, version=wanted.label, on=on.isoformat())
    return wanted


def _lock_open_site(trial: Trial, site: Site, on: date) -> TrialSite:
    """Lock the site's row in this trial, so that subject numbers are given one at a time."""
    opened = TrialSite.objects.select_for_update(of=("self",)).filter(trial=trial, site=site).first()
    if opened is None or opened.opened_on > on or (opened.closed_on and opened.closed_on < on):
        raise SiteNotOpenError(site=site.name, trial=trial.short_title, on=on.isoformat())
    return opened


def _next_number(prefix: str, opened: TrialSite) -> str:
    """Next subject number: trial prefix, rank of the site in the trial, rank of the subject at the site."""
    site_rank = TrialSite.objects.filter(trial=opened.trial, pk__lte=opened.pk).count()
    taken = Subject.objects.filter(trial=opened.trial, site=opened.site).count()
    return f"{prefix}-{site_rank:03}-{taken + 1:03}"


def set_status(*, actor: Actor, subject: Subject, status: str, on: date, reason: str = "") -> Subject:
    """Move a subject to another status.

    Raises
    ------
    StatusChangeRefusedError
        When the move is not one of `policies.MOVES`.
    """
    with acting(actor, reason=reason):
        held = Subject.objects.select_for_update().get(pk=subject.pk)
        if held.status == status:
            return held
        if not may_move(held.status, status):
            raise StatusChangeRefusedError(old=held.get_status_display(), new=status)
        held.status, held.status_since = status, on
        held.save(update_fields=["status", "status_since"])
    return held


def assign_sub_study(*, actor: Actor, subject: Subject, sub_study: str) -> Subject:
    """Record into which sub-study of its trial a subject was routed."""
    with acting(actor):
        Subject.objects.filter(pk=subject.pk).update(sub_study=sub_study)
    subject.sub_study = sub_study
    return subject


def enter_patient(*, actor: Actor, site: Site, code: str, trials: list[Trial]) -> list[Subject]:
    """Register a person and begin screening for one or more trials, all or nothing.

    A patient who is at the site already is taken as known, so that a second trial can be added later.

    Raises
    ------
    PatientCodeMalformedError, AlreadyScreenedError, SiteNotOpenError
    """
    with acting(actor):
        known = Patient.objects.filter(site=site, code=code.strip()).select_related("site").first()
        patient = known or register_patient(actor=actor, site=site, code=code)
        return [screen_patient(actor=actor, patient=patient, trial=trial) for trial in trials]


def move_subject(
    *, actor: Actor, subject: Subject, version: ProtocolVersion, reconsented_on: date, reason: str
) -> Subject:
    """Move a subject to a later protocol version, after consent to it.

    What was entered keeps its values and stays as it was entered; visits that have not happened are planned anew and
    open forms ask for what is new (the rooms above see to that, in this transaction).

    Parameters
    ----------
    reconsented_on
        The day on which the subject consented to the later version; not before the site could use it.

    References
    ----------
    ICH E6(R3) 2.8.2 (new information, consent again), 4.3.4; EMA guideline on computerised systems 2023, A2.10.

    Raises
    ------
    MoveRefusedError, VersionNotApproved
    """
    today = clock.today(subject.site.time_zone)
    with acting(actor, reason=reason.strip()):
        held = (
            Subject.objects.select_for_update(of=("self",))
            .select_related("version", "site", "trial")
            .get(pk=subject.pk)
        )
        _may_be_moved(held, version, reconsented_on, today, reason)
        previous, held.version = held.version, version
        held.save(update_fields=["version"])
        VersionMove.objects.create(
            subject=held,
            previous=previous,
            version=version,
            reconsented_on=reconsented_on,
            reason=reason.strip()[:300],
        )
        subject_moved.send(Subject, subject=held, previous=previous, actor=actor)
    return held


def _may_be_moved(
    subject: Subject, version: ProtocolVersion, reconsented_on: date, today: date, reason: str
) -> None:
    """Refuse a move that cannot be, with the reason."""
    now = subject.version
    if not reason.strip():
        raise MoveRefusedError(field="reason", why="Why does the subject move? Give the reason.")
    if subject.status in OFF_STUDY:
        raise MoveRefusedError(
            why=f"{subject.number} is off study ({subject.get_status_display().lower()}) and stays on {now.label}."
        )
    if version.trial_id != subject.trial_id:
        raise MoveRefusedError(field="version", why=f"{version.label} is no version of this trial.")
    if now.sha256 not in version.lineage:
        raise MoveRefusedError(
            field="version",
            why=f"{subject.number} is on {now.label}; a subject moves to a later version only.",
        )
    if reconsented_on > today:
        raise MoveRefusedError(
            field="reconsented_on",
            why=f"Consent on {reconsented_on:%d %b %Y} is in the future. Today is {today:%d %b %Y}.",
        )
    _after_the_last_move(subject, reconsented_on)
    if version not in approved_versions(subject.trial, subject.site, reconsented_on):
        raise VersionNotApproved(
            field="reconsented_on",
            site=subject.site.name,
            trial=subject.trial.code,
            version=version.label,
            on=f"{reconsented_on:%d %b %Y}",
        )


def _after_the_last_move(subject: Subject, reconsented_on: date) -> None:
    last = VersionMove.objects.filter(subject=subject).order_by("pk").last()
    if last is not None and reconsented_on < last.reconsented_on:
        raise MoveRefusedError(
            field="reconsented_on",
            why=f"Consent to the version before was given on {last.reconsented_on:%d %b %Y}; this one is not earlier.",
        )
