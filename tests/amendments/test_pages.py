"""The pages of an amendment: approvals, what it would do, and moving subjects."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from audit.models import Event
from casebook import services
from casebook.models import Entry
from casebook.selectors import entries
from patients.models import Subject, VersionMove
from reports import work
from reports.impact.running import make_simulation
from reports.models import Simulation
from tests.amendments.conftest import Bench
from trials.models import SiteApproval

pytestmark = [pytest.mark.django_db, pytest.mark.req("DAT-09")]
APPROVE = {"site": "NO-01", "version": "2.0", "document": "REK 2026/114"}


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_sponsor_records_and_withdraws_an_approval(bench: Bench) -> None:
    sponsor = bench.client("sponsor")
    day = (bench.today + timedelta(days=5)).isoformat()
    assert (
        sponsor.post("/trials/HEPAFIT/versions/approve/", {**APPROVE, "approved_on": day}).status_code == 302
    )
    page = words(sponsor.get("/trials/HEPAFIT/versions/"))
    assert "REK 2026/114" in page
    assert "from that day on" in page
    assert "at 1 of 2 sites" in page
    approval = SiteApproval.objects.get()
    gone = f"/trials/HEPAFIT/approvals/{approval.pk}/withdraw/"
    assert sponsor.post(gone, {"reason": ""}).status_code == 422
    assert sponsor.post(gone, {"reason": "Recorded at the wrong site"}).status_code == 302
    assert "withdrawn" in words(sponsor.get("/trials/HEPAFIT/versions/"))


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({**APPROVE, "approved_on": "soon"}, 422, "is not a date"),
        ({**APPROVE, "approved_on": "2026-10-01", "document": " "}, 422, "Which document"),
        ({**APPROVE, "approved_on": "2026-10-01", "version": "9"}, 404, ""),
        ({**APPROVE, "approved_on": "2026-10-01", "site": "XX-99"}, 404, ""),
    ],
)
def test_a_wrong_approval_is_refused_in_words(
    bench: Bench, sent: dict[str, str], status: int, said: str
) -> None:
    answer = bench.client("sponsor").post("/trials/HEPAFIT/versions/approve/", sent)
    assert answer.status_code == status
    assert said in words(answer)
    assert not SiteApproval.objects.exists()


def test_the_impact_is_found_out_away_from_the_request(bench: Bench) -> None:
    bench.screened(consent=-5)
    manager = bench.client("datamanager")
    assert "Not tried yet" in words(manager.get("/impact/HEPAFIT/2.0/"))
    assert manager.post("/impact/HEPAFIT/2.0/").status_code == 302
    run = Simulation.objects.get()
    assert work.waiting(Simulation) == [run.pk]
    assert manager.get(f"/impact/runs/{run.pk}/status/").json()["state"] == "waiting"
    assert bench.client("sponsor").get(f"/impact/runs/{run.pk}/status/").status_code == 404
    make_simulation(run.pk)
    make_simulation(run.pk)
    status = manager.get(f"/impact/runs/{run.pk}/status/").json()
    assert (status["state"], status["done"], status["redirect"]) == ("done", 1, "/impact/HEPAFIT/2.0/")
    page = words(manager.get("/impact/HEPAFIT/2.0/"))
    assert "eligible → ineligible" in page
    assert "At least 200 m in six minutes" in page
    assert "Contrast agent given" in page
    touched = set(Event.objects.filter(actor__icontains="simulation").values_list("table_name", flat=True))
    assert touched <= {"reports_simulation"}


def test_every_kind_of_change_leads_to_the_subjects_that_it_reaches(bench: Bench) -> None:
    flips, untouched = bench.screened(consent=-5), bench.screen(bench.away)
    manager, sponsor = bench.client("datamanager"), bench.client("sponsor")
    for client in (manager, sponsor):
        client.post("/impact/HEPAFIT/2.0/")
        make_simulation(Simulation.objects.latest("pk").pk)
    page = manager.get("/impact/HEPAFIT/2.0/").content.decode()
    assert "?only=verdict#subjects" in page
    assert untouched.number in page
    assert "criteria" in words(manager.get("/impact/HEPAFIT/2.0/"))
    narrowed = manager.get("/impact/HEPAFIT/2.0/?only=verdict").content.decode()
    assert f"/subjects/{flips.number}/version/?to=2.0" in narrowed
    assert untouched.number not in narrowed
    assert manager.get(f"/subjects/{flips.number}/version/?to=2.0").status_code == 200
    assert f"/subjects/{flips.number}/" not in sponsor.get("/impact/HEPAFIT/2.0/").content.decode()
    assert untouched.number in manager.get("/impact/HEPAFIT/2.0/?only=nonsense").content.decode()


def test_one_subject_is_moved_from_its_page(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one", consent=-5)
    url = f"/subjects/{subject.number}/version/"
    coordinator = bench.client("coordinator")
    assert "Eligibility would change: eligible to ineligible" in words(coordinator.get(url))
    assert "Move to 2.0" not in words(bench.client("monitor").get(url))
    assert bench.client("monitor").post(url, {}).status_code == 403
    typed = {"version": "2.0", "reconsented_on": "", "reason": "Version 4 signed"}
    for day, said in (
        ("", "On which day"),
        ("31.2.2026", "31"),
        ((bench.today + timedelta(days=1)).isoformat(), "future"),
    ):
        answer = coordinator.post(url, {**typed, "reconsented_on": day})
        assert answer.status_code == 422
        assert said in words(answer)
        assert "Version 4 signed" in answer.content.decode()
    assert coordinator.post(url, {**typed, "reconsented_on": "t"}).status_code == 302
    page = words(coordinator.get(url))
    assert "No later version to move to" in page
    assert "Version 4 signed" in page


def consent_again(bench: Bench, subject: Subject, version: str, day: date) -> Entry:
    """One row of the log of consents."""
    row = services.add_row(actor=bench.actor(), subject=subject, visit=None, form="DS_RC")
    bench.save(row, "DSSTDAT", day.isoformat())
    bench.save(row, "PROTVER", version)
    return row


def test_a_consent_in_the_casebook_feeds_the_move_and_does_not_make_it(bench: Bench) -> None:
    bench.approve("two")
    subject, other = bench.screened_on("one", consent=-9), bench.screened_on("one", consent=-9)
    day = bench.today - timedelta(days=2)
    row = consent_again(bench, subject, "2.0", day)
    consent_again(bench, other, "9.9", day)
    coordinator = bench.client("coordinator")
    asked = "Consented to version 2.0"
    assert asked in words(coordinator.get(f"/subjects/{subject.number}/"))
    assert asked not in words(coordinator.get(f"/subjects/{other.number}/"))
    assert asked not in words(bench.client("monitor").get(f"/subjects/{subject.number}/"))
    url = f"/subjects/{subject.number}/version/"
    typed = f'name="reconsented_on" value="{day:%d %b %Y}"'
    assert typed in coordinator.get(url).content.decode()
    several = coordinator.get("/trials/HEPAFIT/versions/2.0/subjects/").content.decode()
    assert f'name="on-{subject.number}" value="{day.day} {day:%b %Y}"' in several
    assert f'name="on-{other.number}" value=""' in several
    assert Subject.objects.get(pk=subject.pk).version.label == "1.0"
    sent = {"version": "2.0", "reconsented_on": f"{day:%d %b %Y}", "reason": "Consent recorded"}
    assert coordinator.post(url, sent).status_code == 302
    assert Subject.objects.get(pk=subject.pk).version.label == "2.0"
    assert asked not in words(coordinator.get(f"/subjects/{subject.number}/"))
    assert row.form == "DS_RC"


def test_a_consent_that_was_struck_out_feeds_nothing(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one", consent=-9)
    row = consent_again(bench, subject, "2.0", bench.today)
    services.strike_out(actor=bench.actor(), entry=entries().get(pk=row.pk), reason="Another patient's")
    page = words(bench.client("coordinator").get(f"/subjects/{subject.number}/"))
    assert "Consented to version" not in page


def test_several_subjects_move_each_with_its_own_day(bench: Bench) -> None:
    bench.approve("two", on=bench.today - timedelta(days=3))
    first, second, third = (bench.screened_on("one") for _ in range(3))
    bench.screen(bench.away)
    url = "/trials/HEPAFIT/versions/2.0/subjects/"
    coordinator = bench.client("coordinator")
    page = words(coordinator.get(url))
    assert all(subject.number in page for subject in (first, second, third))
    assert coordinator.post(url, {"reason": "x"}).status_code == 422
    answer = coordinator.post(
        url,
        {
            "reason": "Consent version 4",
            f"on-{first.number}": bench.today.isoformat(),
            f"on-{second.number}": (bench.today - timedelta(days=30)).isoformat(),
        },
    )
    assert answer.status_code == 422
    said = words(answer)
    assert "1 subject moved" in said
    assert "no approval" in said
    assert list(VersionMove.objects.values_list("subject__number", flat=True)) == [first.number]
    assert (
        coordinator.post(url, {"reason": "v4", f"on-{third.number}": bench.today.isoformat()}).status_code
        == 302
    )
    assert words(bench.client("away").get(url)).count("Nobody is left to move") == 1


def test_the_pages_cost_the_same_for_many(bench: Bench, statements: Callable[[], Any]) -> None:
    bench.approve("two")
    bench.screened_on("one")
    manager = bench.client("datamanager")
    pages = ("/trials/HEPAFIT/versions/", "/trials/HEPAFIT/versions/2.0/subjects/")
    counts = []
    for _ in range(2):
        for url in pages:
            manager.get(url)
        with statements() as done:
            for url in pages:
                assert manager.get(url).status_code == 200
        counts.append(len(done.counted))
        for _ in range(3):
            bench.screened_on("one")
    assert counts[0] == counts[1]
    assert Subject.objects.count() == 7
