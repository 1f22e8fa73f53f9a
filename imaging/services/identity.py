"""The secrets of subjects: made once, sealed, opened only to de-identify."""

from __future__ import annotations

from audit.context import Actor, acting
from imaging.dicom.deidentify import Identity, patient_fingerprint
from imaging.masking import case_code
from imaging.models import ImagingKey, PatientNumber
from imaging.sealing import new_key, seal, unseal
from patients.models import Subject
from visits.models import Visit


def key_of(*, actor: Actor, subject: Subject) -> ImagingKey:
    """The subject's secret, made when the first images come."""
    known = ImagingKey.objects.filter(subject=subject).first()
    if known is not None:
        return known
    with acting(actor):
        key, _new = ImagingKey.objects.get_or_create(
            subject=subject,
            defaults={"sealed": seal(new_key(), subject.pk), "case_code": case_code()},
        )
    return key


def identity_of(*, actor: Actor, visit: Visit) -> Identity:
    """What takes the place of the patient in files of a visit."""
    subject = visit.subject
    key = key_of(actor=actor, subject=subject)
    plan = next((each for each in subject.version.protocol.visits if each.code == visit.code), None)
    return Identity(
        key=unseal(key.sealed, subject.pk),
        subject=subject.number,
        sponsor=subject.trial.sponsor,
        protocol_id=subject.trial.code,
        protocol_name=subject.trial.short_title,
        site_id=subject.site.code,
        site_name=subject.site.name,
        time_point_id=str(visit),
        time_point=plan.name if plan else visit.code,
    )


def other_subject_with(number: str, subject: Subject) -> Subject | None:
    """Another patient's subject at the site under whose blinded number images came before; of this trial first.

    Every subject's numbers are digests under a key of its own, so that nobody can compare two subjects who has not the
    secrets of both.
    """
    known = PatientNumber.objects.filter(ended_at=None, subject__site=subject.site_id)
    others = known.exclude(subject__patient=subject.patient_id)
    rows = list(others.select_related("subject").order_by("pk"))
    rows.sort(key=lambda row: row.subject.trial_id != subject.trial_id)
    sealed = dict(
        ImagingKey.objects.filter(subject__in={row.subject_id for row in rows}).values_list(
            "subject", "sealed"
        )
    )
    for row in rows:
        if row.digest == patient_fingerprint(unseal(sealed[row.subject_id], row.subject_id), number):
            return row.subject
    return None
