"""Which version is tried, and with which it is compared."""

from __future__ import annotations

from pathlib import Path

from trials.errors import NoSuchVersion, PackHasFaults
from trials.models import ProtocolVersion, Trial, VersionState
from trials.packs import load_pack
from trials.rules.heritage import with_heritage
from trials.schema import Protocol


def candidate_from_pack(path: Path) -> Protocol:
    """A pack that is not published, as it would be after all versions of its trial that are.

    Raises
    ------
    PackHasFaults
    """
    protocol, faults = load_pack(path)
    if protocol is None or faults:
        raise PackHasFaults(path=str(path), count=len(faults), first=str(faults[0]), faults=faults)
    published = list(ProtocolVersion.objects.filter(trial__code=protocol.trial.code).order_by("pk"))
    known = next((each for each in published if each.sha256 == protocol.sha256), None)
    if known is not None:
        return known.protocol
    return with_heritage(protocol, [each.protocol for each in published]) if published else protocol


def candidate_of(trial: str, label: str) -> Protocol:
    """A published version.

    Raises
    ------
    NoSuchVersion
    """
    version = ProtocolVersion.objects.filter(trial__code=trial, label=label).first()
    if version is None:
        raise NoSuchVersion(trial=trial, label=label)
    return version.protocol


def compared_with(trial: Trial, candidate: Protocol) -> Protocol:
    """The version before the candidate; the newest published one for a pack, and the candidate itself for a first."""
    versions = list(trial.versions.filter(state=VersionState.PUBLISHED).order_by("pk"))
    labels = [version.label for version in versions]
    place = labels.index(candidate.version.label) if candidate.version.label in labels else len(versions)
    return versions[place - 1].protocol if place else candidate
