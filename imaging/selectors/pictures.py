"""Small pictures of series, and the ledger of what de-identification did, for the site's pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import imagecodecs
import numpy as np
from django.core.files.storage import default_storage
from django.db.models import Count
from numpy.typing import NDArray

from accounts.access import Access
from foundation.errors import NotFound
from imaging.dicom.frames import Pixels
from imaging.dicom.geometry import gaps, slice_distance_mm
from imaging.models import Instance, Ledger, Series, Study
from patients.selectors import within

EDGE = 192
_FALLBACK_PERCENTILES = (2, 98)


@dataclass(frozen=True)
class ShownSeries:
    """A series as the site sees it."""

    series: Series
    slices: int
    missing: int
    distance: str


def series_of(study: Study) -> list[ShownSeries]:
    """Series of a study with their slices."""
    shown = []
    for series in Series.objects.filter(study=study).annotate(slices=Count("instances")):
        depths = list(series.instances.values_list("depth", flat=True))
        distance = slice_distance_mm(depths)
        words = f"{distance.normalize():f} mm" if distance is not None else ""
        shown.append(ShownSeries(series, len(depths), gaps(depths), words))
    return shown


@dataclass(frozen=True)
class LedgerPart:
    """One column of the ledger: what was kept, emptied, replaced or removed."""

    title: str
    elements: Sequence[str]


def ledger_of(study: Study) -> list[LedgerPart]:
    """What was done to the elements of a study's files: the union over its files, private elements as a count."""
    contents = Ledger.objects.filter(pk__in=Instance.objects.filter(series__study=study).values("ledger"))
    found: dict[str, set[str]] = {}
    for content in contents.values_list("content", flat=True):
        for part, elements in content.items():
            found.setdefault(part, set()).update(elements)
    titles = {"kept": "Kept", "replaced": "Replaced", "emptied": "Emptied", "removed": "Removed"}
    return [LedgerPart(title, _shown(found.get(part, set()))) for part, title in titles.items()]


def _shown(elements: set[str]) -> list[str]:
    private = {element for element in elements if _is_private(element)}
    shown = sorted(elements - private)
    return [*shown, f"{len(private)} private elements of the manufacturer"] if private else shown


def _is_private(element: str) -> bool:
    last = element.rsplit("(", 1)[-1]
    return last[3:4].isalnum() and int(last[3:4], 16) % 2 == 1 if len(last) > 4 and last[4] == "," else False


def thumbnail(access: Access, opaque: UUID) -> bytes:
    """A PNG of the middle slice of a series, at most 192 pixels a side.

    Raises
    ------
    NotFound
    """
    condition = within(access, "image.view", trial="subject__trial__code", site="subject__site__code")
    series = Series.objects.filter(condition, opaque=opaque).first()
    instances = list(series.instances.order_by("depth", "pk")) if series else []
    if not instances:
        raise NotFound(what="series", name=str(opaque))
    middle = instances[len(instances) // 2]
    with default_storage.open(middle.frame_key) as stored:
        pixels = np.asarray(imagecodecs.htj2k_decode(stored.read()))
    return bytes(imagecodecs.png_encode(_windowed(pixels, middle)))


def _windowed(pixels: Pixels, instance: Instance) -> NDArray[np.uint8]:
    """The slice made smaller, in 256 greys by its own window or, without one, by its percentiles."""
    step = max(1, -(-max(pixels.shape) // EDGE))
    small = pixels[::step, ::step].astype(np.float64)
    window = [_number(instance, tag) for tag in ("00281050", "00281051")]
    centre, width = window
    if centre is None or not width:
        low, high = np.percentile(small, _FALLBACK_PERCENTILES)
    else:
        slope, intercept = _number(instance, "00281053") or 1.0, _number(instance, "00281052") or 0.0
        small = small * slope + intercept
        low, high = centre - width / 2, centre + width / 2
    scaled = np.clip((small - low) / max(high - low, 1e-6), 0, 1) * 255
    return np.ascontiguousarray(scaled.astype(np.uint8))


def _number(instance: Instance, tag: str) -> float | None:
    values = instance.attributes.get(tag, {}).get("Value") or []
    return float(values[0]) if values else None
