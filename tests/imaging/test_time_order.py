"""Time points follow each other by their day, wherever the plan has them."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.selectors import access_of
from foundation.errors import NotFound
from imaging.errors import ReadWaitsError
from imaging.masking import SLICE, masked
from imaging.models import Instance, Read, Study
from imaging.selectors.priors import earlier_reads, prior_read
from imaging.selectors.reads import frame_key, is_locked, time_points_of
from imaging.selectors.results import results_of
from imaging.selectors.studies import standard_of
from imaging.selectors.time_order import place_of
from imaging.services import open_read
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.reader import actor_of, fill, read_of, send, sign
from visits.models import Visit
from visits.services import UNSCHEDULED_ORDINAL, add_unscheduled_visit

BEFORE, BETWEEN, LATER = date(2025, 4, 1), date(2025, 5, 1), date(2025, 7, 1)


def unscheduled(desk: Desk, name: str, on: date) -> None:
    desk.visits[name] = add_unscheduled_visit(actor=SETUP, subject=desk.subject, happened_on=on)


def names(desk: Desk, visits: list[int]) -> list[str]:
    known = {visit.pk: name for name, visit in desk.visits.items()}
    return [known[visit] for visit in visits]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Visit(ordinal=900, happened_on=BEFORE), Visit(ordinal=5, happened_on=BETWEEN)),
        (Visit(ordinal=900, happened_on=BEFORE), Visit(ordinal=5, target=BETWEEN)),
        (Visit(ordinal=5, happened_on=BEFORE, target=LATER), Visit(ordinal=4, happened_on=BETWEEN)),
        (Visit(ordinal=4, happened_on=BEFORE), Visit(ordinal=5, happened_on=BEFORE)),
        (Visit(ordinal=900, happened_on=BEFORE), Visit(ordinal=900, sequence=2, happened_on=BEFORE)),
        (Visit(ordinal=1), Visit(ordinal=0, happened_on=BEFORE)),
        (Visit(ordinal=0), Visit(ordinal=1)),
    ],
)
def test_the_day_decides_then_the_plan(first: Visit, second: Visit) -> None:
    assert place_of(first) < place_of(second)


def test_a_scan_between_visits_is_read_between_them(desk: Desk) -> None:
    unscheduled(desk, "later", LATER)
    unscheduled(desk, "between", BETWEEN)
    assert desk.visits["between"].ordinal == UNSCHEDULED_ORDINAL
    send(desk, "later", "M4", "between", "M1", "BL")

    numbers = time_points_of(desk.subject.pk)
    assert names(desk, sorted(numbers, key=lambda visit: numbers[visit])) == [
        "BL",
        "M1",
        "between",
        "M4",
        "later",
    ]
    for visit in ("BL", "M1"):
        sign(fill(read_of(desk, visit)))
    suspected, after = read_of(desk, "between"), read_of(desk, "M4")
    with pytest.raises(ReadWaitsError):
        open_read(actor=actor_of(after.reader), read=after)
    assert [is_locked(read_of(desk, name)) for name in ("between", "M4", "later")] == [False, True, True]
    assert names(desk, [each.visit_id for each in earlier_reads(suspected)]) == ["BL", "M1"]

    sign(fill(suspected))

    prior = prior_read(after)
    assert prior is not None
    assert names(desk, [prior.visit_id]) == ["between"]
    sign(fill(after))
    last = read_of(desk, "later")
    assert names(desk, [each.visit_id for each in earlier_reads(last)]) == ["BL", "M1", "between", "M4"]
    sign(fill(last))
    results = [result.visit for result in results_of([desk.subject])]
    assert names(desk, results) == ["BL", "M1", "between", "M4", "later"]


def test_only_earlier_images_stand_beside_a_scan(desk: Desk) -> None:
    unscheduled(desk, "between", BETWEEN)
    send(desk, "BL", "M1", "between", "M4")
    for visit in ("BL", "M1", "between"):
        sign(fill(read_of(desk, visit)))

    def seen(read: Read, visit: str) -> bool:
        instance = Instance.objects.filter(series__study__visit=desk.visits[visit]).first()
        assert instance is not None
        try:
            return bool(
                frame_key(access_of(read.reader), read.opaque, masked(read.opaque, SLICE, instance.pk))
            )
        except NotFound:
            return False

    shown = {name: [visit for visit in ("BL", "M1", "between", "M4") if seen(read_of(desk, name), visit)]
             for name in ("between", "M4")}  # fmt: skip
    assert shown == {"between": ["BL", "M1", "between"], "M4": ["BL", "M1", "between", "M4"]}


def test_technique_is_compared_with_the_first_scan(desk: Desk) -> None:
    unscheduled(desk, "between", BETWEEN)
    send(desk, "M1", "between", "M4")
    by_visit = {study.visit_id: study for study in Study.objects.select_related("visit", "subject__version")}

    compared = {name: bool(standard_of(by_visit[desk.visits[name].pk]).baseline.modalities)
                for name in ("M1", "between", "M4")}  # fmt: skip
    assert compared == {"M1": False, "between": True, "M4": True}
