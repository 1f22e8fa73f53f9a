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
from imaging.dicom.frames import Pixels, decode, encode_frame
from imaging.dicom.geometry import gaps, slice_distance_mm
from imaging.dicom.reader import EXPLICIT, IMPLICIT, read, transfer_syntax_of
from imaging.masking import SLICE, masked
from imaging.models import Instance, Ledger, Series, Study
from patients.selectors import within

EDGE = 192
_HEAD = 2048
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
    if "covered" in found:
        titles["covered"] = "Areas of the picture that were covered"
    if "before_sending" in found:
        titles["before_sending"] = "Of these, before sending"
    return [LedgerPart(title, _shown(found.get(part, set()))) for part, title in titles.items()]


def covered_slices(study: Study) -> int:
    """In how many slices of a study areas were covered."""
    return Instance.objects.filter(series__study=study).exclude(uncovered_sha256="").count()


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
    pixels = np.asarray(imagecodecs.htj2k_decode(frame_of(middle)))
    return bytes(imagecodecs.png_encode(_windowed(pixels, middle)))


def frame_of(instance: Instance) -> bytes:
    """A slice as the lossless HTJ2K code stream for viewers; made anew from its file where the kept one is lost."""
    try:
        with default_storage.open(instance.frame_key) as stored:
            return bytes(stored.read())
    except FileNotFoundError:
        with default_storage.open(instance.file_key) as stored:
            return encode_frame(decode(read(stored.read())))


def frame_at(key: str) -> bytes:
    """The frame that is stored under a key.

    Raises
    ------
    NotFound
        It is lost, and so is the row that says from which file it was made.
    """
    try:
        with default_storage.open(key) as stored:
            return bytes(stored.read())
    except FileNotFoundError as error:
        instance = Instance.objects.filter(frame_key=key).first()
        if instance is None:
            raise NotFound(what="image", name=key) from error
        return frame_of(instance)


def neighbours(scope: UUID, key: str, address: str) -> dict[str, str]:
    """Files of the other slices of a frame's series, by the addresses that they have in a read; one statement.

    Empty where files lie elsewhere than on this machine's disc.

    Parameters
    ----------
    scope
        The read or adjudication in which the slices have their names.
    address
        What stands before the name of a slice.
    """
    place = key.rsplit("/", 1)[0]
    series = Instance.objects.filter(series__opaque=place.rsplit("/", 1)[-1])
    try:
        return {
            f"{address}/{masked(scope, SLICE, row)}/": default_storage.path(name)
            for row, name in series.values_list("pk", "frame_key")
        }
    except NotImplementedError:
        return {}


def raw_frame_of(instance: Instance) -> bytes:
    """A slice uncompressed, little endian: cut out of the file where it lies there like that, else decoded."""
    with default_storage.open(instance.file_key) as stored:
        if transfer_syntax_of(stored.read(_HEAD)) in (IMPLICIT, EXPLICIT):
            stored.seek(instance.pixel_offset)
            return bytes(stored.read(instance.pixel_length))[: _frame_bytes(instance)]
    pixels = np.asarray(imagecodecs.htj2k_decode(frame_of(instance)))
    return pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()


def _frame_bytes(instance: Instance) -> int:
    rows, columns, allocated = (
        instance.attributes[tag]["Value"][0] for tag in ("00280010", "00280011", "00280100")
    )
    return int(rows * columns * allocated // 8)


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
