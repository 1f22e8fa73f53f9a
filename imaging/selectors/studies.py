"""Studies, batches and files, for sites and for the quality check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Max, Min, Prefetch, Q, QuerySet

from accounts.access import Access
from foundation.errors import NotFound
from imaging.dicom.geometry import extent_mm, gaps, slice_distance_mm
from imaging.models import (
    Batch,
    BatchFile,
    BatchState,
    Destruction,
    FileState,
    Instance,
    Series,
    Study,
    StudyState,
)
from imaging.policies import may_cover, may_release
from imaging.rules.quality import Baseline, SeriesFacts, Standard, baseline_from
from imaging.selectors.time_order import place, place_of
from patients.models import Subject
from patients.selectors import within
from visits.models import Visit

HEAVY = ("subject__version__definition", "visit__subject__version__definition")


def series_facts(study: Study) -> list[SeriesFacts]:
    """The series of a study as the quality check sees them."""
    depths: dict[int, list[Decimal]] = {}
    for series, depth in Instance.objects.filter(series__study=study).values_list("series", "depth"):
        depths.setdefault(series, []).append(depth)
    return [
        SeriesFacts(
            modality=each.modality,
            slices=len(depths.get(each.pk, [])),
            thickness_mm=each.thickness_mm,
            distance_mm=slice_distance_mm(depths.get(each.pk, [])),
            missing_slices=gaps(depths.get(each.pk, [])),
            contrast=each.contrast,
            label=each.label,
            scanner=each.scanner,
            extent_mm=extent_mm(depths.get(each.pk, [])),
        )
        for each in Series.objects.filter(study=study)
    ]


def standard_of(study: Study) -> Standard:
    """What the charter of the subject's protocol version asks for; everything is taken where there is none."""
    charter = study.subject.version.protocol.charter
    accepted = Study.objects.filter(subject=study.subject_id, state=StudyState.QC_PASS)
    first = accepted.select_related("visit").order_by(place(), "pk").first()
    earlier = first is not None and place_of(first.visit) < place_of(study.visit)
    baseline = baseline_from(series_facts(first)) if first and earlier else Baseline()
    if charter is None:
        return Standard(("CT", "MR", "PT"), None, contrast=False, baseline=baseline)
    return Standard(
        charter.modalities, charter.slice_mm_max, charter.contrast, baseline, charter.coverage_mm_min
    )


def batches_visible_to(access: Access, permission: str = "image.view") -> QuerySet[Batch]:
    """Batches of the sites where somebody holds the permission, newest first."""
    condition = within(access, permission, trial="subject__trial__code", site="subject__site__code")
    found = Batch.objects.filter(condition).select_related(
        "visit", "subject__trial", "subject__site", "subject__version"
    )
    return found.defer("subject__version__definition")


def get_batch(access: Access, opaque: UUID, permission: str = "image.view") -> Batch:
    """The batch of this identifier.

    Raises
    ------
    NotFound
    """
    batch = batches_visible_to(access, permission).filter(opaque=opaque).first()
    if batch is None:
        raise NotFound(what="upload", name=str(opaque))
    return batch


def studies_visible_to(access: Access, permission: str = "image.view") -> QuerySet[Study]:
    """Studies of the sites where somebody holds the permission."""
    condition = within(access, permission, trial="subject__trial__code", site="subject__site__code")
    return (
        Study.objects.filter(condition)
        .select_related("visit", "subject__trial", "subject__site", "subject__version", "subject__patient")
        .defer("subject__version__definition")
    )


def get_study(access: Access, opaque: UUID, permission: str = "image.view") -> Study:
    """The study of this identifier, with its visit and subject.

    Raises
    ------
    NotFound
    """
    study = studies_visible_to(access, permission).filter(opaque=opaque).first()
    if study is None:
        raise NotFound(what="study", name=str(opaque))
    return study


