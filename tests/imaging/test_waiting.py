"""Images on Today: whose turn it is after the quality check, and what waits for an adjudicator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.models import Grant
from accounts.selectors import access_of
from foundation import clock
from imaging.models import Adjudication, Study
from imaging.services import hold_adjudication, question_quality, withdraw_study
from reports.today import tasks_of
from reports.waiting.task import Task
from tests.imaging.conftest import Desk
from tests.imaging.reader import charter_of, fill, read_of, send, sign
from tests.imaging.test_response import target

pytestmark = pytest.mark.django_db


def tasks(desk: Desk, role: str, kind: str = "images", visit: str = "M1") -> list[Task]:
    found = tasks_of(access_of(desk.cast.people[role]), clock.today(), clock.now())
    return [task for task in found if task.kind == kind and (kind != "images" or visit in task.title)]


def ask(desk: Desk, *, reject: bool) -> None:
    question_quality(
        actor=desk.cast.actor("datamanager"),
        study=Study.objects.get(),
        reason="Motion.",
        corrective_action="Send the second run.",
        due_on=clock.today() + timedelta(days=3),
        reject=reject,
    )


@pytest.mark.parametrize(
    ("reject", "words", "state"),
    [
        (True, "Images of M1 were rejected", "rejected"),
        (False, "Images of M1 need something from you", "check"),
    ],
)
def test_images_that_were_sent_back_wait_for_the_site_with_what_to_do(
    desk: Desk, reject: bool, words: str, state: str
) -> None:
    desk.send(desk.slices("M1"))
    ask(desk, reject=reject)
    for role in ("coordinator", "investigator"):
        [task] = tasks(desk, role)
        assert task.title == f"{desk.subject.number} · {words}"
        assert task.detail == "Motion. To do: Send the second run."
        assert (task.state, task.due) == (state, clock.today() + timedelta(days=3))
    assert tasks(desk, "datamanager") == []
    assert tasks(desk, "coordinator2") == []


def test_images_that_came_since_wait_for_whoever_checks_quality(desk: Desk) -> None:
    files = desk.slices("M1", slices=7)
    late = files.pop("IM0007.dcm")
    desk.send(files)
    ask(desk, reject=True)
    desk.send({"late.dcm": late})
    assert tasks(desk, "coordinator") == []
    [task] = tasks(desk, "datamanager")
    assert task.title.endswith("quality in question")
    assert task.due == Study.objects.get().check_due_on


def test_readers_who_differ_wait_for_an_adjudicator_until_one_has_it(desk: Desk) -> None:
    with charter_of(desk, readers=2):
        send(desk, "M1")
        sign(fill(read_of(desk, "M1", 1)))
        sign(fill(read_of(desk, "M1", 2), "RESIDUAL"))
        [task] = tasks(desk, "adjudicator", "reads")
        assert task.title.endswith("Time point 1: two readers differ")
        assert desk.subject.number not in task.title
        assert tasks(desk, "radiologist", "reads") == []
        page = desk.cast.client("adjudicator").get("/today/").content.decode()
        assert task.url in page
        hold_adjudication(actor=desk.cast.actor("coordinator"), adjudication=Adjudication.objects.get())
        assert tasks(desk, "adjudicator", "reads") == []


def test_a_read_that_does_not_stand_waits_for_whoever_oversees_the_reads(desk: Desk) -> None:
    send(desk, "M1")
    sign(fill(read_of(desk, "M1")))
    assert tasks(desk, "datamanager", "reads") == []
    withdraw_study(actor=desk.cast.actor("datamanager"), study=Study.objects.get(), reason="Wrong series.")

    [task] = tasks(desk, "datamanager", "reads")
    assert task.title == f"{desk.subject.number} · Read of M1 counts as not read"
    assert "Nobody can look again" in task.detail
    assert task.url.endswith("/images/reads/#stale")
    assert tasks(desk, "radiologist", "reads") == []
    assert tasks(desk, "coordinator", "reads") == []


def test_a_read_whose_list_of_lesions_changed_waits_too(desk: Desk) -> None:
    send(desk, "M1")
    sign(fill(read_of(desk, "M1")))
    target(desk, "T03")
    [task] = tasks(desk, "datamanager", "reads")
    assert task.title.endswith("Read of M1 to be looked at again")
    assert task.detail == "T03 came onto the list of lesions. Its reader is asked to look again."


def test_a_time_point_that_nobody_decides_waits_and_so_does_a_reader_without_qualification(
    desk: Desk, grant: Callable[..., Grant]
) -> None:
    with charter_of(desk, readers=2, adjudicate_on=()):
        send(desk, "M1")
        sign(fill(read_of(desk, "M1", 1)))
        sign(fill(read_of(desk, "M1", 2), "NE"))
        [task] = tasks(desk, "datamanager", "reads")
        assert task.title.endswith("M1 was read and has no result")
    grant(desk.cast.people["outsider"], "radiologist", "THERMODOX")
    [task] = tasks(desk, "datamanager", "reads")
    assert task.title == "THERMODOX · Outsider Person is assigned no reads"
