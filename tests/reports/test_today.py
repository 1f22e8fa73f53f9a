"""Today: what waits, for whom, by deadline, at a constant cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.selectors import access_of
from audit.context import acting
from casebook import services as casebook
from foundation import clock
from reports.today import Task, tasks_of
from tests.cast import SETUP, Cast
from visits.models import Visit
from visits.services import plan_visits_for, record_visit

pytestmark = pytest.mark.django_db


def tasks(cast: Cast, role: str = "coordinator") -> list[Task]:
    return tasks_of(access_of(cast.people[role]), clock.today(), clock.now())


def due(cast: Cast, trial: str = "THERMODOX") -> Visit:
    """A subject whose month 1 was due yesterday evening at the latest."""
    subject = cast.subject(trial)
    anchor = clock.today() - timedelta(days=40)
    plan_visits_for(actor=cast.actor(), subject=subject, anchors={"PROCEDURES": [anchor]})
    with acting(SETUP):
        Visit.objects.filter(subject=subject, code="D14").update(
            state="DONE", happened_on=anchor + timedelta(days=14)
        )
    return Visit.objects.get(subject=subject, code="M1")


def test_an_overdue_visit_is_first_and_says_how_late_it_is(cast: Cast) -> None:
    visit = due(cast)
    found = [task for task in tasks(cast) if "Month 1" in task.title]
    assert [task.state for task in found] == ["visit-overdue"]
    assert found[0].due == visit.latest
    assert found[0].when(clock.today()).endswith("d late")


def test_forms_of_a_visit_that_happened_wait_until_they_are_complete(cast: Cast) -> None:
    subject = cast.subject()
    screening = Visit.objects.get(subject=subject, code="SCR")
    record_visit(actor=cast.actor(), visit=screening, happened_on=clock.today())
    [task] = [task for task in tasks(cast) if "Screening" in task.title]
    assert "forms to complete" in task.title
    assert task.due == clock.today() + timedelta(days=5)


def test_a_query_waits_for_the_site_and_for_nobody_elsewhere(cast: Cast) -> None:
    subject = cast.subject()
    screening = Visit.objects.get(subject=subject, code="SCR")
    entry = casebook.open_entry(actor=cast.actor(), subject=subject, visit=screening, form="LB")
    casebook.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Please check.")
    assert [task.state for task in tasks(cast) if task.state == "query-open"] == ["query-open"]
    assert not [task for task in tasks(cast, "coordinator2") if task.state == "query-open"]


def test_another_site_and_a_stranger_see_nothing(cast: Cast) -> None:
    due(cast)
    assert tasks(cast, "coordinator2") == []
    assert tasks(cast, "outsider") == []


def test_the_list_costs_the_same_for_one_subject_and_for_five(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    due(cast)
    with statements() as one:
        tasks(cast)
    for _ in range(4):
        due(cast)
    with statements() as five:
        tasks(cast)
    assert len(five.counted) == len(one.counted), five.counted
