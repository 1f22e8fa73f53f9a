"""Today: what waits, for whom, by deadline, at a constant cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.selectors import access_of
from audit.context import acting
from casebook import services as casebook
from foundation import clock
from reports.services import make_export, request_export
from reports.today import Chosen, Task, grouped, kinds_in, narrowed, next_up, tasks_of
from tests.cast import SETUP, Cast
from visits.models import Visit
from visits.services import add_unscheduled_visit, plan_visits_for, record_visit

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
    [task] = [task for task in tasks(cast) if task.kind == "forms"]
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


def test_an_answered_query_waits_for_whoever_closes_it(cast: Cast) -> None:
    subject = cast.subject()
    screening = Visit.objects.get(subject=subject, code="SCR")
    entry = casebook.open_entry(actor=cast.actor(), subject=subject, visit=screening, form="LB")
    query = casebook.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Please check.")
    assert [task for task in tasks(cast, "monitor") if task.kind == "queries"] == []
    casebook.answer_query(actor=cast.actor(), query=query, text="It is right.")
    [task] = [task for task in tasks(cast, "monitor") if task.kind == "queries"]
    assert task.state == "query-answered"
    assert task.url.endswith(f"/{subject.number}/SCR/LB/#row-HGB")
    assert [task for task in tasks(cast) if task.kind == "queries"] == []


def test_images_of_a_visit_that_happened_are_missed(cast: Cast) -> None:
    visit = due(cast)
    record_visit(actor=cast.actor(), visit=visit, happened_on=clock.today() - timedelta(days=6))
    [task] = [task for task in tasks(cast) if task.title.endswith("Images of Month 1")]
    assert task.state == "overdue"
    assert task.due == clock.today() - timedelta(days=1)
    assert not [task for task in tasks(cast, "monitor") if task.kind == "images"]


def test_the_casebook_says_which_images_are_missing_as_today_does(cast: Cast) -> None:
    visit = due(cast)
    address = f"/subjects/{visit.subject.number}/"
    assert "Images of Month 1" not in cast.client("coordinator").get(address).content.decode()
    record_visit(actor=cast.actor(), visit=visit, happened_on=clock.today() - timedelta(days=6))
    page = cast.client("coordinator").get(address).content.decode()
    assert "Images of Month 1" in page
    assert f"/subjects/{visit.subject.number}/visits/M1/images/" in page
    assert "Images of Month 1" not in cast.client("monitor").get(address).content.decode()


def test_an_unscheduled_visit_takes_images_and_does_not_miss_them(cast: Cast) -> None:
    subject = due(cast).subject
    add_unscheduled_visit(actor=cast.actor(), subject=subject, happened_on=clock.today() - timedelta(days=6))
    assert not [task for task in tasks(cast) if task.kind == "images"]


def test_a_questionnaire_that_was_not_received_waits(cast: Cast) -> None:
    visit = due(cast)
    record_visit(actor=cast.actor(), visit=visit, happened_on=clock.today())
    [task] = [task for task in tasks(cast) if task.kind == "questionnaires" and "Month 1" in task.title]
    assert task.due == visit.latest
    assert "no link is open" in task.detail


def test_an_export_that_is_ready_is_told_to_who_asked(cast: Cast) -> None:
    sponsor = access_of(cast.people["sponsor"])
    export = request_export(actor=cast.actor("sponsor"), access=sponsor, trial=cast.trials["THERMODOX"])
    assert tasks(cast, "sponsor") == []
    make_export(export.pk)
    assert [(task.kind, task.state) for task in tasks(cast, "sponsor")] == [("exports", "ready")]
    assert not [task for task in tasks(cast, "datamanager") if task.kind == "exports"]


def test_a_trial_a_site_or_a_kind_narrows_the_list(cast: Cast) -> None:
    visit = due(cast)
    cast.subject("EXCALIBUR")
    found = tasks(cast)
    assert {task.trial for task in narrowed(found, Chosen(trial="THERMODOX"))} == {"THERMODOX"}
    assert narrowed(found, Chosen(site="SE-02")) == []
    visits = narrowed(found, Chosen(kind="visits"))
    assert {task.kind for task in visits} == {"visits"}
    assert sum(number for _, _, number in kinds_in(found)) == len(found)
    page = cast.client("coordinator").get("/today/?trial=EXCALIBUR").content.decode()
    assert visit.subject.number not in page
    assert "Show everything" in page


def task(days: int | None, today: date = date(2026, 6, 15)) -> Task:
    return Task("visits", "visit-due", "A", "", "/", None if days is None else today + timedelta(days=days))


def test_headings_follow_the_deadline() -> None:
    today = date(2026, 6, 15)
    found = [task(days) for days in (-1, None, 0, 1, 7, 8)]
    groups = grouped(found, found[:4], today)
    assert [(group.title, group.count, len(group.tasks)) for group in groups] == [
        ("Overdue", 1, 1), ("Today", 2, 2), ("This week", 2, 1)
    ]  # fmt: skip
    assert [group.title for group in grouped(found, found, today)][-1] == "Later"


def test_nothing_today_says_what_comes_next(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    access = access_of(cast.people["coordinator"])
    with acting(SETUP):
        Visit.objects.filter(subject=subject).update(state="SUPERSEDED")
        Visit.objects.filter(subject=subject, code="SCR").update(
            state="PLANNED", target=clock.today() + timedelta(days=90)
        )
    assert next_up(access, [task(0, clock.today())], clock.today()) is None
    later = next_up(access, [task(3, clock.today())], clock.today())
    assert later is not None
    assert later.on == clock.today() + timedelta(days=3)
    coming = next_up(access, [], clock.today())
    assert coming is not None
    assert coming.words == f"Screening of {subject.number}"
    page = cast.client("coordinator").get("/today/").content.decode()
    assert "Nothing today. Next:" in page
    assert next_up(access_of(cast.people["outsider"]), [], clock.today()) is None


def test_every_role_may_look_and_sees_only_its_own(cast: Cast) -> None:
    """The monitor has nothing to do, and hears of the visit that comes next."""
    visit = due(cast)
    for role in ("coordinator", "monitor", "radiologist", "sponsor", "admin", "outsider"):
        answer = cast.client(role).get("/today/")
        assert answer.status_code == 200
        assert (visit.subject.number in answer.content.decode()) == (role in {"coordinator", "monitor"}), role


@pytest.mark.parametrize("role", ["coordinator", "investigator", "monitor", "datamanager"])
def test_the_list_costs_the_same_for_one_subject_and_for_many(
    cast: Cast, statements: Callable[[], Any], role: str
) -> None:
    crowd(cast)
    tasks(cast, role)
    with statements() as one:
        tasks(cast, role)
    for _ in range(9):
        crowd(cast)
    with statements() as many:
        tasks(cast, role)
    assert len(many.counted) == len(one.counted), many.counted


def crowd(cast: Cast) -> None:
    """A subject with a visit that is due, one that happened, and a query."""
    visit = due(cast)
    happened = Visit.objects.get(subject=visit.subject, code="D14")
    entry = casebook.open_entry(actor=cast.actor(), subject=visit.subject, visit=happened, form="LB")
    casebook.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Please check.")
