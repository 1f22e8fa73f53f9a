"""What an object says of itself before anything else is done with it: an answer, or a fault with a sentence."""

from __future__ import annotations

import errno
import io

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imaging.dicom import phantom
from imaging.dicom.errors import DicomFault, Malformed
from imaging.dicom.opening import opening_of

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # pydicom's, about what is damaged here on purpose
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)


def written(syntax: pydicom.uid.UID) -> bytes:
    """A slice in a transfer syntax."""
    (_, raw), *_ = phantom.series(phantom.Phantom(size=8, slices=1))
    dataset = pydicom.dcmread(io.BytesIO(raw))
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    return buffer.getvalue()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_whatever_byte_is_damaged_it_is_an_opening_or_a_fault(syntax: pydicom.uid.UID) -> None:
    good = written(syntax)
    whole = opening_of(io.BytesIO(good))
    assert (whole.patient, whole.modality) == (phantom.Person().record, "CT")
    faults = 0
    for place in range(128, len(good)):
        stream = io.BytesIO(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        try:
            opening_of(stream)
        except DicomFault:
            faults += 1
        assert stream.tell() == 0
    assert faults


def test_a_damaged_deflated_object_is_malformed() -> None:
    good = written(DeflatedExplicitVRLittleEndian)
    with pytest.raises(Malformed):
        opening_of(io.BytesIO(good[:-40]))


def test_a_disk_that_fails_is_not_called_a_damaged_object() -> None:
    class FailingDisk(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        opening_of(FailingDisk(written(ExplicitVRLittleEndian)))
