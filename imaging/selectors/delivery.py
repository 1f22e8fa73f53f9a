"""What a delivery of images and reads holds, and what is kept back: rows only, the same number of statements for all.

Accepted images go out, nothing else: an examination that was taken out, rejected, questioned or not checked is named
with its reason, and of files in quarantine no more is told than how many there are and why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, Sum

from imaging.models import (
    Adjudication,
    BatchFile,
    FileState,
    Instance,
    Ledger,
    QualityChoice,
    QualityDecision,
    Read,
    ReadState,
    Study,
    StudyState,
)
from imaging.selectors.reads import results
from imaging.selectors.staleness import stale_reads
from patients.models import Subject

AT_ONCE = 20
"""Examinations whose list of files is in memory at a time: some thousand rows."""
DELIVERED = StudyState.QC_PASS
TAKEN_BACK = (StudyState.WITHDRAWN, StudyState.QC_REJECTED)
NOT_CHECKED = "The quality check has not settled it yet."


@dataclass(frozen=True)
class Scope:
    """Whose images and reads: those of a trial, of some of its sites (all where empty), or of one subject.

    Attributes
    ----------
    among
        Keys of the subjects that are known, where only they are meant, whoever joins meanwhile.
    """

    trial: str
    sites: tuple[str, ...] = ()
    subject: int | None = None
    among: tuple[int, ...] | None = None

    def of(self, path: str = "subject__") -> Q:
        """The condition on rows that reach their subject by this path (empty: subjects themselves)."""
        condition = Q(**{f"{path}trial__code": self.trial})
        if self.sites:
            condition &= Q(**{f"{path}site__code__in": self.sites})
        if self.subject is not None:
            condition &= Q(**{f"{path}pk": self.subject})
        return condition if self.among is None else condition & Q(**{f"{path}pk__in": self.among})


@dataclass(frozen=True)
class Amount:
    """How much there is to deliver."""

    images: int = 0
    bytes: int = 0
    reads: int = 0

    def __bool__(self) -> bool:
        return bool(self.images or self.reads)


def amount_of(scope: Scope) -> Amount:
    """How much a delivery would hold; two statements."""
    accepted = Instance.objects.filter(scope.of(), series__study__state=DELIVERED)
    counted = accepted.aggregate(images=Count("pk"), bytes=Sum("file_bytes"))
    reads = Read.objects.filter(scope.of(), state=ReadState.SIGNED).count()
    return Amount(counted["images"], counted["bytes"] or 0, reads)


def amounts_of(trials: Collection[str]) -> dict[str, Amount]:
    """How much there is of whole trials, by their codes; two statements."""
    accepted = Instance.objects.filter(subject__trial__code__in=trials, series__study__state=DELIVERED)
    images = accepted.order_by().values_list("subject__trial__code")
    counted = {code: (n, size) for code, n, size in images.annotate(Count("pk"), Sum("file_bytes"))}
    signed = Read.objects.filter(subject__trial__code__in=trials, state=ReadState.SIGNED)
    reads = dict(signed.order_by().values_list("subject__trial__code").annotate(Count("pk")))
    return {code: Amount(*counted.get(code, (0, 0)), reads.get(code, 0)) for code in trials}


def subjects_in(scope: Scope) -> dict[int, Subject]:
    """Subjects by their key, with site and protocol version."""
    found = Subject.objects.filter(scope.of(""))
    rows = found.select_related("site", "version", "trial").defer("version__definition")
    return {subject.pk: subject for subject in rows.order_by("number")}


# Images ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoredImage:
    """A file that goes out, and where it belongs."""

    subject: int
    visit: int
    visit_code: str
    visit_sequence: int
    study: int
    study_uid: str
    series: int
    series_uid: str
    modality: str
    label: str
    uid: str
    number: int | None
    key: str
    sha256: str
    bytes: int
    ledger: str


def images_of(examinations: Sequence[int]) -> Iterator[StoredImage]:
    """Files of these examinations, in their order, by series and slice; one statement for some examinations each."""
    for start in range(0, len(examinations), AT_ONCE):
        some = examinations[start : start + AT_ONCE]
        place = {study: number for number, study in enumerate(some)}
        rows = [StoredImage(*row) for row in _rows_of(some)]
        yield from sorted(rows, key=lambda image: place[image.study])


def _rows_of(examinations: Sequence[int]) -> Iterable[tuple[Any, ...]]:
    found = Instance.objects.filter(series__study__in=examinations)
    return found.order_by("series__number", "series_id", "depth", "pk").values_list(
        "subject", "series__study__visit", "series__study__visit__code", "series__study__visit__sequence",
        "series__study", "series__study__uid", "series", "series__uid", "series__modality", "series__label",
        "uid", "number", "file_key", "file_sha256", "file_bytes", "ledger__digest",
    )  # fmt: skip


def ledgers_of(examinations: Collection[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What de-identification did to their files, by digest: each ledger once."""
    used = Instance.objects.filter(series__study__in=examinations, ledger=OuterRef("pk"))
    found = Ledger.objects.filter(Exists(used)).order_by("digest")
    yield from found.values_list("digest", "content").iterator()


