"""The first lines of an object: what it is, and whose images it says it holds. Reads no pixels.

References
----------
.. [1] DICOM PS3.3 2026c, C.7.1.3 "Clinical Trial Subject Module", C.7.2.3 "Clinical Trial Study Module".
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from datetime import date
from typing import IO

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from imaging.dicom.errors import Malformed, NotDicom

_TAGS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "StudyDate",
    "AcquisitionDate",
    "Modality",
    "PatientID",
    "PatientName",
    "ClinicalTrialSubjectID",
    "ClinicalTrialTimePointID",
]
# What pydicom lets out where a header is damaged; a disk that fails is not among it, and its sender keeps the object.
_UNREADABLE = (
    AttributeError, EOFError, KeyError, NotImplementedError, OverflowError, RecursionError, TypeError, ValueError,
    BytesLengthException, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Opening:
    """What an object says of itself, before de-identification. Never stored as it is.

    Attributes
    ----------
    subject, visit
        Clinical Trial Subject ID (0012,0040) and Time Point ID (0012,0050), where a site's system writes them.
    patient
        The hospital's patient number, or the name where there is no number.
    """

    sop_class: str
    sop_uid: str
    study_uid: str
    patient: str
    subject: str
    visit: str
    taken_on: date | None
    modality: str


def opening_of(stream: IO[bytes]) -> Opening:
    """Read the header of an object up to its pixels.

    Parameters
    ----------
    stream
        The object with its preamble, seekable; left at its start.

    Raises
    ------
    NotDicom, Malformed
    OSError
        The stream cannot be read.
    """
    try:
        stream.seek(0)
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_TAGS)
        return _opening(dataset)
    except InvalidDicomError as error:
        raise NotDicom("not_dicom", "This is not a DICOM file: it has no DICOM prefix.") from error
    except _UNREADABLE as error:
        raise Malformed("malformed", "The header of the object cannot be read.") from error
    finally:
        stream.seek(0)


def _opening(dataset: Dataset) -> Opening:
    found = Opening(
        sop_class=_text(dataset, "SOPClassUID"),
        sop_uid=_text(dataset, "SOPInstanceUID"),
        study_uid=_text(dataset, "StudyInstanceUID"),
        patient=_text(dataset, "PatientID") or _text(dataset, "PatientName"),
        subject=_text(dataset, "ClinicalTrialSubjectID"),
        visit=_text(dataset, "ClinicalTrialTimePointID"),
        taken_on=_date(_text(dataset, "StudyDate")) or _date(_text(dataset, "AcquisitionDate")),
        modality=_text(dataset, "Modality")[:16],
    )
    if not found.sop_class or not found.sop_uid:
        raise Malformed("no_sop_uid", "The object does not say what it is (SOP class and UID).")
    return found


def _text(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip(" \0")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:8]}")
    except ValueError:
        return None
