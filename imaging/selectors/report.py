"""A signed read as the content of a DICOM structured report; identifiers are the mapped ones of the stored files."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Min
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from imaging.dicom import report
from imaging.errors import NoImagesError
from imaging.models import Instance, Measurement, Question, Read, StudyState
from imaging.rules.recist_1_1 import Response
from imaging.selectors.answered import measurements_of_all, outcomes_of_all
from imaging.selectors.judging import marks_by_lesion, size_in_words
from imaging.selectors.reads import Case, cases_of
from imaging.selectors.shown import plane_of_slice
from imaging.selectors.stored import as_stored

NEW_LESION = "NEW"


@dataclass(frozen=True)
class Answers:
    """What a signed read says.

    Attributes
    ----------
    marks
        Measurements that count.
    outcomes, sizes
        The latest answer for each lesion: of its ablation, and how it is there where it is not measured.
    any_image
        The first accepted image of the visit, to which a report refers where nothing is measured.
    """

    read: Read
    case: Case
    marks: Sequence[Measurement]
    outcomes: Mapping[str, str]
    sizes: Mapping[str, str]
    any_image: Instance | None

    @property
    def lesions(self) -> list[str]:
        """Lesions of which something is said: targets, others, and last the new one."""
        named = {*self.outcomes, *self.sizes, *(mark.lesion for mark in self.marks)}
        return sorted(named, key=lambda name: (name == NEW_LESION, not name.startswith("T"), name))


def answers_of(reads: Sequence[Read]) -> list[Answers]:
    """What signed reads say; as many statements for many as for one.

    It is taken from the reads alone: what a reader said of a lesion stays, whatever becomes of the site's list.
    """
    cases, marks = cases_of(reads), measurements_of_all(reads)
    outcomes, sizes = outcomes_of_all(reads), outcomes_of_all(reads, Question.SIZE)
    images = _first_images({read.visit_id for read in reads})
    return [
        Answers(
            read=read,
            case=cases[read.pk],
            marks=marks[read.pk],
            outcomes=outcomes[read.pk],
            sizes=sizes[read.pk],
            any_image=images.get(read.visit_id),
        )
        for read in reads
    ]


def _first_images(visits: Collection[int]) -> dict[int, Instance]:
    accepted = Instance.objects.filter(
        series__study__visit__in=visits, series__study__state=StudyState.QC_PASS
    )
    first = accepted.order_by().values("series__study__visit").annotate(first=Min("pk")).values("first")
    found = Instance.objects.filter(pk__in=first).select_related("series__study")
    return {each.series.study.visit_id: each for each in found}


def report_of(read: Read) -> report.Report:
    """The content of the report of a signed read.

    Raises
    ------
    NoImagesError, imaging.errors.StoredFileError
        The images on which it rests are not there any more, or are not what they were.
    """
    return report_from(answers_of([read])[0])


def report_from(answers: Answers) -> report.Report:
    """The content of the report of a signed read whose answers are at hand; no statement.

    Raises
    ------
    NoImagesError, imaging.errors.StoredFileError
    """
    read, case = answers.read, answers.case
    images = {each.pk: _header(each) for each in _referred(answers)}
    return report.Report(
        uid=_uid(read.opaque),
        series_uid=_uid(uuid.uuid5(read.opaque, "series")),
        reader=f"Reader^{read.number}",
        time_point=str(case.time_point or 1),
        groups=[*_lesions(answers, images), _case(read, case.code)],
        images=list(images.values()),
    )


def _uid(value: uuid.UUID) -> str:
    """A UID from a UUID (PS3.5, B.2)."""
    return f"2.25.{value.int}"


def _followed(code: str, name: str) -> str:
    """The same for a lesion of a case in all its reports; a random name of the case is all that it rests on."""
    return _uid(uuid.uuid5(uuid.NAMESPACE_OID, f"{code} {name}"))


def _header(instance: Instance) -> Dataset:
    with as_stored(instance.file_key, instance.file_sha256) as stored:
        return dcmread(stored, stop_before_pixels=True)


def _referred(answers: Answers) -> list[Instance]:
    """Images that a report refers to: those on which something is measured, or any."""
    measured = list({mark.instance_id: mark.instance for mark in answers.marks}.values())
    if measured:
        return measured
    if answers.any_image is None:
        raise NoImagesError
    return [answers.any_image]


def _lesions(answers: Answers, images: Mapping[int, Dataset]) -> Iterator[report.Group]:
    by_lesion = marks_by_lesion(answers.marks)
    code = answers.case.code
    for name in answers.lesions:
        axes = [axis for mark in by_lesion.get(name, []) for axis in _axes(mark, images[mark.instance_id])]
        said = list(_said(answers, name))
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


def _said(answers: Answers, lesion: str) -> Iterator[tuple[Code, Code]]:
    if outcome := answers.outcomes.get(lesion):
        yield report.OUTCOME, _code(outcome, _words(answers.read).get(outcome, outcome))
    if status := answers.sizes.get(lesion):
        yield report.SIZE, _code(status.replace(" ", "_"), size_in_words(status))


def _words(read: Read) -> Mapping[str, str]:
    charter = read.subject.version.protocol.charter
    return {each.code: each.label for each in charter.lesion_outcomes} if charter else {}


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
