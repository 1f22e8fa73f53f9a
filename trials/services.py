"""What people do to trials: publish a protocol, withdraw a version, open and close a site."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import available_timezones

from audit.context import Actor, acting
from foundation import clock
from trials.errors import (
    ApprovalRefused,
    ApprovalTaken,
    LabelTaken,
    PackHasFaults,
    SiteNotOpen,
    UnknownTimeZone,
)
from trials.models import ProtocolVersion, Site, SiteApproval, Trial, TrialSite, VersionState
from trials.packs import load_pack
from trials.schema import Protocol


def publish_protocol(
    *, actor: Actor, pack: Path | str, effective: date | None = None, reason: str = ""
) -> ProtocolVersion:
    """Check a pack and make an immutable version of it; the same content twice is one version.

    Parameters
    ----------
    actor : Actor
        Who publishes.
    pack : Path or str
        Folder of the pack.
    effective : date, optional
        First day in force; the pack's own `effective_from` otherwise.
    reason : str, optional
        Kept in the trail.

    Raises
    ------
    PackHasFaults
        With every fault in `data["faults"]`.
    LabelTaken
        When the trial has another content under this label.
    """
    protocol, faults = load_pack(pack)
    if protocol is None or faults:
        raise PackHasFaults(path=str(pack), count=len(faults), first=str(faults[0]), faults=faults)
    known = ProtocolVersion.objects.select_related("trial").filter(sha256=protocol.sha256).first()
    if known is not None:
        return known
    with acting(actor, reason=reason or f"protocol {protocol.version.label} published"):
        return _version(_trial(protocol), protocol, effective or protocol.version.effective_from)


def _trial(protocol: Protocol) -> Trial:
    about = protocol.trial
    facts = {
        "title": about.title,
        "short_title": about.short_title,
        "sponsor": about.sponsor,
        "registry_id": about.registry_id,
        "phase": about.phase,
    }
    trial, _ = Trial.objects.select_for_update().update_or_create(code=about.code, defaults=facts)
    return trial


def _version(trial: Trial, protocol: Protocol, effective: date) -> ProtocolVersion:
    known = trial.versions.filter(sha256=protocol.sha256).first()
    if known is not None:
        return known
    label = protocol.version.label
    if trial.versions.filter(label=label).exists():
        raise LabelTaken(trial=trial.code, label=label)
    return ProtocolVersion.objects.create(
        trial=trial,
        label=label,
        definition=protocol.definition(),
        sha256=protocol.sha256,
        effective_from=effective,
        published_at=clock.now(),
        lineage=list(trial.versions.order_by("pk").values_list("sha256", flat=True)),
    )


def withdraw_version(*, actor: Actor, version_id: int, reason: str) -> ProtocolVersion:
    """Take a version out of force for new subjects; those who are on it stay on it."""
    with acting(actor, reason=reason):
        version = ProtocolVersion.objects.select_for_update().get(pk=version_id)
        version.state = VersionState.WITHDRAWN
        version.save(update_fields=["state"])
        return version


def register_site(*, actor: Actor, code: str, name: str, country: str, time_zone: str) -> Site:
    """Make a site known, or bring its facts up to date.

    Raises
    ------
    UnknownTimeZone
        When `time_zone` is not in the IANA database.
    """
    if time_zone not in available_timezones():
        raise UnknownTimeZone(field="time_zone", name=time_zone)
    facts = {"name": name, "country": country, "time_zone": time_zone}
    with acting(actor, reason="site registered"):
        site, _ = Site.objects.update_or_create(code=code, defaults=facts)
        return site


def open_site(*, actor: Actor, trial: Trial, site: Site, on: date) -> TrialSite:
    """Open a site for a trial from a day on; a site that is open already stays as it is."""
    with acting(actor, reason="site opened"):
        trial_site, _ = TrialSite.objects.get_or_create(trial=trial, site=site, defaults={"opened_on": on})
        return trial_site


def close_site(*, actor: Actor, trial: Trial, site: Site, on: date, reason: str) -> TrialSite:
    """Close a site: no new subjects after that day."""
    with acting(actor, reason=reason):
        trial_site = TrialSite.objects.select_for_update().get(trial=trial, site=site)
        trial_site.closed_on = on
        trial_site.save(update_fields=["closed_on"])
        return trial_site


def approve_version(
    *, actor: Actor, site: Site, version: ProtocolVersion, approved_on: date, document: str
) -> SiteApproval:
    """Record that a site may use a protocol version from a day on, which may lie ahead.

    New subjects of the site are registered under it from then on; subjects who are there stay on theirs until they
    are moved.

    Parameters
    ----------
    document
        Reference of the approval, such as the letter of the ethics committee.

    References
    ----------
    ICH E6(R3) 4.3.4; EMA guideline on computerised systems 2023, A2.10.

    Raises
    ------
    SiteNotOpen, ApprovalRefused, ApprovalTaken
    """
    if not TrialSite.objects.filter(trial=version.trial_id, site=site).exists():
        raise SiteNotOpen(site=site.name, trial=version.trial.code)
    if not document.strip():
        raise ApprovalRefused(field="document", why="Which document approves it? Give its reference.")
    if ProtocolVersion.objects.filter(pk=version.pk, state=VersionState.WITHDRAWN).exists():
        raise ApprovalRefused(field="version", why=f"{version.label} was withdrawn; no site starts using it.")
    with acting(actor, reason=f"{version.label} approved at {site.code}: {document.strip()}"):
        if SiteApproval.objects.filter(site=site, version=version, withdrawn_on__isnull=True).exists():
            raise ApprovalTaken(site=site.name, version=version.label)
        return SiteApproval.objects.create(
            site=site,
            version=version,
            approved_on=approved_on,
            document=document.strip(),
            recorded_by_id=actor.id,
        )


def withdraw_approval(*, actor: Actor, approval: SiteApproval, reason: str) -> SiteApproval:
    """Take back a site's approval from today on; subjects who are on the version stay on it.

    Raises
    ------
    ApprovalRefused
        Without a reason, or when it was withdrawn before.
    """
    if not reason.strip():
        raise ApprovalRefused(field="reason", why="Why is the approval withdrawn? Give the reason.")
    with acting(actor, reason=reason.strip()):
        held = SiteApproval.objects.select_for_update().get(pk=approval.pk)
        if held.withdrawn_on is not None:
            raise ApprovalRefused(field="reason", why="This approval was withdrawn before.")
        held.withdrawn_on = clock.today(approval.site.time_zone)
        held.withdrawn_reason = reason.strip()[:300]
        held.save(update_fields=["withdrawn_on", "withdrawn_reason"])
        return held
