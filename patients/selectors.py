"""Reading the patients room."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.access import Access
from foundation.errors import NotFound
from patients.models import Patient, Subject, VersionMove


def within(access: Access, permission: str, *, trial: str = "trial__code", site: str = "site__code") -> Q:
    """Condition that keeps only rows of trials and sites where `access` holds `permission`.

    Parameters
    ----------
    trial, site
        Lookup paths from the queried model to the trial's and the site's code.
    """
    condition = Q(pk__in=[])
    for trial_code, site_code in access.scopes(permission):
        here = Q(**{trial: trial_code}) if trial_code else ~Q(pk__in=[])
        if site_code:
            here &= Q(**{site: site_code})
        condition |= here
    return condition


def subjects_visible_to(access: Access, permission: str = "subject.view") -> QuerySet[Subject]:
    """Subjects of the trials and sites where the person holds `permission`."""
    return (
        Subject.objects.filter(within(access, permission))
        .select_related("patient", "trial", "site", "version")
        .defer("version__definition")
    )


def get_subject(access: Access, number: str, permission: str = "subject.view") -> Subject:
    """The subject with this number.

    Raises
    ------
    NotFound
        When there is none, or when the person may not know that there is one.
    """
    subject = subjects_visible_to(access).filter(number=number).first()
    if subject is None:
        raise NotFound(what="subject", name=number)
    if permission != "subject.view":
        access.require(permission, subject.trial.code, subject.site.code)
    return subject


def subjects_of(patient: Patient) -> QuerySet[Subject]:
    """This patient in all trials."""
    return Subject.objects.filter(patient=patient).select_related("patient", "trial", "site", "version")


def get_subject_by_key(key: int) -> Subject:
    """A subject for services that already know which one; people's requests go through `get_subject`."""
    return Subject.objects.select_related("patient", "trial", "site", "version").get(pk=key)


def moves_of(subject: Subject) -> QuerySet[VersionMove]:
    """A subject's steps from version to version, oldest first."""
    return (
        VersionMove.objects.filter(subject=subject)
        .select_related("previous", "version")
        .defer("previous__definition", "version__definition")
    )
