"""Reads: the queue, one case as its reader may see it, and what was marked. Nothing names a site, subject or date."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.access import Access
from accounts.models import Grant, User
from accounts.policies import RADIOLOGIST
from foundation import clock
from foundation.errors import NotFound
from imaging.models import (
    ImagingKey,
    Instance,
    LesionOutcome,
    Measurement,
    Read,
    ReadState,
    Series,
    Study,
    StudyState,
)
from imaging.rules.ablation import LesionOutcome as Outcome
from imaging.rules.course import EarlierRead, options_for
from imaging.rules.working_days import working_days_between
from imaging.selectors.lesions import Lesion, lesions_of
from visits.models import Visit, VisitState

ABLATION = "ablation"
JUDGED_KINDS = frozenset({"follow_up", "unscheduled"})


def unlocked_reads() -> QuerySet[Read]:
    """Reads that are not signed and have no unsigned read of an earlier time point before them."""
    earlier = Read.objects.filter(
        subject=OuterRef("subject"), number=OuterRef("number"), visit__ordinal__lt=OuterRef("visit__ordinal")
    ).exclude(state=ReadState.SIGNED)
    return Read.objects.exclude(state=ReadState.SIGNED).filter(~Exists(earlier))


def queue_of(access: Access) -> QuerySet[Read]:
    """Reads that wait for somebody and may be read now: oldest due first."""
    codes = access.trials("read.perform")
    own = unlocked_reads().filter(reader_id=access.user_id)
    if "" not in codes:
        own = own.filter(subject__trial__code__in=codes)
    return own.order_by("due_on", "assigned_at", "pk")


@dataclass(frozen=True)
class QueueRow:
    """A case in the queue, in words that blind."""

    read: Read
    case: str
    time_point: int
    working_days_left: int
    modality: str
    slices: int

    @property
    def overdue(self) -> bool:
        """Whether its deadline has passed."""
        return self.working_days_left < 0


def queue_rows(access: Access, limit: int = 200) -> list[QueueRow]:
    """The queue as its reader sees it; four statements, however long it is."""
    today = clock.today()
    reads = list(queue_of(access)[:limit])
    subjects = {read.subject_id for read in reads}
    cases = dict(ImagingKey.objects.filter(subject__in=subjects).values_list("subject", "case_code"))
    ranks = _ranks(subjects)
    images = _images_of({read.visit_id for read in reads})
    return [
        QueueRow(
            read=read,
            case=cases.get(read.subject_id, ""),
            time_point=ranks[read.visit_id],
            working_days_left=working_days_between(today, read.due_on),
            modality=", ".join(sorted(images.get(read.visit_id, {}))),
            slices=max(images.get(read.visit_id, {"": 0}).values(), default=0),
        )
        for read in reads
    ]


def _ranks(subjects: Iterable[int]) -> dict[int, int]:
    """Rank of each visit among the visits of its subject that have reads."""
    rows = (
        Read.objects.filter(subject__in=list(subjects))
        .values_list("subject", "visit", "visit__ordinal")
        .distinct()
    )
    by_subject: dict[int, list[tuple[int, int]]] = {}
    for subject, visit, ordinal in rows:
        by_subject.setdefault(subject, []).append((ordinal, visit))
    return {
        visit: rank
        for visits in by_subject.values()
        for rank, (_ordinal, visit) in enumerate(sorted(set(visits)), start=1)
    }


def _images_of(visits: Iterable[int]) -> dict[int, dict[str, int]]:
    """Slices of the largest series of each modality, by visit."""
    rows = Instance.objects.filter(series__study__visit__in=list(visits)).values_list(
        "series__study__visit", "series__modality", "series"
    )
    sizes: dict[int, dict[tuple[str, int], int]] = {}
    for visit, modality, series in rows:
        own = sizes.setdefault(visit, {})
        own[modality, series] = own.get((modality, series), 0) + 1
    return {
        visit: {modality: max(n for (m, _), n in own.items() if m == modality) for modality, _ in own}
        for visit, own in sizes.items()
    }


def get_read(access: Access, opaque: UUID) -> Read:
    """A read of this person's own; everybody else learns nothing of it.

    Raises
    ------
    NotFound
    """
    read = (
        Read.objects.filter(opaque=opaque, reader_id=access.user_id)
        .select_related("visit", "subject__trial", "subject__version", "reader", "signature")
        .defer("subject__version__definition")
        .first()
    )
    if read is None or not access.may("read.perform", read.subject.trial.code):
        raise NotFound(what="case", name=str(opaque))
    return read


def is_locked(read: Read) -> bool:
    """Whether an earlier time point of the case comes first."""
    return read.state != ReadState.SIGNED and not unlocked_reads().filter(pk=read.pk).exists()


def studies_of(read: Read) -> QuerySet[Study]:
    """Studies that belong to a read: those of its visit and, for comparison, of time points signed before it."""
    signed = Read.objects.filter(
        subject=read.subject_id,
        number=read.number,
        state=ReadState.SIGNED,
        visit__ordinal__lt=read.visit.ordinal,
    )
    return Study.objects.filter(
        Q(visit=read.visit_id) | Q(visit__in=signed.values("visit")),
        subject=read.subject_id,
        state=StudyState.QC_PASS,
    ).select_related("visit")


def get_instance(read: Read, opaque: UUID) -> Instance:
    """A slice that a reader may see in a read.

    Raises
    ------
    NotFound
    """
    instance = (
        Instance.objects.filter(opaque=opaque, series__study__in=studies_of(read))
        .select_related("series__study")
        .first()
    )
    if instance is None:
        raise NotFound(what="image", name=str(opaque))
    return instance


def frame_key(access: Access, read: UUID, instance: UUID) -> str:
    """Where the frame of a slice is stored, if this person may see it in this read; one statement.

    Raises
    ------
    NotFound
    """
    codes = access.trials("read.perform")
    own = Read.objects.filter(opaque=read, reader_id=access.user_id)
    if "" not in codes:
        own = own.filter(subject__trial__code__in=codes)
    earlier = Read.objects.filter(
        subject=OuterRef("subject"),
        number=OuterRef("number"),
        state=ReadState.SIGNED,
        visit__ordinal__lt=OuterRef("visit__ordinal"),
        visit__in=Instance.objects.filter(opaque=instance).values("series__study__visit"),
    )
    shown = own.filter(
        Q(visit__in=Instance.objects.filter(opaque=instance).values("series__study__visit")) | Exists(earlier)
    )
    key = Instance.objects.filter(
        Exists(shown), opaque=instance, series__study__state=StudyState.QC_PASS
    ).values_list("frame_key", flat=True)
    found = key.first()
    if found is None:
        raise NotFound(what="image", name=str(instance))
    return found


@dataclass(frozen=True)
class Case:
    """What a reader may know of a case: its name and which time point this is."""

    code: str
    time_point: int


def case_of(read: Read) -> Case:
    """Name and time point of a read."""
    code = ImagingKey.objects.filter(subject=read.subject_id).values_list("case_code", flat=True).first()
    return Case(code or "", _ranks([read.subject_id])[read.visit_id])


# What a reader judges -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LesionToJudge:
    """A lesion in the list of the reading page."""

    lesion: Lesion
    options: tuple[tuple[str, str], ...]
    outcome: str
    before: str


def lesions_to_judge(read: Read) -> list[LesionToJudge]:
    """Lesions of a read, with what may be said of each, what was said, and what the reader said the last time."""
    lesions = lesions_of(read.subject)
    said = outcomes_of(read)
    earlier = _earlier_reads(read)
    procedures = _procedure_days(read)
    charter = read.subject.version.protocol.charter
    words = {each.code: each.label for each in charter.lesion_outcomes} if charter else {}
    judged = judges_outcomes(read)
    shown = []
    for lesion in lesions:
        allowed = (
            options_for(lesion.name, earlier, procedures, scan_day(read.visit))
            if judged
            else frozenset[Outcome]()
        )
        options = tuple((code, label) for code, label in words.items() if code in allowed)
        last = next(
            (each.outcomes[lesion.name] for each in reversed(earlier) if lesion.name in each.outcomes), ""
        )
        shown.append(LesionToJudge(lesion, options, said.get(lesion.name, ""), words.get(last, last)))
    return shown


def judges_outcomes(read: Read) -> bool:
    """Whether the reader says what became of each ablated lesion: at follow-up scans, where the charter asks for it."""
    protocol = read.subject.version.protocol
    if protocol.charter is None or ABLATION not in protocol.charter.assessments:
        return False
    plan = next((each for each in protocol.visits if each.code == read.visit.code), None)
    return plan is None or plan.kind in JUDGED_KINDS


def outcomes_of(read: Read) -> dict[str, str]:
    """The latest outcome of each lesion in a read."""
    rows = LesionOutcome.objects.filter(read=read).order_by("pk")
    return dict(rows.values_list("lesion", "outcome"))


def measurements_of(read: Read) -> list[Measurement]:
    """The latest version of each mark of a read, erased ones left out."""
    latest: dict[UUID, Measurement] = {}
    for row in Measurement.objects.filter(read=read).select_related("instance").order_by("pk"):
        latest[row.mark] = row
    return [row for row in latest.values() if not row.erased]


def scan_day(visit: Visit) -> date:
    """The day by which a scan is ordered among procedures and other scans; never shown to readers."""
    return visit.happened_on or visit.target or date.max


def _earlier_reads(read: Read) -> list[EarlierRead]:
    signed = (
        Read.objects.filter(
            subject=read.subject_id,
            number=read.number,
            state=ReadState.SIGNED,
            visit__ordinal__lt=read.visit.ordinal,
        )
        .select_related("visit")
        .order_by("visit__ordinal", "version")
    )
    latest = {each.visit_id: each for each in signed}
    return [EarlierRead(scan_day(each.visit), outcomes_of(each)) for each in latest.values()]


def _procedure_days(read: Read) -> list[date]:
    """Days of the procedures that took place; a follow-up scan without any on record is taken to follow one."""
    protocol = read.subject.version.protocol
    codes = [plan.code for plan in protocol.visits if plan.kind == "treatment"]
    days = Visit.objects.filter(
        subject=read.subject_id, code__in=codes, state=VisitState.DONE, happened_on__isnull=False
    ).values_list("happened_on", flat=True)
    return [day for day in days if day is not None] or [date.min]


def readers_for(trial: str) -> list[User]:
    """People who may read for a trial now, in a fixed order."""
    held = Grant.objects.held_at(clock.now()).filter(role=RADIOLOGIST, trial=trial)
    return list(User.objects.filter(pk__in=held.values("user"), is_active=True).order_by("pk"))


# What the viewer gets -------------------------------------------------------------------------------------------------

FrameAddress = Callable[[UUID], str]


def series_document(read: Read, *, prior: bool, frame_url: FrameAddress) -> dict[str, Any]:
    """What the viewer needs of the images of a read; all identifiers are made for this use and match nothing elsewhere.

    Parameters
    ----------
    prior
        The time point before, for comparison, instead of the one to be read.
    frame_url
        Gives the address of a frame from the slice's opaque identifier.

    Returns
    -------
    dict
        `{"series": [{"id", "name", "modality", "frame_of_reference", "instances": [{"sop", "frame", "metadata"}],
        "marks"}]}`, the series with most slices first; `metadata` is DICOM JSON.
    """
    shown = prior_read(read) if prior else read
    if shown is None:
        return {"series": []}
    studies = Study.objects.filter(subject=shown.subject_id, visit=shown.visit_id, state=StudyState.QC_PASS)
    instances: dict[int, list[Instance]] = {}
    for instance in Instance.objects.filter(series__study__in=studies).order_by("depth", "pk"):
        instances.setdefault(instance.series_id, []).append(instance)
    marks = measurements_of(shown)
    found = sorted(
        Series.objects.filter(pk__in=instances), key=lambda each: (-len(instances[each.pk]), each.number or 0)
    )
    return {"series": [_series(read, each, instances[each.pk], marks, frame_url) for each in found]}


def prior_read(read: Read) -> Read | None:
    """The signed read of the time point before, of the same reader."""
    return (
        Read.objects.filter(
            subject=read.subject_id,
            number=read.number,
            state=ReadState.SIGNED,
            visit__ordinal__lt=read.visit.ordinal,
        )
        .order_by("-visit__ordinal", "-version")
        .first()
    )


def _series(
    read: Read,
    series: Series,
    instances: Sequence[Instance],
    marks: Sequence[Measurement],
    frame_url: FrameAddress,
) -> dict[str, Any]:
    own = {instance.pk for instance in instances}
    thickness = f"{series.thickness_mm.normalize():f} mm" if series.thickness_mm else ""
    name = series.label.capitalize() or f"Series of {len(instances)} slices"
    return {
        "id": str(series.opaque),
        "name": ", ".join(part for part in (name, thickness) if part),
        "modality": series.modality,
        "frame_of_reference": str(uuid.uuid5(read.opaque, series.frame_of_reference_uid)),
        "instances": [
            {
                "sop": str(instance.opaque),
                "frame": frame_url(instance.opaque),
                "metadata": {**instance.attributes, "00200013": {"vr": "IS", "Value": [number]}},
            }
            for number, instance in enumerate(instances, start=1)
        ],
        "marks": [mark_document(mark) for mark in marks if mark.instance_id in own],
    }


def mark_document(mark: Measurement) -> dict[str, Any]:
    """A measurement as the viewer gets it; lengths are decimal text in mm, points are numbers in mm."""
    return {
        "id": str(mark.mark),
        "lesion": mark.lesion,
        "tool": mark.tool,
        "sop": str(mark.instance.opaque),
        "points": [[float(value) for value in point] for point in mark.points],
        "length_mm": str(mark.length_mm),
        "width_mm": None if mark.short_mm is None else str(mark.short_mm),
        "locked": False,
    }
