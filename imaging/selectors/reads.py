"""Reads: the queue, and one case as its reader may see it. Nothing names a site, subject or date."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet
from django.db.models.expressions import ExpressionWrapper

from accounts.access import Access
from foundation import clock
from foundation.errors import NotFound
from imaging.masking import SLICE, unmasked
from imaging.models import ImagingKey, Instance, Order, Read, ReadState, Series, Study, StudyState
from imaging.policies import ADJUDICATORS_NUMBER, permission_to_read
from imaging.rules.queue_order import Waiting
from imaging.rules.queue_order import place as place_in_queue
from imaging.rules.working_days import working_days_between
from imaging.selectors.lesions import first_visits, suspected_visits
from imaging.selectors.staleness import Stale, stale_reads
from imaging.selectors.time_order import earlier_than, place_of
from visits.models import Visit

QUEUE_LIMIT = 200


def results() -> QuerySet[Read]:
    """Reads that can become results: all but hidden repeats."""
    return Read.objects.filter(repeat_of__isnull=True)


def in_turn() -> Q:
    """Reads that wait for no earlier time point of their sequence: neither for a signature, nor for a verdict.

    Images that were received and not judged yet, or are in question, may become readable any day; those that were
    rejected or taken out hold nothing up.
    """
    earlier = earlier_than() & Q(subject=OuterRef("subject"))
    unsigned = results().filter(earlier, number=OuterRef("number")).exclude(state=ReadState.SIGNED)
    undecided = Study.objects.filter(earlier, state__in=(StudyState.RECEIVED, StudyState.QC_QUERY))
    return (
        ~Q(order=Order.SEQUENTIAL)
        | Q(repeat_of__isnull=False)
        | Q(number=ADJUDICATORS_NUMBER)
        | ~Exists(unsigned) & ~Exists(undecided)
    )


def unlocked_reads() -> QuerySet[Read]:
    """Reads that are not signed and whose turn it is."""
    return Read.objects.exclude(state=ReadState.SIGNED).filter(in_turn())


def _own(access: Access, reads: QuerySet[Read]) -> QuerySet[Read]:
    codes = access.trials("read.perform")
    own = reads.filter(reader_id=access.user_id).exclude(number=ADJUDICATORS_NUMBER)
    return own if "" in codes else own.filter(subject__trial__code__in=codes)


@dataclass(frozen=True)
class QueueRow:
    """A case in the queue, in words that blind."""

    read: Read
    case: str
    time_point: int
    working_days_left: int
    modality: str
    slices: int
    changes: tuple[str, ...] = ()

    @property
    def overdue(self) -> bool:
        """Whether its deadline has passed."""
        return self.working_days_left < 0 and not self.changes


def queue_of(access: Access, limit: int = QUEUE_LIMIT) -> list[tuple[Read, Stale | None]]:
    """Reads that wait for somebody and may be read now, next one first; signed ones to be read again as well."""
    waiting: list[tuple[Read, Stale | None]] = [(read, None) for read in _own(access, unlocked_reads())]
    waiting += [
        (each.read, each) for each in stale_reads(_own(access, results().filter(in_turn()))) if each.readable
    ]
    visits = {read.visit_id for read, _ in waiting}
    urgent = suspected_visits(visits) | first_visits(visits)
    waiting.sort(key=lambda each: place_in_queue(_waiting(each[0], each[0].visit_id in urgent)))
    return waiting[:limit]


def _waiting(read: Read, urgent: bool) -> Waiting:
    return Waiting(urgent, read.due_on, read.order, read.draw, read.pk)


def queue_rows(access: Access, limit: int = QUEUE_LIMIT) -> list[QueueRow]:
    """The queue as its reader sees it; as many statements for one case as for many."""
    today = clock.today()
    waiting = queue_of(access, limit)
    subjects = {read.subject_id for read, _ in waiting}
    cases = dict(ImagingKey.objects.filter(subject__in=subjects).values_list("subject", "case_code"))
    ranks = _ranks(subjects)
    images = _images_of({read.visit_id for read, _ in waiting})
    return [
        QueueRow(
            read=read,
            case=read.mask or cases.get(read.subject_id, ""),
            time_point=_shown_rank(read, ranks),
            working_days_left=working_days_between(today, read.due_on),
            modality=", ".join(sorted(images.get(read.visit_id, {}))),
            slices=max(images.get(read.visit_id, {"": 0}).values(), default=0),
            changes=stale.changes if stale else (),
        )
        for read, stale in waiting
    ]


def _shown_rank(read: Read, ranks: dict[int, int]) -> int:
    """Number of the time point; 0, which is not shown, where the charter lets chance order them."""
    return 0 if read.order == Order.RANDOM else ranks[read.visit_id]


def _ranks(subjects: Iterable[int]) -> dict[int, int]:
    """Rank of each visit among the visits of its subject that have reads."""
    read = Read.objects.filter(subject__in=list(subjects)).values("visit")
    by_subject: dict[int, list[Visit]] = {}
    for visit in Visit.objects.filter(pk__in=read):
        by_subject.setdefault(visit.subject_id, []).append(visit)
    return {
        visit.pk: rank
        for visits in by_subject.values()
        for rank, visit in enumerate(sorted(visits, key=place_of), start=1)
    }


def time_points_of(subject: int) -> dict[int, int]:
    """Number of the time point of each visit of a subject that has reads."""
    return _ranks([subject])


def _images_of(visits: Iterable[int]) -> dict[int, dict[str, int]]:
    """Slices of the largest series of each modality, by visit."""
    rows = (
        Series.objects.filter(study__visit__in=list(visits))
        .order_by()
        .annotate(slices=Count("instances"))
        .values_list("study__visit", "modality", "slices")
    )
    sizes: dict[int, dict[str, int]] = {}
    for visit, modality, slices in rows:
        own = sizes.setdefault(visit, {})
        own[modality] = max(own.get(modality, 0), slices)
    return sizes


def get_read(access: Access, opaque: UUID) -> Read:
    """A read of this person's own, also while nothing is written; everybody else learns nothing of it.

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
    if read is None or access.trials(permission_to_read(read.number)).isdisjoint(
        {"", read.subject.trial.code}
    ):
        raise NotFound(what="case", name=str(opaque))
    return read


