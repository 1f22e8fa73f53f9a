"""Quality of a study against the charter. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

MIN_SLICES = 3
_GAP_TOLERANCE = Decimal("1.1")


class Severity(StrEnum):
    """How much a finding matters."""

    MAJOR = "MAJOR"
    MINOR = "MINOR"


@dataclass(frozen=True)
class SeriesFacts:
    """One series as the quality check sees it; lengths in mm, None where the files do not say."""

    modality: str
    slices: int
    thickness_mm: Decimal | None
    distance_mm: Decimal | None
    missing_slices: int
    contrast: bool


@dataclass(frozen=True)
class Standard:
    """What the charter asks for.

    Attributes
    ----------
    baseline_modality
        That of the subject's first study; empty while there is none.
    """

    modalities: tuple[str, ...]
    slice_mm_max: Decimal | None
    contrast: bool
    baseline_modality: str = ""


@dataclass(frozen=True)
class Finding:
    """One deviation."""

    code: str
    severity: Severity
    sentence: str


def findings(series: Sequence[SeriesFacts], standard: Standard) -> tuple[Finding, ...]:
    """Deviations of a study: the best of its series counts.

    A study passes when one series of a modality of the charter is complete, thin enough and, where the charter
    asks for it, with contrast.

    References
    ----------
    FDA, Clinical Trial Imaging Endpoint Process Standards (2018): image acquisition and quality control; RECIST 1.1
    (Eisenhauer 2009), section 3.1.2: slices of 5 mm or less.
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
    changed = standard.baseline_modality not in ("", *(each.modality for each in fitting))
    if not changed:
        return best
    sentence = f"Another modality than at baseline ({standard.baseline_modality})."
    return (*best, Finding("modality_changed", Severity.MINOR, sentence))


def _faults(series: SeriesFacts, standard: Standard) -> Iterable[Finding]:
    if series.slices < MIN_SLICES:
        yield Finding("few_slices", Severity.MAJOR, f"Only {series.slices} slices.")
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


def passes(found: Iterable[Finding]) -> bool:
    """Whether a study goes to the readers without a question."""
    return all(finding.severity is not Severity.MAJOR for finding in found)
