"""The secrets of subjects: made once, sealed, opened only to de-identify."""

from __future__ import annotations

from audit.context import Actor, acting
from imaging.dicom.deidentify import Identity
from imaging.masking import case_code
from imaging.models import ImagingKey
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
