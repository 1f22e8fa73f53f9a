"""The central reading of a trial, for those who oversee it: how far it is, how quick, and how far readers agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from accounts.access import Access
from accounts.models import User
from foundation import clock
from foundation.errors import NotFound
from imaging.models import Adjudication, AdjudicationState, LesionOutcome, Question, Read, ReadState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.readers import Agreement, Said, agreement_of
from imaging.selectors.adjudications import adjudication_share, without_adjudicator
from imaging.selectors.answered import measurements_of_all
from imaging.selectors.reads import results
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
        .select_related("reader")
        .annotate(worked=Sum("times__seconds"))
        .order_by("visit", "number", "version")
    )
    said = _said(reads)
    pairs, differing = adjudication_share(trial)
    undecided = Adjudication.objects.filter(subject__trial__code=trial, state=AdjudicationState.WAITING)
    return Oversight(
        trial=trial,
        waiting=row["waiting"],
        late=row["late"],
        signed=row["signed"],
        between=agreement_of(_between(reads, said)),
        pairs=pairs,
        differing=differing,
        undecided=undecided.count(),
        stuck=without_adjudicator(trial),
        readers=_readers(reads, said),
    )


def _said(reads: Sequence[Read]) -> dict[int, Said]:
    """What each read said; two statements."""
    marks = measurements_of_all(reads)
    outcomes: dict[int, dict[str, str]] = {read.pk: {} for read in reads}
    rows = LesionOutcome.objects.filter(read__in=outcomes, question=Question.ABLATION).order_by("pk")
    for row in rows:
        outcomes[row.read_id][row.lesion] = row.outcome
    found = {}
    for read in reads:
        categories = {name: code for name, code in outcomes[read.pk].items() if code}
        if read.overall:
            categories = {"overall": read.overall}
        found[read.pk] = Said(categories, {mark.lesion: mark.length_mm for mark in marks[read.pk]})
    return found


def _between(reads: Iterable[Read], said: Mapping[int, Said]) -> list[tuple[Said, Said]]:
    """First and second reader of each time point, the newest version of each."""
    newest: dict[int, dict[int, Read]] = {}
    for read in reads:
        if read.repeat_of_id is None and read.number != ADJUDICATORS_NUMBER:
            newest.setdefault(read.visit_id, {})[read.number] = read
    return [(said[both[1].pk], said[both[2].pk]) for both in newest.values() if {1, 2} <= set(both)]


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
        again=agreement_of(_with_themselves(own, said)),
    )


def _with_themselves(own: Sequence[Read], said: Mapping[int, Said]) -> list[tuple[Said, Said]]:
    """Each read that was shown again and its repeat, once: the newest version of both."""
    repeats = {read.repeat_of_id: read for read in own if read.repeat_of_id is not None}
    newest = {(read.visit_id, read.number): read for read in own if read.repeat_of_id is None}
    pairs = [(newest.get((repeat.visit_id, repeat.number)), repeat) for repeat in repeats.values()]
    return [(said[first.pk], said[repeat.pk]) for first, repeat in pairs if first is not None]


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
