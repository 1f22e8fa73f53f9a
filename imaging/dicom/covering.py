"""Areas of a picture covered, so that what is written there is gone.

References
----------
.. [1] DICOM PS3.15 2026c, Annex E.3.1 "Clean Pixel Data Option"; PS3.3 2026c, C.7.6.1.1.5 "Burned In Annotation".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from imaging.dicom.deidentify import Deidentified
from imaging.dicom.errors import DicomFault
from imaging.dicom.frames import Pixels, decode
from imaging.dicom.reader import EXPLICIT, read
from imaging.dicom.writing import Box

WRONG_AREA = "wrong_area"
CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")


def covered_pixels(pixels: Pixels, boxes: Sequence[Box]) -> Pixels:
    """The picture with its own lowest value in every box.

    Raises
    ------
    DicomFault
        A box leads out of the picture.
    """
    rows, columns = pixels.shape
    if any(box.right > columns or box.bottom > rows or box.left < 0 or box.top < 0 for box in boxes):
        raise DicomFault(WRONG_AREA, f"An area leads out of the picture of {columns} by {rows} pixels.")
    covered = pixels.copy()
    for box in boxes:
        covered[box.top : box.bottom, box.left : box.right] = pixels.min()
    return covered


def covered(result: Deidentified, boxes: Sequence[Box]) -> Deidentified:
    """A de-identified file with areas covered: native, little endian, and said to be clean.

    Everything but the pixels, the elements that describe how they are stored, and the two that say what was done stays.

    Raises
    ------
    DicomFault
        The pixels cannot be decoded, or an area leads out of the picture.
    """
    pixels = covered_pixels(decode(read(result.data)), boxes)
    dataset = pydicom.dcmread(BytesIO(result.data))
    dataset.decode()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    dataset.BitsAllocated = pixels.itemsize * 8
    dataset.HighBit = int(dataset.BitsStored) - 1
    dataset.BurnedInAnnotation = "NO"
    dataset.DeidentificationMethodCodeSequence = [
        *dataset.DeidentificationMethodCodeSequence,
        _code(*CLEAN_PIXELS),
    ]
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW"
    out = BytesIO()
    dataset.save_as(out, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return _described(result, out.getvalue(), boxes)


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _described(result: Deidentified, data: bytes, boxes: Sequence[Box]) -> Deidentified:
    """Where the pixels lie now, and in the ledger what was covered."""
    pixel = read(data).pixel
    if pixel is None:
        raise AssertionError("Pixels were written a moment ago.")
    result.ledger.covered.extend(str(box) for box in boxes)
    return replace(
        result,
        data=data,
        pixel_offset=pixel.value,
        pixel_length=pixel.length,
        pixel_sha256=hashlib.sha256(data[pixel.value : pixel.value_end]).hexdigest(),
        header_length=pixel.start,
    )
