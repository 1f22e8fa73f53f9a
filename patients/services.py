"""Writing in the patients room. Each function is one thing that a person would name."""

from __future__ import annotations

import re
from datetime import date

from django.db import IntegrityError, transaction

from audit.context import Actor, acting
from foundation import clock
from patients.errors import (
    AlreadyScreenedError,
    PatientCodeMalformedError,
    PatientCodeTakenError,
    SiteNotOpenError,
    StatusChangeRefusedError,
)
from patients.models import Patient, Subject
from patients.policies import may_move
from patients.signals import subject_screened
from trials.models import Site, Trial, TrialSite
from trials.selectors import current_version

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


def screen_patient(*, actor: Actor, patient: Patient, trial: Trial, on: date | None = None) -> Subject:
    """Begin screening of a patient for a trial: gives the subject its number and protocol version.

    Raises
    ------
    SiteNotOpenError, AlreadyScreenedError, trials.errors.NoVersionInForce
    """
    on = on or clock.today(patient.site.time_zone)
    version = current_version(trial, on)
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


def _lock_open_site(trial: Trial, site: Site, on: date) -> TrialSite:
    """Lock the site's row in this trial, so that subject numbers are given one at a time."""
    opened = TrialSite.objects.select_for_update().filter(trial=trial, site=site).first()
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