def get_quarantined(access: Access, file_id: int) -> BatchFile:
    """A quarantined file that somebody who uploads for its site may decide about.

    Raises
    ------
    NotFound
    """
    condition = within(access, "image.upload", trial="subject__trial__code", site="subject__site__code")
    file = BatchFile.objects.filter(condition, pk=file_id, state=FileState.QUARANTINED).first()
    if file is None:
        raise NotFound(what="file", name=str(file_id))
    return file


def quarantined_files(access: Access) -> QuerySet[BatchFile]:
    """Files that wait for a decision, oldest first."""
    condition = within(access, "image.view", trial="subject__trial__code", site="subject__site__code")
    waiting = BatchFile.objects.filter(condition, state=FileState.QUARANTINED)
    return waiting.select_related("batch__visit", "subject").order_by("pk")


def destructions(access: Access) -> QuerySet[Destruction]:
    """Originals that were destroyed, the latest first; those of no subject for who matches images at any site."""
    own = within(access, "image.view", trial="subject__trial__code", site="subject__site__code")
    condition = own | Q(subject=None) if access.may_anywhere("image.match") else own
    return Destruction.objects.filter(condition).select_related("batch__visit", "subject")


def file_counts(batch: Batch) -> Mapping[str, int]:
    """How many files of a batch are in which state; archives themselves are not counted."""
    rows = BatchFile.objects.filter(batch=batch).exclude(state=FileState.UNPACKED)
    return Counter(dict(rows.values_list("state").annotate(count=Count("pk")).order_by()))


def files_not_sent(batch: Batch) -> QuerySet[BatchFile]:
    """Files of a batch that were announced, and are settled without being sent."""
    settled = (FileState.REJECTED, FileState.SKIPPED)
    return BatchFile.objects.filter(batch=batch, archive=None, state__in=settled).order_by("index")


def files_with_a_reason(batch: Batch) -> QuerySet[BatchFile]:
    """Files of a batch that were not simply accepted."""
    plain = (FileState.ACCEPTED, FileState.RECEIVED, FileState.UNPACKED)
    return BatchFile.objects.filter(batch=batch).exclude(state__in=plain).order_by("state", "pk")


@dataclass(frozen=True)
class HeldAlike:
    """Files of a batch that are held back for one reason; those with something in the picture, series by series.

    Attributes
    ----------
    first
        The first of them, where a person can look at it and cover what is written; None elsewhere.
    """

    code: str
    reason: str
    files: int
    releasable: bool
    first: int | None = None


def held_alike(batch: Batch) -> list[HeldAlike]:
    """Reasons for which more than one file of a batch is held back, the commonest first."""
    held = BatchFile.objects.filter(batch=batch, state=FileState.QUARANTINED)
    counted = held.values_list("code", "marks").annotate(
        files=Count("pk"), reason=Max("reason"), first=Min("pk")
    )
    return [
        HeldAlike(code, reason, files, may_release(code), first if marks and may_cover(code) else None)
        for code, marks, files, reason, first in counted.order_by("-files", "first")
        if files > 1
    ]


@dataclass(frozen=True)
class VisitImages:
    """A visit at which images are planned, with what was sent for it."""

    visit: Visit
    name: str
    studies: list[Study]
    unfinished: list[Batch]


def images_by_visit(subject: Subject) -> list[VisitImages]:
    """Visits that take images, in the order of the protocol; three statements."""
    plans = {plan.code: plan for plan in subject.version.protocol.visits}
    counted = Prefetch("series", Series.objects.annotate(slices=Count("instances")))
    studies = list(Study.objects.filter(subject=subject).prefetch_related(counted))
    unfinished = list(Batch.objects.filter(subject=subject).exclude(state=BatchState.DONE))
    visits = Visit.objects.filter(subject=subject).exclude(state="SUPERSEDED").order_by("ordinal", "sequence")
    shown = []
    for visit in visits:
        plan = plans.get(visit.code)
        own = [study for study in studies if study.visit_id == visit.pk]
        if own or plan is None or plan.imaging:
            waiting = [batch for batch in unfinished if batch.visit_id == visit.pk]
            shown.append(VisitImages(visit, plan.name if plan else visit.code, own, waiting))
    return shown
