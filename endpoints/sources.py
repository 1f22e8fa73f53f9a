"""Scans with their final central read, from whichever room reads images: a registry, filled when the app starts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from endpoints.rules.timeline import Scan
from patients.models import Subject


@dataclass(frozen=True)
class ReadScan:
    """A scan with its final read, and the visit that it belongs to."""

    visit: str
    scan: Scan


ScanSource = Callable[[Collection[Subject]], Mapping[int, list[ReadScan]]]
"""Gives the read scans of many subjects by primary key, in a constant number of statements."""

_sources: list[ScanSource] = []


def register_scans(source: ScanSource) -> None:
    """Offer scans with their final reads."""
    if source not in _sources:
        _sources.append(source)


def scans_of(subjects: Collection[Subject]) -> dict[int, list[ReadScan]]:
    """All read scans of the subjects, by primary key and in order of acquisition."""
    found: dict[int, list[ReadScan]] = {subject.pk: [] for subject in subjects}
    for source in _sources:
        for subject, scans in source(subjects).items():
            found[subject].extend(scans)
    return {subject: sorted(scans, key=lambda each: each.scan.acquired) for subject, scans in found.items()}
