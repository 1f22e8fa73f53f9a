"""Earlier time points that came, or were corrected, after a later one of the same reader was signed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q

from imaging.models import ImageQuality, Order, Question, Read, ReadState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.staleness import TakenOver, arrival_in_words, correction_in_words
from imaging.selectors.answered import chosen_in_all, measurements_of_all, outcomes_of_all
from imaging.selectors.time_order import earlier_than, place, place_of

type_points = Sequence[Sequence[Read]]
"""The reads of a case by visit in their order, versions in theirs."""


def overtaken() -> Q:
    """Signed reads of which an earlier time point was assigned, or corrected, after they were signed."""
    earlier = Read.objects.filter(
        subject=OuterRef("subject"),
        number=OuterRef("number"),
        repeat_of__isnull=True,
    ).filter(earlier_than())
    came = Exists(earlier.filter(version=1, assigned_at__gt=OuterRef("signed_at")))
    corrected = Exists(earlier.filter(version__gt=1, signed_at__gt=OuterRef("signed_at")))
    rests_on_others = Q(repeat_of__isnull=True) & ~Q(number=ADJUDICATORS_NUMBER) & ~Q(order=Order.RANDOM)
    return rests_on_others & (Q(came, order=Order.SEQUENTIAL) | Q(corrected))


@dataclass(frozen=True)
class _Corrected:
    """An earlier time point as it stood when a later one was signed, and as it stands now."""

    time_point: int
    then: Read
    now: Read


def earlier_changes(reads: Collection[Read]) -> dict[int, tuple[str, ...]]:
    """What came or was corrected at earlier time points since reads were signed, by read; five statements."""
    cases = _cases({read.subject_id for read in reads})
    resting = [read for read in reads if _rests_on_others(read)]
    corrected = {read.pk: list(_corrections(read, cases[read.subject_id])) for read in resting}
    taken = _taken_over(
        [each for pairs in corrected.values() for pair in pairs for each in (pair.then, pair.now)]
    )
    found = {}
    for read in resting:
        said = [
            correction_in_words(pair.time_point, taken[pair.then.pk], taken[pair.now.pk])
            for pair in corrected[read.pk]
        ]
        found[read.pk] = tuple(filter(None, [_arrival(read, cases[read.subject_id]), *said]))
    return found


def _rests_on_others(read: Read) -> bool:
    return read.repeat_of_id is None and read.number != ADJUDICATORS_NUMBER and read.order != Order.RANDOM


def _cases(subjects: Collection[int]) -> dict[int, type_points]:
    rows = Read.objects.filter(subject__in=subjects, repeat_of__isnull=True).select_related("visit")
    by_visit: dict[int, dict[int, list[Read]]] = {}
    for read in rows.defer("images").order_by(place(), "version"):
        by_visit.setdefault(read.subject_id, {}).setdefault(read.visit_id, []).append(read)
    return {subject: list(visits.values()) for subject, visits in by_visit.items()}


def _earlier(read: Read, points: type_points) -> Iterator[tuple[int, list[Read]]]:
    """Number of each earlier time point, with the versions that this reader made of it."""
    for number, rows in enumerate(points, start=1):
        if place_of(rows[0].visit) < place_of(read.visit):
            yield number, [each for each in rows if each.number == read.number]


def _corrections(read: Read, points: type_points) -> Iterator[_Corrected]:
    for number, versions in _earlier(read, points):
        signed = [each for each in versions if each.state == ReadState.SIGNED]
        known = [each for each in signed if not _after(each.signed_at, read)]
        if known and known[-1].pk != signed[-1].pk:
            yield _Corrected(number, known[-1], signed[-1])


def _arrival(read: Read, points: type_points) -> str:
    """That an earlier time point came, where the charter asks for one after the other; else empty."""
    came = any(
        versions and _after(versions[0].assigned_at, read) for _number, versions in _earlier(read, points)
    )
    if not came or read.order != Order.SEQUENTIAL:
        return ""
    visits = [rows[0].visit_id for rows in points]
    known = [rows[0].visit_id for rows in points if not all(_after(each.assigned_at, read) for each in rows)]
    return arrival_in_words(known.index(read.visit_id) + 1, visits.index(read.visit_id) + 1)


def _after(moment: datetime | None, read: Read) -> bool:
    """Whether something happened after a read was signed."""
    return moment is not None and read.signed_at is not None and moment > read.signed_at


def _taken_over(reads: Collection[Read]) -> dict[int, TakenOver]:
    """What later time points take over from each of these reads; four statements."""
    outcomes, statuses = outcomes_of_all(reads), outcomes_of_all(reads, Question.SIZE)
    marks, chosen = measurements_of_all(reads), chosen_in_all(reads)
    found = {}
    for read in reads:
        sizes: dict[str, list[tuple[Decimal, Decimal | None]]] = {}
        for mark in marks[read.pk]:
            sizes.setdefault(mark.lesion, []).append((mark.length_mm, mark.short_mm))
        found[read.pk] = TakenOver(
            read.image_quality != ImageQuality.INADEQUATE,
            outcomes[read.pk],
            statuses[read.pk],
            sizes,
            read.non_target,
            read.new_lesion,
            {row.name: f"{row.kind} {row.organ} {row.place}" for row in chosen[read.pk]},
        )
    return found
