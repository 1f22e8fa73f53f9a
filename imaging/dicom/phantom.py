"""A synthetic liver CT whose lesions have known sizes: for the demonstration and the tests, never for a trial.

Ellipses in patient millimetres are painted in order, with partial volume at their rims, so that the half-height contour
lies exactly on the true edge; then smoothed noise, from a seed, so that a file is the same on every machine. The
headers carry made-up identities in the usual and in unusual places, for the de-identification to find.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

Scene = NDArray[np.float64]


@dataclass(frozen=True)
class Lesion:
    """An ellipsoid in the liver; diameters and centre in mm, `turn` in degrees in the slice."""

    name: str
    centre: tuple[float, float, float]
    long_mm: float
    short_mm: float
    height_mm: float
    turn: float = 0.0
    hu: float = 45.0


LESIONS: tuple[Lesion, ...] = (
    Lesion("T01", (-70.0, -20.0, 0.0), 42.0, 30.0, 36.0, turn=25.0),
    Lesion("T02", (-45.0, 25.0, 0.0), 24.0, 20.0, 20.0, turn=-40.0),
    Lesion("NT01", (-95.0, 20.0, 10.0), 12.0, 12.0, 12.0),
)


@dataclass(frozen=True)
class Person:
    """The made-up identity that a phantom's headers carry."""

    name: str = "Eksempel^Kari Anette"
    record: str = "MRN-0048213377"
    birth: date = date(1958, 4, 12)
    institution: str = "Fjordheim Universitetssykehus"
    physician: str = "Solbakken^Ingrid^^Dr"
    operator: str = "Radiograf^Tollef"
    address: str = "Granlia 14, 0588 Fjordheim"
    accession: str = "ACC7712345"

    def words(self) -> tuple[str, ...]:
        """What must not be found anywhere after de-identification."""
        return (
            "Eksempel",
            "Kari Anette",
            self.record,
            "19580412",
            "Fjordheim",
            "Solbakken",
            "Tollef",
            "Granlia",
            self.accession,
        )


@dataclass(frozen=True)
class Phantom:
    """One series.

    Attributes
    ----------
    slices
        Take an odd number: with an even one the lesions' centres fall between slices.
    field_mm
        Edge of the square image, mm.
    """

    subject: str = "PHANTOM-1"
    study_date: date = date(2025, 3, 4)
    size: int = 256
    slices: int = 31
    thickness_mm: float = 5.0
    field_mm: float = 380.0
    lesions: Sequence[Lesion] = LESIONS
    person: Person = field(default_factory=Person)
    seed: int = 7
    noise_hu: float = 10.0
    description: str = "Abdomen portalvenoes 5.0 B30f"
    series: int = 2
    identify: bool = True

    @property
    def spacing_mm(self) -> float:
        """Edge of a pixel, mm."""
        return self.field_mm / self.size

    def depth(self, index: int) -> float:
        """z of a slice, mm."""
        return (index - (self.slices - 1) / 2) * self.thickness_mm


_ORGANS: tuple[tuple[float, tuple[float, float], tuple[float, float]], ...] = (
    # HU, centre (x, y) mm, half axes (x, y) mm; painted in this order
    (40.0, (0.0, 0.0), (170.0, 125.0)),
    (-100.0, (0.0, 0.0), (166.0, 121.0)),
    (55.0, (0.0, 0.0), (148.0, 104.0)),
    (350.0, (0.0, 70.0), (22.0, 20.0)),
    (180.0, (0.0, 70.0), (16.0, 14.0)),
    (160.0, (-4.0, 38.0), (11.0, 11.0)),
    (170.0, (-62.0, 62.0), (24.0, 18.0)),
    (170.0, (62.0, 62.0), (24.0, 18.0)),
)
_SPLEEN = (120.0, (100.0, 10.0, 15.0), (32.0, 48.0, 55.0))
_LIVER = (110.0, (-62.0, 0.0, 0.0), (78.0, 72.0, 90.0))


def series(phantom: Phantom) -> Iterator[tuple[str, bytes]]:
    """The files of a phantom, as (name, bytes), slice by slice from below."""
    for index in range(phantom.slices):
        yield f"IM{index + 1:04d}.dcm", _file(phantom, index)


