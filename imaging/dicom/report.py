"""A signed read as a DICOM structured report that other tools read: TID 1500, by highdicom.

References
----------
.. [1] DICOM PS3.16 2026c, TID 1500 "Measurement Report", TID 1501 "Measurement and Qualitative Evaluation Group".
.. [2] DICOM PS3.3 2026c, C.18.6 (SCOORD: the corner of the first pixel is 0\\0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from imaging.dicom.geometry import Plane, Point

SCHEME = "99HILUM"
LESION = Code("52988006", "SCT", "Lesion")
CASE = codes.DCM.ResponseEvaluation
OVERALL = codes.DCM.CurrentResponse
TITLE = Code("126000", "DCM", "Imaging Measurement Report")
LONG = Code("103339001", "SCT", "Long axis")
SHORT = Code("103340004", "SCT", "Short axis")
QUALITY = Code("QUALITY", SCHEME, "Image quality")
NEW = Code("NEW", SCHEME, "New lesion")
NON_TARGET = Code("NON-TARGET", SCHEME, "Response of non-target lesions")
SIZE = Code("SIZE", SCHEME, "How it is there, where it is not measured")
OUTCOME = Code("ABLATION", SCHEME, "Outcome of ablation")
ON_A_CORNER = 0.5
"""A pixel's centre in coordinates that count from the corner of the first one."""


@dataclass(frozen=True)
class Axis:
    """One diameter: what it is, its length in mm, its ends in patient coordinates, and the slice it lies on."""

    name: Code
    mm: float
    ends: tuple[Point, Point]
    plane: Plane
    image: Dataset


@dataclass(frozen=True)
class Group:
    """What was said and measured of one lesion, or (with another finding) of the case; `uid` follows it over time."""

    name: str
    uid: str
    finding: Code
    axes: Sequence[Axis] = ()
    said: Sequence[tuple[Code, Code]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Report:
    """A read as it goes into a report. `reader` is how the reader is called there; no name has to be."""

    uid: str
    series_uid: str
    reader: str
    time_point: str
    groups: Sequence[Group]
    images: Sequence[Dataset]


def encoded(report: Report) -> bytes:
    """The DICOM file of a report."""
    person = sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(name=report.reader),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_person_context=person),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion
        if report.images[0].Modality == "CT"
        else codes.LN.MRIUnspecifiedBodyRegion,
        imaging_measurements=[_group(group, report.time_point) for group in report.groups],
        title=TITLE,
        referenced_images=list(report.images),
    )
    document = sr.ComprehensiveSR(
        evidence=list(report.images),
        content=content[0],
        series_number=1,
        series_instance_uid=report.series_uid,
        sop_instance_uid=report.uid,
        instance_number=1,
        manufacturer="Hilum",
        is_complete=True,
        is_final=True,
    )
    stored = BytesIO()
    document.save_as(stored, enforce_file_format=True)
    return stored.getvalue()


def _group(group: Group, time_point: str) -> sr.MeasurementsAndQualitativeEvaluations:
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=group.uid, identifier=group.name),
        time_point_context=sr.TimePointContext(time_point=time_point),
        finding_type=group.finding,
        measurements=[_measurement(axis) for axis in group.axes],
        qualitative_evaluations=[sr.QualitativeEvaluation(name, value) for name, value in group.said],
    )


def _measurement(axis: Axis) -> sr.Measurement:
    source = sr.SourceImageForRegion(axis.image.SOPClassUID, axis.image.SOPInstanceUID)
    ends = np.array([_on_image(point, axis.plane) for point in axis.ends])
    return sr.Measurement(
        name=axis.name,
        value=axis.mm,
        unit=codes.UCUM.Millimeter,
        referenced_coordinates=[
            sr.CoordinatesForMeasurement(
                graphic_type=sr.GraphicTypeValues.POLYLINE, graphic_data=ends, source_image=source
            )
        ],
    )


def _on_image(point: Point, plane: Plane) -> tuple[float, float]:
    """Column and row of a point, from the outer corner of the first pixel."""
    column, row = plane.on_image(point)
    return float(column) + ON_A_CORNER, float(row) + ON_A_CORNER
