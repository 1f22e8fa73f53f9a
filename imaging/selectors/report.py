"""A signed read as the content of a DICOM structured report; identifiers are the mapped ones of the stored files."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.core.files.storage import default_storage
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from imaging.dicom import report
from imaging.errors import NoImagesError
from imaging.models import Instance, Measurement, Read, StudyState
from imaging.rules.recist_1_1 import Response
from imaging.selectors.judging import (
    SIZE_WORDS,
    LesionToJudge,
    lesions_to_judge,
    marks_by_lesion,
    measurements_of,
)
from imaging.selectors.reads import case_of
from imaging.selectors.shown import plane_of_slice

NEW_LESION = "NEW"


def report_of(read: Read) -> report.Report:
    """The content of the report of a signed read.

    Raises
    ------
    NoImagesError
        The images on which it rests are not there any more.
    """
    marks = measurements_of(read)
    images = {mark.instance_id: _header(mark.instance) for mark in marks} or _any_image(read)
    case = case_of(read)
    return report.Report(
        uid=_uid(read.opaque),
        series_uid=_uid(uuid.uuid5(read.opaque, "series")),
        reader=f"Reader^{read.number}",
        time_point=str(case.time_point or 1),
        groups=[*_lesions(read, marks, images, case.code), _case(read, case.code)],
        images=list(images.values()),
    )


def _uid(value: uuid.UUID) -> str:
    """A UID from a UUID (PS3.5, B.2)."""
    return f"2.25.{value.int}"


def _followed(code: str, name: str) -> str:
    """The same for a lesion of a case in all its reports; a random name of the case is all that it rests on."""
    return _uid(uuid.uuid5(uuid.NAMESPACE_OID, f"{code} {name}"))


def _header(instance: Instance) -> Dataset:
    with default_storage.open(instance.file_key) as stored:
        return dcmread(stored, stop_before_pixels=True)


def _any_image(read: Read) -> dict[int, Dataset]:
    found = Instance.objects.filter(
        series__study__visit=read.visit_id, series__study__state=StudyState.QC_PASS
    )
    first = found.order_by("pk").first()
    if first is None:
        raise NoImagesError
    return {first.pk: _header(first)}


def _lesions(
    read: Read, marks: Sequence[Measurement], images: dict[int, Dataset], code: str
) -> Iterator[report.Group]:
    by_lesion = marks_by_lesion(marks)
    judged: dict[str, LesionToJudge | None] = {each.lesion.name: each for each in lesions_to_judge(read)}
    for name, each in {**judged, **({NEW_LESION: None} if NEW_LESION in by_lesion else {})}.items():
        axes = [axis for mark in by_lesion.get(name, []) for axis in _axes(mark, images[mark.instance_id])]
        said = list(_said(each)) if each else []
        if axes or said:
            yield report.Group(name, _followed(code, name), report.LESION, axes, said)


def _axes(mark: Measurement, image: Dataset) -> Iterator[report.Axis]:
    plane = plane_of_slice(mark.instance)
    if plane is None:
        return
    ends = [(Decimal(x), Decimal(y), Decimal(z)) for x, y, z in mark.points]
    pairs = sorted(zip(ends[::2], ends[1::2], strict=True), key=_length, reverse=True)
    for name, mm, pair in zip(
        (report.LONG, report.SHORT), (mark.length_mm, mark.short_mm), pairs, strict=False
    ):
        if mm is not None:
            yield report.Axis(name, float(mm), pair, plane, image)


def _length(pair: tuple[tuple[Decimal, ...], tuple[Decimal, ...]]) -> Decimal:
    return sum(((a - b) ** 2 for a, b in zip(*pair, strict=True)), Decimal(0))


def _said(each: LesionToJudge) -> Iterator[tuple[Code, Code]]:
    if each.outcome:
        yield report.OUTCOME, _code(each.outcome, dict(each.options).get(each.outcome, each.outcome))
    if each.status:
        yield report.SIZE, _code(each.status, dict(SIZE_WORDS)[each.status])


def _case(read: Read, code: str) -> report.Group:
    said = [(report.QUALITY, _code(read.image_quality, read.get_image_quality_display()))]
    if read.new_lesion:
        said.append((report.NEW, _code(read.new_lesion, read.get_new_lesion_display())))
    if read.non_target:
        said.append((report.NON_TARGET, _response(read.non_target)))
    if read.overall:
        said.append((report.OVERALL, _response(read.overall)))
    return report.Group(f"Case {code}", _followed(code, "case"), report.CASE, (), said)


def _response(code: str) -> Code:
    return _code(code, f"RECIST 1.1: {Response(code)}")


def _code(value: str, meaning: str) -> Code:
    return Code(value, report.SCHEME, meaning)
