"""The central reading of a trial, for those who oversee it: how far it is, how quick, and how far readers agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from accounts.access import Access
from accounts.models import User
from foundation import clock
from foundation.errors import NotFound
from imaging.models import Adjudication, AdjudicationState, Measurement, Question, Read, ReadState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.readers import OTHER, SELF, Agreement, Compared, Drift, Said, agreement_of, drift_of
from imaging.rules.recist_course import NODE, SPLIT, size_of
from imaging.selectors.adjudications import adjudication_share, without_adjudicator
from imaging.selectors.answered import measurements_of_all, outcomes_of_all
from imaging.selectors.chosen import readers_list
from imaging.selectors.judging import diameters
from imaging.selectors.reads import results
from imaging.selectors.report import NEW_LESION
from imaging.selectors.results import Standing, results_of
from imaging.selectors.staleness import Stale, stale_reads
from patients.models import Subject
from visits.models import Visit

PERMISSION = "read.oversee"
SHOWN = 100


def reads_overseen(access: Access) -> QuerySet[Read]:
    """Reads of the trials that somebody oversees, with their subject; nobody who oversees them is blinded."""
    codes = access.trials(PERMISSION)
    found = Read.objects.select_related("subject", "visit", "reader")
    return found if "" in codes else found.filter(subject__trial__code__in=codes)


def get_overseen(access: Access, opaque: UUID) -> Read:
    """A signed read that somebody oversees.

    Raises
    ------
    NotFound
    """
    reads = reads_overseen(access).select_related("subject__version", "subject__trial", "signature")
    read = reads.filter(opaque=opaque, state=ReadState.SIGNED).first()
    if read is None:
        raise NotFound(what="signed read", name=str(opaque))
    return read


@dataclass(frozen=True)
class ReaderRow:
    """One reader: how many reads are signed and on time, how long one takes, and how far they agree with themselves."""

    reader: User
    signed: int
    on_time: int
    minutes: float | None
    again: Agreement


@dataclass(frozen=True)
class DriftRow:
    """One reader in one month."""

    name: str
    month: Drift


@dataclass(frozen=True)
class Oversight:
    """Central reading of a trial.

    Attributes
    ----------
    waiting, late, signed
        Reads that are not signed; those of them past their day; signed ones.
    between
        Agreement between first and second reader.
    pairs, differing, undecided
        Time points read twice, those on which readers differed, and those that no adjudicator has decided yet.
    stuck
        Those that no adjudicator may decide, for each of them read the case.
    drift
        Agreement of each reader by month.
    """

    trial: str
    waiting: int
    late: int
    signed: int
    between: Agreement
    pairs: int
    differing: int
    undecided: int
    stuck: int
    readers: Sequence[ReaderRow]
    drift: Sequence[DriftRow]


def oversight_of(access: Access) -> list[Oversight]:
    """Central reading of each trial that somebody oversees; the number of statements does not grow with its reads."""
    counted = (
        reads_overseen(access)
        .order_by()
        .values("subject__trial__code")
        .annotate(
            signed=Count("pk", filter=Q(state=ReadState.SIGNED)),
            waiting=Count("pk", filter=~Q(state=ReadState.SIGNED)),
            late=Count("pk", filter=~Q(state=ReadState.SIGNED) & Q(due_on__lt=clock.today())),
        )
    )
    return [_oversight(row) for row in counted.order_by("subject__trial__code")]


def _oversight(row: Mapping[str, Any]) -> Oversight:
    trial = str(row["subject__trial__code"])
    reads = list(
        Read.objects.filter(subject__trial__code=trial, state=ReadState.SIGNED)
        .select_related("reader", "subject__version")
        .defer("subject__version__definition")
        .annotate(worked=Sum("times__seconds"))
        .order_by("visit", "number", "version")
    )
    said, both = _said(reads), _pairs(reads)
    pairs, differing = adjudication_share(trial)
    undecided = Adjudication.objects.filter(subject__trial__code=trial, state=AdjudicationState.WAITING)
    return Oversight(
        trial=trial,
        waiting=row["waiting"],
        late=row["late"],
        signed=row["signed"],
        between=agreement_of([_beside(pair, said) for pair in both]),
        pairs=pairs,
        differing=differing,
        undecided=undecided.count(),
        stuck=without_adjudicator(trial),
        readers=_readers(reads, said),
        drift=_drift(reads, both, said),
    )


def _said(reads: Sequence[Read]) -> dict[int, Said]:
    """What each read said; three statements."""
    marks, outcomes = measurements_of_all(reads), outcomes_of_all(reads)
    statuses = outcomes_of_all(reads, Question.SIZE)
    found = {}
    for read in reads:
        categories = {"overall": read.overall} if read.overall else outcomes[read.pk]
        found[read.pk] = Said(categories, _measured(read, marks[read.pk], statuses[read.pk]))
    return found


def _measured(read: Read, marks: Iterable[Measurement], statuses: Mapping[str, str]) -> dict[str, Decimal]:
    """Sizes that were measured, as they count: the short axis of a node, the parts of a lesion that split together."""
    listed = (read.lesions or {}).get("lesions", {})
    found = {}
    for lesion, sizes in diameters(marks).items():
        _role, organ, _place = listed.get(lesion, ("", "", ""))
        in_parts = SPLIT if statuses.get(lesion) == SPLIT else ""
        with suppress(LookupError):
            found[lesion] = size_of(in_parts, sizes, nodal=organ == NODE) or Decimal(0)
    found.pop(NEW_LESION, None)
    return found


def _pairs(reads: Iterable[Read]) -> list[tuple[Read, Read]]:
    """First and second reader of each time point, the newest version of each."""
    newest: dict[int, dict[int, Read]] = {}
    for read in reads:
        if read.repeat_of_id is None and read.number != ADJUDICATORS_NUMBER:
            newest.setdefault(read.visit_id, {})[read.number] = read
    return [(both[1], both[2]) for both in newest.values() if {1, 2} <= set(both)]


def _beside(pair: tuple[Read, Read], said: Mapping[int, Said]) -> tuple[Said, Said]:
    """What two readers said; sizes of lesions that each listed for themselves are not of the same lesions."""
    first, second = (said[read.pk] for read in pair)
    if readers_list(pair[0]):
        return Said(first.categories, {}), Said(second.categories, {})
    return first, second


def _drift(
    reads: Sequence[Read], pairs: Sequence[tuple[Read, Read]], said: Mapping[int, Said]
) -> list[DriftRow]:
    """Agreement of each reader by month: with the other one, and with themselves over repeats."""
    compared = []
    for pair in pairs:
        first, second = _beside(pair, said)
        compared.append(Compared(pair[0].reader_id, _month(pair[0]), OTHER, first, second))
        compared.append(Compared(pair[1].reader_id, _month(pair[1]), OTHER, second, first))
    for before, again in _repeated(reads):
        compared.append(Compared(again.reader_id, _month(again), SELF, said[again.pk], said[before.pk]))
    names = {read.reader_id: read.reader.full_name for read in reads}
    rows = [DriftRow(names[each.reader], each) for each in drift_of(compared)]
    return sorted(rows, key=lambda row: row.name)


def _month(read: Read) -> str:
    return f"{read.signed_at:%Y-%m}"


def _readers(reads: Sequence[Read], said: Mapping[int, Said]) -> list[ReaderRow]:
    by_reader: dict[int, list[Read]] = {}
    for read in reads:
        by_reader.setdefault(read.reader_id, []).append(read)
    rows = [_reader(own, said) for own in by_reader.values()]
    return sorted(rows, key=lambda row: row.reader.full_name)


def _reader(own: Sequence[Read], said: Mapping[int, Said]) -> ReaderRow:
    times = [read.worked / 60 for read in own if read.worked]  # type: ignore[attr-defined]
    return ReaderRow(
        reader=own[0].reader,
        signed=len(own),
        on_time=sum(read.signed_at is not None and read.signed_at.date() <= read.due_on for read in own),
        minutes=median(times) if times else None,
        again=agreement_of([(said[first.pk], said[again.pk]) for first, again in _repeated(own)]),
    )


def _repeated(own: Sequence[Read]) -> list[tuple[Read, Read]]:
    """Each read that was shown again and its repeat, once: the newest version of both."""
    repeats = {read.repeat_of_id: read for read in own if read.repeat_of_id is not None}
    newest = {(read.visit_id, read.number): read for read in own if read.repeat_of_id is None}
    pairs = [(newest.get((repeat.visit_id, repeat.number)), repeat) for repeat in repeats.values()]
    return [(first, repeat) for first, repeat in pairs if first is not None]


def stale_overseen(access: Access) -> list[Stale]:
    """Signed reads that do not rest any more on what is there, and would be results."""
    reads = reads_overseen(access).select_related("subject__trial", "subject__site")
    return stale_reads(reads.filter(pk__in=results().values("pk")))


@dataclass(frozen=True)
class WithoutResult:
    """A time point that was read and has no result, with the reason."""

    subject: Subject
    visit: Visit
    standing: Standing
    why: str


def without_result(access: Access) -> list[WithoutResult]:
    """Time points that were read and have no result; as many statements for one as for many."""
    read = reads_overseen(access).filter(state=ReadState.SIGNED).order_by().values("subject")
    subjects = Subject.objects.filter(pk__in=read).select_related("version", "trial", "site")
    subjects = subjects.defer("version__definition")
    known = {subject.pk: subject for subject in subjects.order_by("number")}
    found = [
        WithoutResult(known[each.reads[0].subject_id], each.reads[0].visit, each.standing, each.why_none)
        for each in results_of(known.values())
        if each.accepted is None
    ]
    return sorted(found, key=lambda each: each.subject.number)


def latest_signed(access: Access) -> QuerySet[Read]:
    """Signed reads that can be results, newest first."""
    known = results().values("pk")
    return reads_overseen(access).filter(pk__in=known, state=ReadState.SIGNED).order_by("-signed_at")[:SHOWN]
