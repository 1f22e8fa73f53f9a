"""When scans are not asked for any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.selectors import access_of
from audit.context import acting
from casebook.models import Entry
from foundation import clock
from imaging.selectors.stopping import scans_ended
from reports.today import tasks_of
from tests.cast import SETUP
from tests.imaging.conftest import PROCEDURE, Desk
from tests.imaging.reader import charter_of, fill, read_of, send, sign
from visits.models import Visit, VisitState


def read(desk: Desk, visit: str, outcome: str) -> None:
    send(desk, visit)
    sign(fill(read_of(desk, visit), outcome))


def missed(desk: Desk) -> list[str]:
    """Visits whose images the site is asked for."""
    found = tasks_of(access_of(desk.cast.people["coordinator"]), clock.today(), clock.now())
    return [task.title for task in found if task.kind == "images"]


def ended(desk: Desk) -> bool:
    return desk.subject.pk in scans_ended([desk.subject])


def second_procedure(desk: Desk) -> None:
    with acting(SETUP):
        Visit.objects.filter(subject=desk.subject, code="P2").update(
            state=VisitState.DONE, happened_on=PROCEDURE + timedelta(days=7)
        )


def follow_up_tomorrow(desk: Desk) -> None:
    """The visit of month 4 takes place after everything that is signed."""
    visit = desk.visits["M4"]
    visit.happened_on, visit.state = clock.today() + timedelta(days=1), VisitState.DONE
    with acting(SETUP):
        visit.save()


def test_after_local_progression_was_read_no_images_are_missed(desk: Desk) -> None:
    read(desk, "M1", "COMPLETE")
    assert not ended(desk)
    read(desk, "M4", "LTP")

    assert scans_ended([desk.subject]) == {desk.subject.pk: clock.today(desk.subject.site.time_zone)}


@pytest.mark.parametrize("twice", [False, True])
def test_residual_tumour_ends_scans_when_no_procedure_is_left(desk: Desk, twice: bool) -> None:
    if twice:
        second_procedure(desk)
    read(desk, "M1", "RESIDUAL")

    assert ended(desk) is twice


def test_images_are_asked_for_until_the_reading_that_ends_them(desk: Desk) -> None:
    second_procedure(desk)
    send(desk, "BL", "M1")
    sign(fill(read_of(desk, "BL")))
    first = fill(read_of(desk, "M1"), "RESIDUAL")
    follow_up_tomorrow(desk)
    assert [title for title in missed(desk) if "Month 4" in title]

    sign(first)

    assert not [title for title in missed(desk) if "Month 4" in title]


@pytest.mark.parametrize(("stop_on", "stops"), [("CENTRAL", False), ("SITE", True), ("EITHER", True)])
def test_the_charter_says_whose_reading_ends_them(desk: Desk, stop_on: str, stops: bool) -> None:
    with acting(SETUP):
        Entry.objects.create(
            subject=desk.subject, visit=desk.visits["M1"], form="RSR", values={"LOCREC": {"value": "Y"}}
        )
    with charter_of(desk, stop_on=stop_on):
        assert ended(desk) is stops


def test_a_central_reading_does_not_end_them_where_the_site_decides(desk: Desk) -> None:
    second_procedure(desk)
    read(desk, "M1", "RESIDUAL")

    with charter_of(desk, stop_on="SITE"):
        assert not ended(desk)
    with charter_of(desk, assessments=("recist",)):
        assert not ended(desk), "no ablated lesion is judged"


def test_as_many_statements_for_two_subjects_as_for_one(desk: Desk, statements: Callable[[], Any]) -> None:
    read(desk, "M1", "COMPLETE")
    other = desk.cast.subject("THERMODOX")
    with statements() as one:
        scans_ended([desk.subject])
    with statements() as two:
        scans_ended([desk.subject, other])
    assert len(two) == len(one)
