"""What a reader looks back on: the earlier time points of a case, their images, and what was said of them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from foundation.errors import NotFound
from imaging.masking import SLICE, unmasked
from imaging.models import ImageQuality, Instance, Order, Read, ReadState, StudyState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.disagreement import LTP, Reading
from imaging.rules.new_lesions import Point, progression_of
from imaging.selectors.answered import outcomes_of
from imaging.selectors.reads import results, time_points_of
from imaging.selectors.results import results_of
from imaging.selectors.time_order import place, place_of


def earlier_reads(read: Read) -> list[Read]:
    """Signed reads of earlier time points on which a read rests, the newest version of each, oldest first.

    A reader rests on reads of their own. An adjudicator, who reads one time point only, rests on what became the result
    of each earlier one: the agreed read, the reader's that an adjudicator accepted, or the adjudicator's own. A time
    point without a result is left out. Where readers list the lesions, sizes of two readers are not those of the same
    lesions: the adjudicator then rests on the reader who was accepted last, and on what that read rested on. None where
    chance orders the time points.
    """
    if read.order == Order.RANDOM:
        return []
    before = place_of(read.visit)
    earlier = [each for each in _chain(read) if place_of(each.visit) < before]
    charter = read.subject.version.protocol.charter
    if read.number != ADJUDICATORS_NUMBER or charter is None or charter.lesions == "site" or not earlier:
        return earlier
    last = earlier[-1]
    last.subject = read.subject
    return [*earlier_reads(last), last]


def _chain(read: Read) -> list[Read]:
    if read.number == ADJUDICATORS_NUMBER:
        return [each.accepted for each in results_of([read.subject]) if each.accepted is not None]
    signed = (
        results()
        .filter(subject=read.subject_id, number=read.number, state=ReadState.SIGNED)
        .select_related("visit")
        .order_by(place(), "version")
    )
    return list({each.visit_id: each for each in signed}.values())


def prior_read(read: Read, time_point: int | None = None) -> Read | None:
    """The signed read of an earlier time point: of the one before, or of that number."""
    earlier = earlier_reads(read)
    if time_point is not None:
        numbers = time_points_of(read.subject_id)
        earlier = [each for each in earlier if numbers[each.visit_id] == time_point]
    return earlier[-1] if earlier else None


def get_instance(read: Read, name: UUID) -> Instance:
    """A slice that a reader may see in a read, by the name that it has there.

    Raises
    ------
    NotFound
    """
    visits = [read.visit_id, *(each.visit_id for each in earlier_reads(read))]
    instance = (
        Instance.objects.filter(
            pk__in=[unmasked(read.opaque, SLICE, name)],
            series__study__visit__in=visits,
            series__study__subject=read.subject_id,
            series__study__state=StudyState.QC_PASS,
        )
        .select_related("series__study")
        .first()
    )
    if instance is None:
        raise NotFound(what="image", name=str(name))
    return instance


def points_of(reads: Collection[Read]) -> list[Point]:
    """Time points of a case as the rule of new lesions sees them."""
    if not reads:
        return []
    numbers = time_points_of(next(iter(reads)).subject_id)
    return [Point(numbers[each.visit_id], each.overall, each.new_lesion) for each in reads]


def reading_of(read: Read) -> Reading:
    """A signed read as the rule of disagreement sees it, with what its reader had signed before."""
    numbers = time_points_of(read.subject_id)
    ltp_since: dict[str, int] = {}
    outcomes: dict[str, str] = {}
    for each in (*earlier_reads(read), read):
        outcomes = outcomes_of(each)
        number = numbers[each.visit_id]
        for lesion, outcome in outcomes.items():
            if outcome == LTP:
                ltp_since.setdefault(lesion, number)
    progressed = progression_of(points_of([*earlier_reads(read), read]))
    return Reading(
        time_point=numbers[read.visit_id],
        evaluable=read.image_quality != ImageQuality.INADEQUATE,
        outcomes=outcomes,
        overall=read.overall,
        new_lesion=read.new_lesion,
        ltp_since=ltp_since,
        progression_since=progressed.since if progressed else None,
        progression_noticed=progressed.noticed if progressed else None,
    )
