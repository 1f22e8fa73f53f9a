"""Making DICOM files for the tests of this room."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileDataset

from imaging.dicom import phantom
from imaging.dicom.deidentify import Identity
from imaging.dicom.elements import encode_element
from imaging.dicom.reader import read

CANARY = "ZEBRAFINK"


def bundled_files() -> list[Path]:
    """Every file that pydicom brings with it: images of many makers and codecs, reports, plans, broken ones."""
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".py")


def identity(key: bytes = b"k" * 32, subject: str = "TDX-001-003") -> Identity:
    """Somebody to put in the place of the patient."""
    return Identity(
        key=key,
        subject=subject,
        sponsor="Sponsor AS",
        protocol_id="THERMODOX",
        protocol_name="A trial",
        site_id="NO-01",
        site_name="Østre sykehus",
        time_point_id="M4",
        time_point="Month 4",
    )


def small_phantom(**changes: object) -> phantom.Phantom:
    """A phantom that takes a few milliseconds a slice."""
    return phantom.Phantom(**{"size": 64, "slices": 5, **changes})  # type: ignore[arg-type]


def one_slice(**changes: object) -> bytes:
    """The middle slice of a small phantom."""
    made = small_phantom(**changes)
    return list(phantom.series(made))[made.slices // 2][1]


def changed(data: bytes, edit: object = None, **attributes: object) -> bytes:
    """A file with some attributes set by keyword; None deletes one."""
    dataset = pydicom.dcmread(BytesIO(data))
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    if callable(edit):
        edit(dataset)
    return saved(dataset)


def with_element(data: bytes, tag: int, vr: str, value: bytes) -> bytes:
    """A file with one element as it is written here, whatever the dictionary says of it."""
    file = read(data)
    parts = {each.tag: data[each.start : each.end] for each in file.elements}
    parts[tag] = encode_element(tag, vr, value, file.syntax)
    assert file.pixel is not None
    head = data[: min(each.start for each in file.elements)]
    return head + b"".join(parts[each] for each in sorted(parts)) + data[file.pixel.start :]


def saved(dataset: Dataset | FileDataset) -> bytes:
    """A data set as the bytes of a file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def parsed(data: bytes) -> FileDataset:
    """A file as pydicom reads it: the second opinion on everything that is written here."""
    return pydicom.dcmread(BytesIO(data))
