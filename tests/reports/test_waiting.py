"""What waits for those who sign, verify, unlock and move subjects; each by their own desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.selectors import access_of
from audit.context import acting
from casebook import services
from casebook.models import Entry, EntryState
from casebook.services import states
from casebook.services.milestones import keep_milestone
from foundation import clock
from patients.services import move_subject
from reports.home import first_page
from reports.today import tasks_of
from reports.waiting.task import Task
from tests.casebook.signing_case import Case, again
from tests.cast import SETUP, Cast
from trials.packs import amendments
from trials.services import approve_version, publish_protocol

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


def tasks(cast: Cast, role: str, kind: str) -> list[Task]:
    found = tasks_of(access_of(cast.people[role]), clock.today(), clock.now())
    return [task for task in found if task.kind == kind]


def milestone(case: Case) -> None:
    keep_milestone(
        actor=case.cast.actor("datamanager"),
        trial=case.subject.trial,
        name="Interim analysis",
        due_on=clock.today() + timedelta(days=12),
    )


def test_a_whole_visit_to_sign_is_one_line_that_leads_to_its_signature(case: Case) -> None:
    case.whole_visit()
    [task] = tasks(case.cast, "investigator", "signatures")
    assert task.title.startswith(case.subject.number)
    assert task.state == "not-signed"
    assert task.due == clock.today(case.subject.site.time_zone) + timedelta(days=30)
    assert task.url == f"/signatures/?record=visit/{case.subject.number}/SCR"
    assert case.key("visit") in case.cast.client("investigator").get(task.url).content.decode()
    for role in ("coordinator", "investigator2", "monitor", "datamanager"):
        assert tasks(case.cast, role, "signatures") == [], role

    case.sign(case.key("visit"))
    assert tasks(case.cast, "investigator", "signatures") == []


def test_a_form_that_changed_since_it_was_signed_is_asked_for_again(case: Case) -> None:
    entry = case.form("VS")
    case.form("LB", complete=False)
    case.sign(case.key(entry=entry))
    case.save(entry, "WEIGHT", "71", "kg")
    [task] = tasks(case.cast, "investigator", "signatures")
    assert task.state == "sign-again"
    assert task.detail == "SCR, 1 of them changed since they were signed."
    assert task.url == f"/subjects/{case.subject.number}/signatures/"


def test_a_milestone_asks_the_principal_investigator_for_casebooks_at_one_price(
    case: Case, statements: Callable[[], Any]
) -> None:
    case.whole_visit()
    case.sign(case.key("visit"))
    milestone(case)
    [task] = tasks(case.cast, "investigator", "signatures")
    assert task.title.endswith("1 casebook to sign")
    assert task.due == clock.today() + timedelta(days=12)
    assert task.detail.startswith("Before Interim analysis")
    assert tasks(case.cast, "investigator2", "signatures") == []
    with statements() as one:
        tasks(case.cast, "investigator", "signatures")
    for _ in range(4):
        Case(case.cast).whole_visit()
    with statements() as many:
        tasks(case.cast, "investigator", "signatures")
    assert len(one.counted) == len(many.counted)


def test_a_monitor_has_one_line_for_each_site_with_values_to_verify(case: Case) -> None:
    assert tasks(case.cast, "monitor", "verification") == []
    entry = services.open_entry(actor=case.cast.actor(), subject=case.subject, visit=case.visit, form="VS")
    case.save(entry, "WEIGHT", "71", "kg")
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.COMPLETE)
    [task] = tasks(case.cast, "monitor", "verification")
    assert task.title.startswith("Oslo University Hospital")
    assert task.url == "/verification/?trial=EXCALIBUR&site=NO-01"
    assert tasks(case.cast, "datamanager", "verification") == []
    services.verify_entry(actor=case.cast.actor("monitor"), entry=again(entry))
    assert tasks(case.cast, "monitor", "verification") == []


def test_an_unlock_waits_for_a_second_person_and_not_for_who_asked(case: Case) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    states.lock(actor=case.cast.actor("datamanager"), scope=case.scope(entry, case.visit))
    states.ask_unlock(
        actor=case.cast.actor("datamanager"),
        scope=case.scope(entry, case.visit),
        reason="Wrong unit",
        hours=4,
    )
    assert tasks(case.cast, "datamanager", "unlocks") == []
    assert tasks(case.cast, "coordinator", "unlocks") == []
    [task] = tasks(case.cast, "monitor", "unlocks")
    assert task.detail == "Datamanager Person: Wrong unit"
    assert case.cast.client("monitor").get(task.url).status_code == 200


def test_subjects_of_a_site_that_may_use_a_later_version_wait_for_consent(cast: Cast) -> None:
    subject = cast.subject()
    today = clock.today(subject.site.time_zone)
    later = publish_protocol(actor=SETUP, pack=amendments("EXCALIBUR")["2023-05"])
    approve_version(
        actor=cast.actor("sponsor"), site=cast.home, version=later, approved_on=today, document="REK 2023/1"
    )
    for role in ("coordinator", "investigator", "datamanager"):
        [task] = tasks(cast, role, "amendments")
        assert task.title == f"Oslo University Hospital · 1 subject to consent to {later.label}"
        assert subject.number in cast.client(role).get(task.url).content.decode()
    for role in ("coordinator2", "monitor", "sponsor"):
        assert tasks(cast, role, "amendments") == [], role
    move_subject(
        actor=cast.actor(), subject=subject, version=later, reconsented_on=today, reason="Consent 4.0"
    )
    assert tasks(cast, "coordinator", "amendments") == []


@pytest.mark.parametrize(
    ("role", "address"),
    [
        ("coordinator", "/today/"),
        ("investigator", "/today/"),
        ("monitor", "/today/"),
        ("datamanager", "/today/"),
        ("radiologist", "/reading/"),
        ("adjudicator", "/adjudication/"),
        ("sponsor", "/progress/"),
        ("admin", "/people/"),
        ("outsider", "/account/"),
    ],
)
def test_every_role_begins_where_its_work_is(cast: Cast, role: str, address: str) -> None:
    assert first_page(access_of(cast.people[role])) == address
    assert cast.client(role).get("/").headers["Location"] == address