def stored_pixels(phantom: Phantom, index: int) -> NDArray[np.uint16]:
    """Stored values of a slice: HU + 1024, 12 bits."""
    hu = _scene(phantom, phantom.depth(index)) + _noise(phantom, index)
    return np.clip(np.rint(hu + 1024), 0, 4095).astype(np.uint16)


def diameters_on_slice(phantom: Phantom, lesion: Lesion, index: int) -> tuple[float, float]:
    """Long and short diameter of a lesion's cut by a slice, mm; (0, 0) where the slice misses it."""
    offset = (phantom.depth(index) - lesion.centre[2]) / (lesion.height_mm / 2)
    if abs(offset) >= 1:
        return 0.0, 0.0
    factor = float(np.sqrt(1 - offset**2))
    return lesion.long_mm * factor, lesion.short_mm * factor


def long_axis_on_slice(
    phantom: Phantom, lesion: Lesion, index: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Ends of the long diameter of a lesion's cut, patient mm."""
    half = diameters_on_slice(phantom, lesion, index)[0] / 2
    angle = np.deg2rad(lesion.turn)
    dx, dy, z = half * float(np.cos(angle)), half * float(np.sin(angle)), phantom.depth(index)
    x, y, _z = lesion.centre
    return (x - dx, y - dy, z), (x + dx, y + dy, z)


def _scene(phantom: Phantom, z: float) -> Scene:
    canvas = _Canvas(phantom.size, phantom.spacing_mm)
    for hu, centre, half in _ORGANS:
        canvas.ellipse(hu, centre, half)
    for hu, centre3, half3 in (_SPLEEN, _LIVER):
        canvas.ellipsoid(hu, centre3, half3, at=z)
    for lesion in phantom.lesions:
        half3 = (lesion.long_mm / 2, lesion.short_mm / 2, lesion.height_mm / 2)
        canvas.ellipsoid(lesion.hu, lesion.centre, half3, at=z, turn=lesion.turn)
    return canvas.image


class _Canvas:
    """A slice being painted, with the place of every pixel in mm."""

    def __init__(self, size: int, spacing_mm: float) -> None:
        centred = (np.arange(size) - (size - 1) / 2) * spacing_mm
        self._x, self._y = np.meshgrid(centred, centred)
        self._spacing = spacing_mm
        self.image: Scene = np.full((size, size), -1000.0)

    def ellipsoid(
        self,
        hu: float,
        centre: tuple[float, float, float],
        half: tuple[float, float, float],
        *,
        at: float,
        turn: float = 0,
    ) -> None:
        """Paint the cut of an ellipsoid by the plane z = `at`."""
        offset = (at - centre[2]) / half[2]
        if abs(offset) < 1:
            factor = float(np.sqrt(1 - offset**2))
            self.ellipse(hu, centre[:2], (half[0] * factor, half[1] * factor), turn)

    def ellipse(
        self, hu: float, centre: tuple[float, float], half: tuple[float, float], turn: float = 0
    ) -> None:
        """Paint an ellipse with partial volume: coverage 0.5 exactly on its edge."""
        angle = np.deg2rad(turn)
        x, y = self._x - centre[0], self._y - centre[1]
        u = (x * np.cos(angle) + y * np.sin(angle)) / half[0]
        v = (-x * np.sin(angle) + y * np.cos(angle)) / half[1]
        rho = np.maximum(np.hypot(u, v), 1e-6)
        gradient = np.hypot(u / half[0], v / half[1]) / rho
        coverage = np.clip(0.5 - (rho - 1) / np.maximum(gradient, 1e-6) / self._spacing, 0, 1)
        self.image += coverage * (hu - self.image)


def _noise(phantom: Phantom, index: int) -> Scene:
    if not phantom.noise_hu:
        return np.zeros((phantom.size, phantom.size))
    white = np.random.default_rng((phantom.seed, index)).standard_normal((phantom.size, phantom.size))
    for axis in (0, 1):
        white = (np.roll(white, 1, axis) + 2 * white + np.roll(white, -1, axis)) / 4
    return np.asarray(white / white.std() * phantom.noise_hu)


def _uid(*parts: object) -> UID:
    digest = hashlib.sha256("|".join(str(part) for part in parts).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def _file(phantom: Phantom, index: int) -> bytes:
    study = (phantom.subject, phantom.study_date)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = _uid(*study, phantom.series, index)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _uid("implementation")
    file = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    file.update(_identity(phantom))
    file.update(_image(phantom, index))
    file.StudyInstanceUID = _uid(*study)
    file.SeriesInstanceUID = _uid(*study, phantom.series)
    file.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    file.FrameOfReferenceUID = _uid(*study, "frame of reference")
    if phantom.identify:
        _hide_identity(file, phantom)
    buffer = BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _image(phantom: Phantom, index: int) -> Dataset:
    """Geometry and pixels of a slice."""
    corner = -(phantom.size - 1) / 2 * phantom.spacing_mm
    image = Dataset()
    image.SOPClassUID = CTImageStorage
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.Modality = "CT"
    image.SeriesNumber, image.InstanceNumber, image.AcquisitionNumber = phantom.series, index + 1, 1
    image.PatientPosition, image.PositionReferenceIndicator = "HFS", ""
    image.ImagePositionPatient = [_number(corner), _number(corner), _number(phantom.depth(index))]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.PixelSpacing = [_number(phantom.spacing_mm)] * 2
    image.SliceThickness = image.SpacingBetweenSlices = _number(phantom.thickness_mm)
    image.SliceLocation = _number(phantom.depth(index))
    image.KVP, image.ConvolutionKernel = 120, "B30f"
    image.ContrastBolusAgent = "Iomeron 400"
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows = image.Columns = phantom.size
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = -1024, 1, "HU"
    image.WindowCenter, image.WindowWidth = 60, 400
    image.PixelData = stored_pixels(phantom, index).tobytes()
    image["PixelData"].VR = "OW"
    return image


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _identity(phantom: Phantom) -> Dataset:
    """Who and when, where a scanner writes it."""
    person, day = phantom.person, f"{phantom.study_date:%Y%m%d}"
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 100"
    header.PatientName, header.PatientID = person.name, person.record
    header.PatientBirthDate, header.PatientSex = f"{person.birth:%Y%m%d}", "F"
    years = (phantom.study_date - person.birth) // timedelta(days=365.25)
    header.PatientAge, header.PatientSize, header.PatientWeight = f"{years:03d}Y", "1.68", "71"
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = header.ContentDate = day
    header.StudyTime = header.SeriesTime = header.AcquisitionTime = header.ContentTime = "101500"
    header.AccessionNumber, header.StudyID = person.accession, "1"
    header.ReferringPhysicianName, header.OperatorsName = person.physician, person.operator
    header.InstitutionName, header.InstitutionAddress = person.institution, person.address
    header.StationName, header.DeviceSerialNumber = "CT-FJORDHEIM-2", "77123"
    header.Manufacturer, header.ManufacturerModelName = "Hilum", "Phantom"
    header.StudyDescription = f"CT abdomen {person.name}"
    header.SeriesDescription = phantom.description
    return header


def _hide_identity(file: FileDataset, phantom: Phantom) -> None:
    """The same identity where it does not belong: nested, private, overlay, preamble, file meta."""
    person = phantom.person
    request = Dataset()
    request.RequestedProcedureDescription = f"Kontroll {person.name}"
    request.RequestingPhysician = person.physician
    file.RequestAttributesSequence = Items([request])
    source = Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = (
        CTImageStorage,
        _uid(phantom.subject, "source"),
    )
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = "1", "99LOCAL", person.name
    source.PurposeOfReferenceCodeSequence = Items([purpose])
    file.SourceImageSequence = Items([source])
    block = file.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", (person.name + "\0").encode().ljust(4096, b"\0"))
    block.add_new(0x20, "LO", person.record)
    overlay: list[tuple[int, str, Any]] = [
        (0x60000010, "US", 8), (0x60000011, "US", 8), (0x60000040, "CS", "G"), (0x60000050, "SS", [1, 1]),
        (0x60000022, "LO", person.name), (0x60000100, "US", 1), (0x60000102, "US", 0),
        (0x60001500, "LO", person.record), (0x60003000, "OB", b"\xff" * 8),
    ]  # fmt: skip
    for tag, vr, value in overlay:
        file.add_new(tag, vr, value)
    file.ImageComments = f"{person.name} {person.birth:%Y%m%d}"
    file.preamble = f"{person.name} {person.record}".encode().ljust(128, b"\0")
    file.file_meta.SourceApplicationEntityTitle = "FJORDHEIM"
    file.file_meta.PrivateInformationCreatorUID = UID("1.2.3")
    file.file_meta.PrivateInformation = person.name.encode().ljust(32, b"\0")
