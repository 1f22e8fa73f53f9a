"""An amendment in use: approved at one of the sites only, where one subject has consented again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from accounts.models import User
from audit.context import Actor
from foundation import clock
from patients.models import Subject
from patients.services import move_subject
from trials.models import ProtocolVersion, Site
from trials.services import approve_version

TRIAL, SITE, PATIENT = "EXCALIBUR", "SE-02", "KAR-121"
APPROVED_BEFORE, CONSENTED_BEFORE = 30, 1


def amend(people: Mapping[str, User], sites: Mapping[str, Site]) -> Iterator[str]:
    """Approve the newest version of Excalibur at one site and move one of its subjects; nothing where there is none."""
    version = (
        ProtocolVersion.objects.select_related("trial").filter(trial__code=TRIAL).order_by("-pk").first()
    )
    if version is None or version.is_first:
        return
    site = sites[SITE]
    today = clock.today(site.time_zone)
    approve_version(
        actor=_as(people["sponsor"], "sponsor"),
        site=site,
        version=version,
        approved_on=today - timedelta(days=APPROVED_BEFORE),
        document="Swedish Ethical Review Authority, decision 2023-03117",
    )
    yield f"{version} approved at {site.code} only"
    subject = Subject.objects.select_related("version", "trial", "site").get(
        patient__code=PATIENT, trial__code=TRIAL
    )
    move_subject(
        actor=_as(people["coordinator2"], "coordinator"),
        subject=subject,
        version=version,
        reconsented_on=today - timedelta(days=CONSENTED_BEFORE),
        reason="Signed version 4.0 of the consent form",
    )
    yield f"{subject.number} moved to {version.label}"


def _as(user: User, role: str) -> Actor:
    return Actor(id=user.pk, name=user.full_name, role=role)