# Quality and what is kept back ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Examination:
    """An examination with the verdict on its quality; `reason` says why it is kept back, where it is."""

    study: Study
    slices: int
    reason: str

    @property
    def delivered(self) -> bool:
        """Whether its images go out."""
        return self.study.state == DELIVERED


def examinations_in(scope: Scope) -> list[Examination]:
    """All examinations, those that are kept back with the reason; two statements."""
    said: dict[int, str] = {}
    for decision in decisions_in(scope):
        settled = decision.choice in (QualityChoice.ACCEPT, QualityChoice.RESTORE)
        said[decision.study_id] = "" if settled else decision.reason
    found = (
        Study.objects.filter(scope.of()).select_related("visit").annotate(slices=Count("series__instances"))
    )
    ordered = found.order_by("subject__number", "visit__ordinal", "visit__sequence", "pk")
    return [Examination(each, each.slices, _reason(each, said.get(each.pk, ""))) for each in ordered]


def _reason(study: Study, said: str) -> str:
    if study.state == DELIVERED:
        return ""
    sentences = " ".join(str(finding.get("sentence", "")) for finding in study.findings)
    return said or sentences or NOT_CHECKED


def decisions_in(scope: Scope) -> Sequence[QualityDecision]:
    """Decisions about the quality of examinations, in their order."""
    found = QualityDecision.objects.filter(scope.of())
    return list(found.select_related("study__visit").order_by("subject__number", "study_id", "pk"))


@dataclass(frozen=True)
class HeldBack:
    """Files that never became images of the trial: how many of a visit, and under which code. No name, no path."""

    subject: int
    visit: str
    state: str
    code: str
    files: int


def held_back(scope: Scope) -> list[HeldBack]:
    """Files in quarantine and rejected files, counted."""
    kept = BatchFile.objects.filter(scope.of(), state__in=(FileState.QUARANTINED, FileState.REJECTED))
    counted = kept.order_by("subject__number", "batch__visit__ordinal", "state", "code").values_list(
        "subject", "batch__visit__code", "state", "code"
    )
    return [HeldBack(*row) for row in counted.annotate(Count("pk"))]


def taken_back(studies: Collection[int]) -> list[Study]:
    """Those of these examinations whose images were taken out or rejected meanwhile."""
    found = Study.objects.filter(pk__in=studies, state__in=TAKEN_BACK)
    return list(found.select_related("subject", "visit"))


# Reads ----------------------------------------------------------------------------------------------------------------


def signed_reads(scope: Scope, until: datetime) -> list[Read]:
    """All versions of all reads that were signed up to a moment, hidden repeats too."""
    found = Read.objects.filter(scope.of(), state=ReadState.SIGNED, signed_at__lte=until)
    repeats_last = F("repeat_of_id").asc(nulls_first=True)
    ordered = found.order_by(
        "subject__number", "visit__ordinal", "visit__sequence", "number", repeats_last, "version", "pk"
    )
    return list(ordered.select_related("visit").defer("images"))


def changed_since(scope: Scope) -> dict[int, tuple[str, ...]]:
    """What changed in the images since a read was signed, by read; reads that stand on what is there are left out."""
    return {each.read.pk: each.changes for each in stale_reads(results().filter(scope.of()))}


def adjudications_in(scope: Scope) -> list[Adjudication]:
    """Pairs of reads that differ, decided or not."""
    found = Adjudication.objects.filter(scope.of()).select_related("visit", "first", "second", "accepted")
    return list(found.order_by("subject__number", "visit__ordinal", "visit__sequence", "pk"))


@dataclass(frozen=True)
class ReaderOf:
    """Who made a read: told apart from everything else, for those who must know."""

    read: UUID
    subject: str
    visit: str
    number: int
    version: int
    username: str
    name: str
    signed_at: datetime | None


def readers_in(scope: Scope, until: datetime) -> Iterator[ReaderOf]:
    """Who made each read that was signed up to a moment."""
    found = Read.objects.filter(scope.of(), state=ReadState.SIGNED, signed_at__lte=until)
    rows = found.select_related("subject", "visit", "reader").order_by(
        "subject__number", "visit__ordinal", "pk"
    )
    for read in rows.iterator():
        yield ReaderOf(
            read.opaque, read.subject.number, str(read.visit), read.number, read.version,
            read.reader.username, read.reader.full_name, read.signed_at,
        )  # fmt: skip