def is_locked(read: Read) -> bool:
    """Whether an earlier time point of the case comes first, or images of one wait for a verdict."""
    return read.state != ReadState.SIGNED and not unlocked_reads().filter(pk=read.pk).exists()


def frame_key(access: Access, opaque: UUID, name: UUID) -> str:
    """Where the frame of a slice is stored, if this person may see it in this read; one statement.

    Raises
    ------
    NotFound
    """
    row = unmasked(opaque, SLICE, name)
    visit = Study.objects.filter(series__instances=row).values("visit")
    mine = Q()
    for permission in ("read.perform", "adjudicate.read"):
        number = Q(number=ADJUDICATORS_NUMBER)
        number = number if permission == "adjudicate.read" else ~number
        codes = access.trials(permission)
        mine |= number if "" in codes else number & Q(subject__trial__code__in=codes)
    asked_by = ExpressionWrapper(OuterRef("number"), output_field=IntegerField())
    earlier = (
        results()
        .annotate(asked_by=asked_by)
        .filter(
            Q(number=F("asked_by")) | Q(asked_by=ADJUDICATORS_NUMBER, number=1),
            earlier_than(),
            subject=OuterRef("subject"),
            state=ReadState.SIGNED,
            visit__in=visit,
        )
    )
    open_to = Q(state=ReadState.SIGNED) | Q(pk__in=unlocked_reads().values("pk"))
    shown = Read.objects.filter(mine, open_to, opaque=opaque, reader_id=access.user_id).filter(
        Q(visit__in=visit) | ~Q(order=Order.RANDOM) & Exists(earlier)
    )
    found = (
        Instance.objects.filter(Exists(shown), pk=row, series__study__state=StudyState.QC_PASS)
        .values_list("frame_key", flat=True)
        .first()
        if row is not None
        else None
    )
    if found is None:
        raise NotFound(what="image", name=str(name))
    return found


@dataclass(frozen=True)
class Case:
    """What a reader may know of a case: its name and which time point this is (0: not shown)."""

    code: str
    time_point: int


def case_of(read: Read) -> Case:
    """Name and time point of a read."""
    return cases_of([read])[read.pk]


def cases_of(reads: Collection[Read]) -> dict[int, Case]:
    """Name and time point of each read; two statements."""
    subjects = {read.subject_id for read in reads}
    codes = dict(ImagingKey.objects.filter(subject__in=subjects).values_list("subject", "case_code"))
    ranks = _ranks(subjects)
    return {
        read.pk: Case(read.mask or codes.get(read.subject_id, ""), _shown_rank(read, ranks)) for read in reads
    }


def current_versions(reads: Iterable[Read]) -> Sequence[Read]:
    """The newest version of each reader's read of each visit, from reads in order of their versions."""
    return list({(read.visit_id, read.number): read for read in reads}.values())
