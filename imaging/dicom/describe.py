"""What is kept of an image's header in the database: enough to sort, check and show it, and nothing that identifies.

Read from the *de-identified* file only.

References
----------
.. [1] DICOM PS3.18 2026c, Annex F "DICOM JSON Model".
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydicom.datadict import dictionary_VR

from imaging.dicom.geometry import Plane, plane_of
from imaging.dicom.reader import DicomFile, Values, values_of

_TEXT_TAGS = (0x00080008, 0x00080016, 0x00080060, 0x00185100, 0x00280004, 0x00281054)
_INTEGER_TAGS = (0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103)
_DECIMAL_TAGS = (
    0x00180050, 0x00180088, 0x00200032, 0x00200037, 0x00280030, 0x00281050, 0x00281051, 0x00281052, 0x00281053,
)  # fmt: skip
_NUMBER_TAGS = (0x00200011, 0x00200013, 0x00280008)
_THICKNESS = 0x00180050
_MAX_THICKNESS_MM = Decimal(10_000)
_MAX_TEXTS = 16
_MAX_TEXT = 64


@dataclass(frozen=True)
class Description:
    """A de-identified image in short.

    Attributes
    ----------
    study_date
        `YYYYMMDD` as in the file, that is, shifted.
    attributes
        DICOM JSON of what a viewer needs to show and measure; without identifiers, dates and descriptions.
    """

    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    modality: str
    label: str
    study_date: str
    series_number: int | None
    instance_number: int | None
    plane: Plane | None
    thickness_mm: Decimal | None
    kernel: str
    scanner: str
    contrast: bool
    attributes: dict[str, Any]


def describe(file: DicomFile) -> Description:
    """Describe a de-identified image."""
    values = values_of(file)
    return Description(
        study_uid=_first(values, 0x0020000D),
        series_uid=_first(values, 0x0020000E),
        frame_of_reference_uid=_first(values, 0x00200052),
        modality=_first(values, 0x00080060)[:16],
        label=values.text(0x0008103E)[:_MAX_TEXT],
        study_date=values.text(0x00080020) or values.text(0x00080022),
        series_number=values.integer(0x00200011),
        instance_number=values.integer(0x00200013),
        plane=plane_of(file),
        thickness_mm=_thickness(values),
        kernel=values.text(0x00181210)[:64],
        scanner=" ".join(filter(None, (values.text(0x00080070), values.text(0x00081090))))[:130],
        contrast=bool(values.text(0x00180010)),
        attributes=_attributes(file),
    )


def unreadable_number(file: DicomFile) -> int | None:
    """Tag of an element that is read as a number and holds none, or one beyond all bounds; None where all are well."""
    values = values_of(file)
    for tag in (*_INTEGER_TAGS, *_NUMBER_TAGS):
        if values.text(tag) and values.integer(tag) is None:
            return tag
    for tag in _DECIMAL_TAGS:
        if values.text(tag) and values.decimals(tag) is None:
            return tag
    return _THICKNESS if values.text(_THICKNESS) and _thickness(values) is None else None


def _thickness(values: Values) -> Decimal | None:
    found = values.decimals(_THICKNESS)
    return found[0] if found and 0 <= found[0] < _MAX_THICKNESS_MM else None


def _first(values: Values, tag: int) -> str:
    """The first of an element's values, no longer than a value may be."""
    return next(iter(values.texts(tag)), "")[:_MAX_TEXT]


def _attributes(file: DicomFile) -> dict[str, Any]:
    values = values_of(file)
    found: dict[str, Any] = {}
    for tag in _TEXT_TAGS:
        if texts := [text[:_MAX_TEXT] for text in values.texts(tag)[:_MAX_TEXTS]]:
            found[f"{tag:08X}"] = {"vr": dictionary_VR(tag), "Value": texts}
    for tag in _INTEGER_TAGS:
        if (number := values.integer(tag)) is not None:
            found[f"{tag:08X}"] = {"vr": "US", "Value": [number]}
    for tag in _DECIMAL_TAGS:
        if numbers := values.decimals(tag):
            found[f"{tag:08X}"] = {"vr": "DS", "Value": [float(number) for number in numbers]}
    return found
