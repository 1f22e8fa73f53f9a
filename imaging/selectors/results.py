"""Which read of a time point is the result: the one read, the agreed one, or the one that the adjudicator accepted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from imaging.models import Adjudication, AdjudicationState, ImageQuality, Read, ReadState, Study, StudyState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.disagreement import Reading, disputed
from imaging.rules.staleness import rested_on
from imaging.selectors.answered import outcomes_of_all
from imaging.selectors.reads import current_versions, results
from imaging.selectors.staleness import pins_in
from imaging.selectors.time_order import place
from patients.models import Subject


class Standing(StrEnum):
    """How a time point came to its result, or why it has none yet."""

    SINGLE = "SINGLE"
    AGREED = "AGREED"
    ADJUDICATED = "ADJUDICATED"
    SECOND_READER = "SECOND_READER"
    ADJUDICATION = "ADJUDICATION"
    DISPUTED = "DISPUTED"
    IMAGES_WITHDRAWN = "IMAGES_WITHDRAWN"


WHY_NONE: Final[Mapping[Standing, str]] = {
    Standing.SECOND_READER: "The other reader has not signed yet.",
    Standing.ADJUDICATION: "The readers differ, and an adjudicator has not decided yet.",
    Standing.DISPUTED: "The readers differ in what the charter has nobody decide: {differences}.",
    Standing.IMAGES_WITHDRAWN: "Images on which a read rests were taken out.",
}
"""Why a time point has no result."""


@dataclass(frozen=True)
class Result:
    """What is known of one time point.

    Attributes
    ----------
    visit
        Row of the visit.
    accepted
        The read that counts; None while a second reader or an adjudicator is awaited, where readers differ in what
        nobody decides, and where images on which a read rests do not stand any more.
    reads
        The newest signed reads of the first and the second reader.
    final_at
        When the result was settled: the signature of the last reader, or of the adjudicator.
    differences
        What readers differ in where nobody decides, in words.
    """

    visit: int
    standing: Standing
    accepted: Read | None
    reads: Sequence[Read]
    final_at: datetime | None = None
    differences: tuple[str, ...] = ()

    @property
    def why_none(self) -> str:
        """Why there is no result; empty where there is one."""
        return WHY_NONE.get(self.standing, "").format(differences=", ".join(self.differences))


def results_of(subjects: Collection[Subject]) -> list[Result]:
    """The result of each time point of subjects with a signed read, in order of the visits.

    One statement, and two more where a visit was read twice.
    """
    known = {subject.pk: subject for subject in subjects}
    signed = (
        results()
        .filter(subject__in=known, state=ReadState.SIGNED)
        .exclude(number=ADJUDICATORS_NUMBER)
        .select_related("visit")
        .annotate(withdrawn=_withdrawn())
        .order_by("subject", place(), "number", "version")
    )
    by_visit: dict[int, list[Read]] = {}
    for read in current_versions(signed):
        by_visit.setdefault(read.visit_id, []).append(read)
    decided = _decided([visit for visit, reads in by_visit.items() if len(reads) > 1])
    found = [
        _result(visit, reads, readers_wanted(known[reads[0].subject_id]), decided)
        for visit, reads in by_visit.items()
    ]
    return [_standing(result) for result in _agreed_only(found)]


def _agreed_only(found: Sequence[Result]) -> Iterator[Result]:
    """Results, of which none is called agreed that is not: nobody decides where the charter does not ask."""
    pairs = [each for each in found if each.standing is Standing.AGREED]
    said = outcomes_of_all([read for each in pairs for read in each.reads]) if pairs else {}
    for each in found:
        differ: tuple[str, ...] = ()
        if each.standing is Standing.AGREED:
            first, second = (_result_in(read, said[read.pk]) for read in each.reads[:2])
            differ = disputed(first, second)
        yield _disputed(each, differ) if differ else each


def _disputed(result: Result, differ: tuple[str, ...]) -> Result:
    return replace(result, standing=Standing.DISPUTED, accepted=None, final_at=None, differences=differ)


def _result_in(read: Read, outcomes: Mapping[str, str]) -> Reading:
    """What a result consists of in a read."""
    return Reading(0, read.image_quality != ImageQuality.INADEQUATE, outcomes, read.overall)


def _withdrawn() -> ArraySubquery:
    """Examinations of the visit of a read that readers do not get."""
    out = Study.objects.filter(visit=OuterRef("visit")).exclude(state=StudyState.QC_PASS)
    return ArraySubquery(out.order_by().values("opaque"))


def _standing(result: Result) -> Result:
    """A result, or that there is none: as if not read, where images were taken out on which one of its reads rests."""
    rests_on = {
        name for read in (*result.reads, result.accepted) if read for name in rested_on(pins_in(read))
    }
    withdrawn = {str(name) for read in result.reads for name in read.withdrawn}  # type: ignore[attr-defined]
    if rests_on.isdisjoint(withdrawn):
        return result
    return replace(result, standing=Standing.IMAGES_WITHDRAWN, accepted=None, final_at=None)


def readers_wanted(subject: Subject) -> int:
    """How many readers the charter asks for."""
    charter = subject.version.protocol.charter
    return charter.readers if charter else 1


def _decided(visits: Collection[int]) -> dict[tuple[int, int], Adjudication]:
    if not visits:
        return {}
    rows = Adjudication.objects.filter(visit__in=visits).select_related("accepted__visit")
    return {(row.first_id, row.second_id): row for row in rows}


def _result(
    visit: int, reads: Sequence[Read], wanted: int, decided: dict[tuple[int, int], Adjudication]
) -> Result:
    if wanted < 2:
        return Result(visit, Standing.SINGLE, reads[0], reads, reads[0].signed_at)
    if len(reads) < 2:
        return Result(visit, Standing.SECOND_READER, None, reads)
    found = decided.get((reads[0].pk, reads[1].pk))
    if found is None:
        last = max((read.signed_at for read in reads if read.signed_at), default=None)
        return Result(visit, Standing.AGREED, reads[0], reads, last)
    if found.state != AdjudicationState.SIGNED:
        return Result(visit, Standing.ADJUDICATION, None, reads)
    return Result(visit, Standing.ADJUDICATED, found.accepted, reads, found.signed_at)
