"""Time points one after the other: images that may still come first are waited for; what rests on an earlier read is
read again when that changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.selectors import access_of
from imaging.errors import ReadWaitsError
from imaging.models import Order, Read, Study
from imaging.rules.staleness import TakenOver, correction_in_words
from imaging.selectors.reads import queue_rows, results
from imaging.selectors.staleness import changes_of, stale_reads
from imaging.services import (
    accept_quality,
    correct_read,
    open_read,
    question_quality,
    record_outcome,
    withdraw_study,
)
from tests.imaging.conftest import Desk
from tests.imaging.reader import actor_of, charter_of, fill, mark, read_of, send, sign

pytestmark = [pytest.mark.django_db, pytest.mark.req("IMG-06")]
ARRIVED = "An earlier time point came in. What you signed as time point 1 is time point 2 now."


def send_thick(desk: Desk, visit: str) -> Study:
    """Images that the quality check does not accept by itself."""
    desk.send(desk.slices(visit, thickness_mm=7.5), visit)
    return Study.objects.get(visit=desk.visits[visit])


def queue(read: Read) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.time_point, row.changes) for row in queue_rows(access_of(read.reader))]


def corrected(read: Read, **said: str) -> Read:
    """A new version, filled and signed."""
    new = correct_read(actor=actor_of(read.reader), read=read, reason="Looked again")
    return sign(
        fill(Read.objects.select_related("visit", "subject__version", "reader").get(pk=new.pk), **said)
    )


def test_a_later_time_point_waits_for_images_in_question(desk: Desk) -> None:
    baseline = send_thick(desk, "BL")
    send(desk, "M1")
    later = read_of(desk, "M1")
    assert queue(later) == []
    with pytest.raises(ReadWaitsError):
        open_read(actor=actor_of(later.reader), read=later)

    accept_quality(actor=desk.cast.actor("datamanager"), study=baseline, reason="Readable all the same")

    assert queue(later) == [(1, ())]
    sign(fill(read_of(desk, "BL")))
    assert queue(later) == [(2, ())]


@pytest.mark.parametrize("settle", ["reject", "withdraw"])
def test_images_that_never_come_to_readers_hold_nothing_up(desk: Desk, settle: str) -> None:
    baseline, actor = send_thick(desk, "BL"), desk.cast.actor("datamanager")
    send(desk, "M1")
    if settle == "reject":
        question_quality(
            actor=actor, study=baseline, reason="Thick", corrective_action="Send the thin ones", reject=True
        )
    else:
        withdraw_study(actor=actor, study=baseline, reason="Wrong disc")

    assert queue(read_of(desk, "M1")) == [(1, ())]


@pytest.mark.parametrize("order", [Order.RANDOM, Order.GLOBAL])
def test_without_a_sequence_nothing_waits(desk: Desk, order: Order) -> None:
    with charter_of(desk, order=order.value):
        send_thick(desk, "BL")
        send(desk, "M1")
        assert len(queue(read_of(desk, "M1"))) == 1


def test_a_read_is_repeated_after_an_earlier_time_point_that_came_later(desk: Desk) -> None:
    send(desk, "M1")
    late = sign(fill(read_of(desk, "M1")))
    send(desk, "BL")
    assert changes_of(late) == (ARRIVED,)
    assert queue(late) == [(1, ())], "the earlier one first"
    with pytest.raises(ReadWaitsError):
        correct_read(actor=actor_of(late.reader), read=late, reason="Again")

    sign(fill(read_of(desk, "BL")))

    assert queue(late) == [(2, (ARRIVED,))]
    corrected(late)
    assert queue(late) == []
    assert stale_reads(results()) == []


def test_a_correction_of_what_a_later_read_took_over_has_it_read_again(
    desk: Desk, statements: Callable[[], Any]
) -> None:
    send(desk, "M1", "M4")
    first = fill(read_of(desk, "M1"))
    mark(first, "T01", 20.0)
    sign(first)
    later = sign(fill(read_of(desk, "M4")))

    first = corrected(first, comment="Clearer words")
    assert changes_of(later) == ()
    new = correct_read(actor=actor_of(first.reader), read=first, reason="Wrong lesion")
    assert queue(later) == [(1, ())], "the correction comes first"
    new = read_of(desk, "M1")
    record_outcome(actor=actor_of(new.reader), read=new, lesion="T02", outcome="RESIDUAL")
    assert changes_of(later) == ()
    sign(new)
    said = "Time point 1 was corrected: outcome of T02."
    assert changes_of(later) == (said,)
    assert queue(later) == [(2, (said,))]

    corrected(read_of(desk, "M1"), new_lesion="Y")
    assert changes_of(later) == ("Time point 1 was corrected: new lesion.",), (
        "what differs from then, and no more"
    )
    with statements() as done:
        stale_reads(results())
    corrected(later)
    assert stale_reads(results()) == []
    assert len(done.counted) <= 9


def test_the_other_reader_keeps_what_they_signed(desk: Desk) -> None:
    with charter_of(desk, readers=2):
        send(desk, "M1", "M4")
        for visit in ("M1", "M4"):
            for number in (1, 2):
                sign(fill(read_of(desk, visit, number)))
        new = correct_read(
            actor=actor_of(read_of(desk, "M1", 2).reader), read=read_of(desk, "M1", 2), reason="Again"
        )
        assert new.number == 2
        sign(fill(read_of(desk, "M1", 2), "RESIDUAL"))
        assert [(stale.read.number, str(stale.read.visit)) for stale in stale_reads(results())] == [(2, "M4")]


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (TakenOver(), TakenOver(), ""),
        (TakenOver(), TakenOver(evaluable=False), "whether its images can be read"),
        (TakenOver(statuses={"T01": "NE"}), TakenOver(statuses={"T01": "ABSENT"}), "size of T01"),
        (TakenOver(non_target="SD"), TakenOver(non_target="PD"), "non-target lesions"),
    ],
)
def test_what_a_correction_changed_in_words(then: TakenOver, now: TakenOver, words: str) -> None:
    assert correction_in_words(2, then, now) == (f"Time point 2 was corrected: {words}." if words else "")
