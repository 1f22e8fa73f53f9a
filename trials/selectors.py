"""Reads: trials that a person may see, sites, and the version in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db.models import DateField, Exists, Func, OuterRef, Q, QuerySet, Value

from accounts.access import Access
from foundation import clock
from foundation.errors import NotFound
from trials.errors import NoVersionInForce, VersionNotApproved
from trials.models import ProtocolVersion, Site, SiteApproval, Trial, TrialSite, VersionState

_TODAY_AT_THE_SITE = partial(
    Func, template="(%(expressions)s)::date", arg_joiner=" AT TIME ZONE ", output_field=DateField()
)
SEES_TRIAL = ("subject.view", "report.view")


def trials_visible_to(access: Access, permissions: tuple[str, ...] = SEES_TRIAL) -> QuerySet[Trial]:
    """Return the trials in which a person holds one of the permissions."""
    codes = {code for permission in permissions for code in access.trials(permission)}
    return Trial.objects.all() if "" in codes else Trial.objects.filter(code__in=codes)


def get_trial(access: Access, code: str, permissions: tuple[str, ...] = SEES_TRIAL) -> Trial:
    """Return a trial in which a person holds one of the permissions.

    Raises
    ------
    NotFound
        When there is none of that code, or not for this person.
    """
    trial = trials_visible_to(access, permissions).filter(code=code).first()
    if trial is None:
        raise NotFound
    return trial


def current_version(trial: Trial | str, on: date | None = None) -> ProtocolVersion:
    """Return the version in force: published, and of those effective on the day, the latest.

    Parameters
    ----------
    trial : Trial or str
        The trial or its code.
    on : date, optional
        Today (UTC) where not given.

    Raises
    ------
    NoVersionInForce
        When nothing was published or everything takes effect later.
    """
    code = trial if isinstance(trial, str) else trial.code
    day = on or clock.today()
    version = (
        ProtocolVersion.objects.select_related("trial")
        .filter(trial__code=code, state=VersionState.PUBLISHED, effective_from__lte=day)
        .order_by("-effective_from", "-id")
        .first()
    )
    if version is None:
        raise NoVersionInForce(trial=code, on=day.isoformat())
    return version


def approvals_in_force(on: date | None = None) -> QuerySet[SiteApproval]:
    """Approvals that count on a day; without one, today at each site, where it may be tomorrow already."""
    day = on or _TODAY_AT_THE_SITE(Value(clock.now()), "site__time_zone")
    return SiteApproval.objects.filter(
        Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gt=day), approved_on__lte=day
    )


def approved_versions(trial: Trial | str, site: Site, on: date) -> list[ProtocolVersion]:
    """Return the versions that a site may use on a day, the newest first; one statement.

    The first version of a trial needs no approval of its own: opening the site stands for it.
    """
    code = trial if isinstance(trial, str) else trial.code
    approved = approvals_in_force(on).filter(site=site, version=OuterRef("pk"))
    found = (
        ProtocolVersion.objects.select_related("trial")
        .filter(trial__code=code, state=VersionState.PUBLISHED, effective_from__lte=on)
        .annotate(approved=Exists(approved))
        .order_by("-effective_from", "-id")
    )
    return [version for version in found if version.approved or version.is_first]


def version_at_site(trial: Trial | str, site: Site, on: date) -> ProtocolVersion:
    """Return the version under which new subjects of a site are registered: the newest that it may use.

    Raises
    ------
    NoVersionInForce
        When nothing was published or everything takes effect later.
    VersionNotApproved
        When there are versions in force, and the site may use none of them.
    """
    approved = approved_versions(trial, site, on)
    if approved:
        return approved[0]
    newest = current_version(trial, on)
    raise VersionNotApproved(site=site.name, trial=newest.trial.code, version=newest.label, on=on.isoformat())


def approvals_of(trial: Trial) -> QuerySet[SiteApproval]:
    """Return all approvals of a trial's versions, withdrawn ones included, with site, version and who recorded them."""
    return (
        SiteApproval.objects.filter(version__trial=trial)
        .select_related("site", "version", "recorded_by")
        .defer("version__definition")
    )


@dataclass(frozen=True)
class TrialInForce:
    """A trial, and its version in force where there is one."""

    trial: Trial
    version: ProtocolVersion | None


def trials_in_force(access: Access, on: date, site: Site | None = None) -> list[TrialInForce]:
    """Return the trials that a person may see, each with its version in force on a day; two statements.

    Parameters
    ----------
    site
        Where given, only versions that this site may use count.
    """
    trials = list(trials_visible_to(access))
    versions = ProtocolVersion.objects.filter(
        trial__in=trials, state=VersionState.PUBLISHED, effective_from__lte=on
    ).order_by("effective_from", "id")
    if site is not None:
        approved = approvals_in_force(on).filter(site=site, version=OuterRef("pk"))
        versions = versions.filter(Q(lineage=[]) | Exists(approved))
    latest = {version.trial_id: version for version in versions}
    return [TrialInForce(trial, latest.get(trial.pk)) for trial in trials]


def version_shown(versions: Sequence[ProtocolVersion], label: str, on: date) -> ProtocolVersion:
    """Return the version of that label; without one, that in force on the day, else the newest.

    Raises
    ------
    NotFound
        When there is no version, or none of that label.
    """
    in_force = [
        each for each in versions if each.state == VersionState.PUBLISHED and each.effective_from <= on
    ]
    candidates = [each for each in versions if each.label == label] if label else [*in_force, *versions]
    if not candidates:
        raise NotFound
    return candidates[0]


def versions_of(trial: Trial) -> QuerySet[ProtocolVersion]:
    """Return all versions of a trial, the newest first."""
    return trial.versions.order_by("-effective_from", "-id")


def sites_of(trial: Trial | str, on: date | None = None) -> QuerySet[Site]:
    """Return the sites of a trial; with a day, only those open on it."""
    code = trial if isinstance(trial, str) else trial.code
    parts = TrialSite.objects.filter(trial__code=code)
    if on is not None:
        parts = parts.filter(Q(closed_on__isnull=True) | Q(closed_on__gte=on), opened_on__lte=on)
    return Site.objects.filter(pk__in=parts.values("site"))


def sites_visible_to(access: Access, permission: str, trial: Trial | str) -> QuerySet[Site]:
    """Return the sites of a trial at which a person holds the permission."""
    code = trial if isinstance(trial, str) else trial.code
    granted = {site for trial_code, site in access.scopes(permission) if trial_code == code}
    sites = sites_of(code)
    return sites if "" in granted else sites.filter(code__in=granted)


def places() -> list[tuple[str, str]]:
    """Return every trial's code with an empty site, and with the code of each of its sites."""
    trials = [(code, "") for code in Trial.objects.values_list("code", flat=True)]
    return trials + list(TrialSite.objects.values_list("trial__code", "site__code"))
