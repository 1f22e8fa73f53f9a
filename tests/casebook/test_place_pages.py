"""Pages of locked sites and studies, and the answers for programs."""

from __future__ import annotations

from typing import Any

import pytest

from casebook.models import LockRun, PlaceLock, PlaceUnlock
from casebook.services import states
from casebook.services.lock_runs import make_lock_run
from tests.casebook.signing_case import Case
from tests.cast import Cast

pytestmark = pytest.mark.django_db

PLACE = "/locks/EXCALIBUR/sites/NO-01/"


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


def signed(case: Case) -> None:
    case.whole_visit()
    case.sign(case.key("visit"))
    case.sign(case.key("casebook"))


def test_the_list_leads_from_what_is_in_the_way_to_the_lock_of_the_study(case: Case) -> None:
    manager = case.cast.client("datamanager")
    assert "1 form not complete" not in manager.get("/locks/?trial=EXCALIBUR").content.decode()
    case.form(complete=False)
    assert "1 form not complete" in manager.get("/locks/?trial=EXCALIBUR").content.decode()
    page = manager.get(PLACE).content.decode()
    assert f"/subjects/{case.subject.number}/signatures/" in page
    assert "1 casebook is not locked." in page
    signed(case)
    page = manager.get(PLACE).content.decode()
    assert "Ready to be locked" in page
    assert "Lock the 1 that is ready" in page
    assert manager.post(f"{PLACE}lock-ready/", {"reason": "Database lock"}).status_code == 302
    assert "data-url=" in manager.get(PLACE).content.decode()
    run = LockRun.objects.get()
    waiting = manager.get(f"/locks/runs/{run.pk}/").json()
    assert (waiting["state"], "redirect" in waiting) == ("waiting", False)
    make_lock_run(run.pk)
    assert manager.get(f"/locks/runs/{run.pk}/").json()["redirect"] == PLACE
    assert manager.post(f"{PLACE}lock/", {"reason": "Database lock"}).status_code == 302
    manager.post("/locks/EXCALIBUR/sites/SE-02/lock/", {"reason": "Nobody was screened"})
    assert manager.post("/locks/EXCALIBUR/study/lock/", {"reason": "Database lock"}).status_code == 302
    assert PlaceLock.objects.standing().count() == 3
    page = manager.get("/locks/?trial=EXCALIBUR").content.decode()
    assert page.count("Locked</span>") >= 3
    kept = PlaceLock.objects.get(site=case.cast.home)
    page = manager.get(f"/locks/kept/{kept.pk}/").content.decode()
    assert kept.digest in page
    address = page.split('">Casebook</a>')[0].split('href="')[-1]
    assert case.cast.client("monitor").get(address).headers["Content-Type"] == "application/pdf"


def test_a_second_person_answers_on_a_page(case: Case) -> None:
    signed(case)
    states.lock(actor=case.cast.actor("datamanager"), scope=case.scope())
    manager, monitor = case.cast.client("datamanager"), case.cast.client("monitor")
    manager.post(f"{PLACE}lock/", {"reason": "Database lock"})
    assert manager.post(f"{PLACE}ask-unlock/", {"reason": "A value", "hours": "x"}).status_code == 409
    manager.post(f"{PLACE}ask-unlock/", {"reason": "A value is wrong", "hours": "4"})
    wish = PlaceUnlock.objects.get()
    address = f"/locks/unlocks/{wish.pk}/"
    assert "You asked; a second person" in manager.get(address).content.decode()
    assert address in monitor.get("/today/").content.decode()
    assert address in monitor.get("/unlocks/").content.decode()
    monitor.post(f"{address}approve/")
    assert "Unlocked for a time" in manager.get(PLACE).content.decode()
    case.cast.subject()
    page = manager.get(address).content.decode()
    assert "Casebooks written to while it was open" in page
    assert "what changed" in page


def test_people_of_a_site_neither_lock_it_nor_ask_for_the_study(case: Case) -> None:
    coordinator = case.cast.client("coordinator")
    assert coordinator.get(PLACE).status_code == 200
    assert "Lock the site" not in coordinator.get(PLACE).content.decode()
    assert coordinator.post(f"{PLACE}lock/", {"reason": "Why not"}).status_code == 403
    assert coordinator.post("/locks/EXCALIBUR/study/ask-unlock/", {"reason": "x", "hours": "4"}).status_code in {
        403, 404
    }  # fmt: skip
    assert coordinator.get("/locks/EXCALIBUR/sites/SE-02/").status_code == 404


def test_what_is_refused_by_a_locked_site_is_said_on_the_page_and_to_programs(case: Case) -> None:
    signed(case)
    states.lock(actor=case.cast.actor("datamanager"), scope=case.scope())
    case.cast.client("datamanager").post(f"{PLACE}lock/", {"reason": "Database lock"})
    coordinator = case.cast.client("coordinator")
    answer = coordinator.post(f"/subjects/{case.subject.number}/visits/unscheduled/", {"happened_on": "t"})
    assert answer.status_code in {409, 422}
    answer = coordinator.post(
        "/api/v1/subjects/",
        {"patient": "P-0900", "site": "NO-01", "trial": "EXCALIBUR"},
        content_type="application/json",
    )
    assert answer.status_code in {409, 422}, answer.content


def test_programs_read_how_far_the_sites_are(case: Case) -> None:
    signed(case)
    rows: list[dict[str, Any]] = (
        case.cast.client("monitor").get("/api/v1/trials/EXCALIBUR/locks/").json()["items"]
    )
    (home, away) = rows
    assert (home["site"], home["casebooks"], home["ready"], home["locked"]) == ("NO-01", 1, 1, 0)
    assert (away["casebooks"], away["standing"], away["digest"]) == (0, "", "")


@pytest.mark.req("LCK-01")
def test_the_page_says_what_a_lock_checks_and_what_it_does_not(case: Case) -> None:
    page = case.cast.client("datamanager").get(PLACE).content.decode()
    checked, _, not_checked = page.partition("Not checked")
    for words in (
        "Every query is closed",
        "Every read that was begun is signed",
        "Serious events are reported",
    ):
        assert words in checked
    assert "Coding of events and medicines (MedDRA, ATC): not set up in this study" in not_checked
