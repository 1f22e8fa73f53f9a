"""What the viewer gets: series, slices and marks, under names that hold for one read only."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from imaging.dicom.geometry import Plane, plane_from
from imaging.masking import SERIES, SLICE, masked
from imaging.models import Instance, Measurement, Read, Series, Study, StudyState
from imaging.selectors.answered import measurements_of

FrameAddress = Callable[[UUID], str]


def series_of_read(read: Read, shown: Read | None, *, frame_url: FrameAddress) -> dict[str, Any]:
    """What the viewer needs of the images of a read, or of the time point before it.

    Parameters
    ----------
    read
        The read that is open: names hold for it alone.
    shown
        The read whose images and marks are wanted: the same one, or the one before; None gives no series.
    frame_url
        Gives the address of a frame from the slice's name.
    """
    if shown is None:
        return {"series": []}
    locked = shown.pk != read.pk
    marks = [mark_document(mark, read.opaque, locked=locked) for mark in measurements_of(shown)]
    return series_document(read.opaque, shown, marks, frame_url=frame_url)


def series_document(
    scope: UUID, shown: Read, marks: Sequence[Mapping[str, Any]], *, frame_url: FrameAddress
) -> dict[str, Any]:
    """Series of a visit for the viewer; all identifiers are made for this use and match nothing elsewhere.

    Returns
    -------
    dict
        `{"series": [{"id", "name", "modality", "frame_of_reference", "instances": [{"sop", "frame", "metadata"}],
        "marks"}]}`, the series with most slices first; `metadata` is DICOM JSON.
    """
    studies = Study.objects.filter(subject=shown.subject_id, visit=shown.visit_id, state=StudyState.QC_PASS)
    instances: dict[int, list[Instance]] = {}
    for instance in Instance.objects.filter(series__study__in=studies).order_by("depth", "pk"):
        instances.setdefault(instance.series_id, []).append(instance)
    found = sorted(
        Series.objects.filter(pk__in=instances), key=lambda each: (-len(instances[each.pk]), each.number or 0)
    )
    return {"series": [_series(scope, each, instances[each.pk], marks, frame_url) for each in found]}


def _series(
    scope: UUID,
    series: Series,
    instances: Sequence[Instance],
    marks: Sequence[Mapping[str, Any]],
    frame_url: FrameAddress,
) -> dict[str, Any]:
    names = {instance.pk: masked(scope, SLICE, instance.pk) for instance in instances}
    own = {str(name) for name in names.values()}
    thickness = f"{series.thickness_mm.normalize():f} mm" if series.thickness_mm else ""
    title = series.label.capitalize() or f"Series of {len(instances)} slices"
    return {
        "id": str(masked(scope, SERIES, series.pk)),
        "name": ", ".join(part for part in (title, thickness) if part),
        "modality": series.modality,
        "frame_of_reference": str(uuid.uuid5(scope, series.frame_of_reference_uid)),
        "instances": [
            {
                "sop": str(names[instance.pk]),
                "frame": frame_url(names[instance.pk]),
                "metadata": {**instance.attributes, "00200013": {"vr": "IS", "Value": [number]}},
            }
            for number, instance in enumerate(instances, start=1)
        ],
        "marks": [mark for mark in marks if mark["sop"] in own],
    }


def mark_document(mark: Measurement, scope: UUID, *, locked: bool = False, side: str = "") -> dict[str, Any]:
    """A measurement as the viewer gets it; lengths are decimal text in mm, points are numbers in mm.

    A locked one, which belongs to another read, gets a name that holds here only; `side` is the letter of its reader
    where an adjudicator looks at two.
    """
    return {
        "id": str(uuid.uuid5(scope, str(mark.mark)) if locked else mark.mark),
        "lesion": f"{side} {mark.lesion}".strip(),
        "side": side,
        "tool": mark.tool,
        "sop": str(masked(scope, SLICE, mark.instance_id)),
        "points": [[float(value) for value in point] for point in mark.points],
        "length_mm": str(mark.length_mm),
        "width_mm": None if mark.short_mm is None else str(mark.short_mm),
        "locked": locked,
    }


def plane_of_slice(instance: Instance) -> Plane | None:
    """Where a slice lies, from what is kept of its header; None where that does not say."""
    numbers = {
        tag: [Decimal(str(number)) for number in instance.attributes[tag]["Value"]]
        for tag in ("00200032", "00200037", "00280030", "00280010", "00280011")
    }
    return plane_from(
        numbers["00200032"],
        numbers["00200037"],
        numbers["00280030"],
        int(numbers["00280010"][0]),
        int(numbers["00280011"][0]),
    )
