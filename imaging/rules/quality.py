"""Quality of a study against the charter, and against the subject's first study. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

MIN_SLICES = 3
_GAP_TOLERANCE = Decimal("1.1")
_COVERAGE_TOLERANCE = Decimal("0.8")
_PHASES = frozenset({"ARTERIAL PHASE", "PORTAL VENOUS PHASE", "HEPATOBILIARY PHASE", "DELAYED PHASE"})


class Severity(StrEnum):
    """How much a finding matters."""

    MAJOR = "MAJOR"
    MINOR = "MINOR"


@dataclass(frozen=True)
class SeriesFacts:
    """One series as the quality check sees it; lengths in mm, None where the files do not say.

    Attributes
    ----------
    label
        Contrast phase or sequence, from the closed list; empty where the files name none.
    scanner
        Manufacturer and model.
    extent_mm
        From the first to the last slice.
    """

    modality: str
    slices: int
    thickness_mm: Decimal | None
    distance_mm: Decimal | None
    missing_slices: int
    contrast: bool
    label: str = ""
    scanner: str = ""
    extent_mm: Decimal | None = None


@dataclass(frozen=True)
class Baseline:
    """The subject's first study, with which later ones are compared; empty where there is none."""

    modalities: frozenset[str] = frozenset()
    scanners: frozenset[str] = frozenset()
    phases: frozenset[str] = frozenset()
    extent_mm: Decimal | None = None


@dataclass(frozen=True)
class Standard:
    """What the charter asks for."""

    modalities: tuple[str, ...]
    slice_mm_max: Decimal | None
    contrast: bool
    baseline: Baseline = field(default_factory=Baseline)
    coverage_mm_min: Decimal | None = None


@dataclass(frozen=True)
class Finding:
    """One deviation."""

    code: str
    severity: Severity
    sentence: str


def baseline_from(series: Sequence[SeriesFacts]) -> Baseline:
    """The first study as a standard for later ones."""
    extents = [each.extent_mm for each in series if each.extent_mm is not None]
    return Baseline(
        modalities=frozenset(each.modality for each in series),
        scanners=frozenset(each.scanner for each in series if each.scanner),
        phases=frozenset(each.label for each in series) & _PHASES,
        extent_mm=max(extents, default=None),
    )


def findings(series: Sequence[SeriesFacts], standard: Standard) -> tuple[Finding, ...]:
    """Deviations of a study: the best of its series counts.

    A study passes when one series of a modality of the charter is complete, covers enough, is thin enough and, where
    the charter asks for it, with contrast.

    References
    ----------
    FDA, Clinical Trial Imaging Endpoint Process Standards (2018): image acquisition and quality control; RECIST 1.1
    (Eisenhauer 2009), section 3.1.2: slices of 5 mm or less, and Appendix II: the same technique as at baseline.
    """
    fitting = [each for each in series if each.modality in standard.modalities]
    if not fitting:
        wanted = " or ".join(standard.modalities)
        return (
            Finding(
                "modality", Severity.MAJOR, f"No series of the modality that the charter asks for ({wanted})."
            ),
        )
    each_faults = [tuple(_faults(each, standard)) for each in fitting]
    best = min(each_faults, key=lambda faults: [sum(f.severity is s for f in faults) for s in Severity])
    return (*best, *_changes(fitting, standard.baseline))


def _faults(series: SeriesFacts, standard: Standard) -> Iterable[Finding]:
    if series.slices < MIN_SLICES:
        yield Finding("few_slices", Severity.MAJOR, f"Only {series.slices} slices.")
    covered, least = series.extent_mm or Decimal(0), standard.coverage_mm_min
    if least is not None and covered < least:
        yield Finding(
            "little_covered",
            Severity.MAJOR,
            f"The images cover {covered:.0f} mm; the charter asks for {least:f} mm or more.",
        )
    if series.missing_slices:
        yield Finding("gaps", Severity.MAJOR, f"{series.missing_slices} slices are missing in between.")
    limit, thickness = standard.slice_mm_max, series.thickness_mm
    if limit is not None and thickness is None:
        yield Finding("thickness_unknown", Severity.MINOR, "The files do not say how thick the slices are.")
    elif limit is not None and thickness is not None and thickness > limit:
        yield Finding(
            "thick_slices",
            Severity.MAJOR,
            f"Slices of {thickness.normalize():f} mm; the charter asks for {limit:f} mm or less.",
        )
    distance = series.distance_mm
    if distance is not None and thickness is not None and distance > thickness * _GAP_TOLERANCE:
        yield Finding(
            "spaced",
            Severity.MINOR,
            f"Slices lie {distance.normalize():f} mm apart and are {thickness.normalize():f} mm thick.",
        )
    if standard.contrast and not series.contrast:
        yield Finding("contrast", Severity.MINOR, "The files name no contrast agent.")


def _changes(series: Sequence[SeriesFacts], baseline: Baseline) -> Iterable[Finding]:
    """Differences from the first study, by which a change of size could be one of technique."""
    now = baseline_from(series)
    if baseline.modalities and not baseline.modalities & now.modalities:
        before = " and ".join(sorted(baseline.modalities))
        yield Finding("modality_changed", Severity.MINOR, f"Another modality than at baseline ({before}).")
    elif baseline.scanners and now.scanners and not baseline.scanners & now.scanners:
        before = " and ".join(sorted(baseline.scanners))
        yield Finding("scanner_changed", Severity.MINOR, f"Another scanner than at baseline ({before}).")
    missing = baseline.phases - now.phases
    if missing and now.phases:
        words = " and ".join(sorted(phase.lower() for phase in missing))
        yield Finding(
            "phase_missing", Severity.MINOR, f"At baseline there was a {words}; here it is missing."
        )
    if baseline.extent_mm and now.extent_mm and now.extent_mm < baseline.extent_mm * _COVERAGE_TOLERANCE:
        yield Finding(
            "less_covered",
            Severity.MINOR,
            f"The images cover {now.extent_mm:.0f} mm; at baseline {baseline.extent_mm:.0f} mm.",
        )


def passes(found: Iterable[Finding]) -> bool:
    """Whether a study goes to the readers without a question."""
    return all(finding.severity is not Severity.MAJOR for finding in found)
