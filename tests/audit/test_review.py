"""Reading the trail as work: narrowed, in words, as a table, reviewed; and the foot of every page."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit import services, tasks
from audit.models import TrailBundle, TrailCheck, TrailReview
from casebook import services as casebook
from casebook.rules.cells import Typed
from foundation.clock import now
from tests.cast import Cast
from tests.conftest import setting_up
from visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def entered(cast: Cast) -> Any:
    """A haemoglobin and a formula that somebody typed as a comment, entered and corrected."""
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = casebook.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    casebook.save_item(actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("21.0", "g/dL"))
    casebook.save_item(
        actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("12.0", "g/dL"), reason="digits swapped"
    )
    adverse = casebook.open_entry(actor=cast.actor(), subject=subject, visit=None, form="AE")
    casebook.save_item(actor=cast.actor(), entry=adverse, item_id="AETERM", typed=Typed("=1+1"))
    casebook.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Really so low?")
    return subject


def rows_of(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.req("AUD-10")
class TestReading:
    def test_events_are_told_by_labels_and_decodes(self, cast: Cast, entered: Any) -> None:
        page = cast.client("monitor").get(f"/audit/?subject={entered.number}").content.decode()
        assert "Haemoglobin" in page
        assert '<del class="old">21.0 g/dL</del> → <ins class="new">12.0 g/dL</ins>' in page
        assert f"/subjects/{entered.number}/SCR/LB/" in page
        assert "{&#x27;" not in page
        assert "Query, Haemoglobin" in page

    @pytest.mark.parametrize(
        ("asked", "there", "gone"),
        [
            ("form=LB", "Haemoglobin", "Adverse event"),
            ("form=AE", "=1+1", "Haemoglobin"),
            ("reason=swapped", "12.0 g/dL", "Really so low"),
            ("actor=monitor", "Really so low?", "12.0 g/dL"),
            ("action=I", "Really so low?", "12.0 g/dL"),
            ("look=reasons", "12.0 g/dL", "Really so low"),
            ("site=NO-01", "12.0 g/dL", "nothing that is not there"),
        ],
    )
    def test_it_is_narrowed(self, cast: Cast, entered: Any, asked: str, there: str, gone: str) -> None:
        page = cast.client("monitor").get(f"/audit/?{asked}").content.decode()
        table = page[page.index("<tbody>") :]
        assert there in table
        assert gone not in table

    def test_a_site_that_is_not_ones_own_is_no_choice(self, cast: Cast, entered: Any) -> None:
        away = cast.subject(site=cast.away)
        answer = cast.client("investigator").get("/audit/?site=SE-02")
        assert answer.status_code == 422
        assert away.number not in answer.content.decode()

    def test_the_table_is_safe_in_a_spreadsheet_and_says_everything(self, cast: Cast, entered: Any) -> None:
        rows = rows_of(cast.client("datamanager").get(f"/audit/file/?subject={entered.number}"))
        changed = next(row for row in rows if row["OLD"] == "21.0 g/dL")
        assert changed["NEW"] == "12.0 g/dL"
        assert changed["FIELD"] == "Haemoglobin"
        assert changed["REASON"] == "digits swapped"
        assert changed["WHO"] == "Coordinator Person"
        assert changed["SITE"] == "NO-01"
        assert "'=1+1" in {row["NEW"] for row in rows}

    @pytest.mark.req("AUD-11")
    def test_the_table_holds_ones_own_site_only(self, cast: Cast, entered: Any) -> None:
        cast.subject(site=cast.away)
        rows = rows_of(cast.client("investigator2").get("/audit/file/"))
        assert {row["SITE"] for row in rows} == {"SE-02"}

    def test_a_wrong_date_gives_no_table(self, cast: Cast) -> None:
        assert cast.client("monitor").get("/audit/file/?since=soon").status_code == 422


@pytest.mark.req("AUD-13")
class TestReview:
    SAID = {"focus": "Late entries", "risk": "MEDIUM", "result": "CLEAR", "finding": "Explained by holidays."}

    def test_a_window_is_reviewed_and_the_review_listed_and_exported(self, cast: Cast, entered: Any) -> None:
        client = cast.client("monitor")
        page = client.get("/audit/review/?form=LB").content.decode()
        assert "Changed with a reason" in page
        answer = client.post("/audit/review/?form=LB&reason=swapped", self.SAID)
        assert answer.status_code == 302
        review = TrailReview.objects.get()
        assert review.window == {"form": "LB", "reason": "swapped"}
        assert review.events == 1
        assert review.reviewer == "Monitor Person"
        assert "Late entries" in client.get("/audit/reviews/").content.decode()
        (row,) = rows_of(client.get("/audit/reviews/?format=csv"))
        assert row["FINDING"] == "Explained by holidays."
        assert row["WINDOW"] == "form: LB, reason: swapped"

    def test_what_is_followed_up_is_said(self, cast: Cast, entered: Any) -> None:
        answer = cast.client("monitor").post("/audit/review/", {**self.SAID, "result": "FOLLOW_UP"})
        assert answer.status_code == 422
        assert "Say what is followed up" in answer.content.decode()
        assert "Explained by holidays." in answer.content.decode()  # nothing typed is lost
        assert not TrailReview.objects.exists()

    def test_a_review_of_all_sites_is_not_shown_at_one(self, cast: Cast, entered: Any) -> None:
        cast.client("monitor").post("/audit/review/", self.SAID)
        assert "Late entries" not in cast.client("investigator").get("/audit/reviews/").content.decode()
        assert "Late entries" in cast.client("datamanager").get("/audit/reviews/").content.decode()

    def test_what_is_worth_a_look_is_counted(self, cast: Cast, entered: Any) -> None:
        page = cast.client("datamanager").get("/audit/review/").content.decode()
        for title in ("Signed forms changed", "Forms unlocked", "Entered more than 14 days", "between 22:00"):
            assert title in page

    def test_a_late_entry_counts_as_late(self, cast: Cast, entered: Any) -> None:
        with setting_up():
            Visit.objects.filter(subject=entered, code="SCR").update(
                happened_on=(now() - timedelta(days=30)).date(), state="DONE"
            )
        late = cast.client("monitor").get("/audit/?look=late").content.decode()
        assert "21.0 g/dL" in late
        assert "=1+1" not in late


@pytest.mark.req("AUD-05")
class TestStanding:
    def test_the_foot_of_a_page_says_how_far_the_trail_is_sealed(self, cast: Cast) -> None:
        client = cast.client("coordinator")
        assert "not checked yet" in client.get("/subjects/").content.decode()
        services.seal_events()
        tasks.verify()
        assert TrailCheck.objects.get().faults == 0
        page = client.get("/subjects/").content.decode()
        assert "Trail sealed up to" in page or "Trail not sealed yet" in page
        assert "· checked" in page

    def test_a_fault_is_told_on_every_page(self, cast: Cast) -> None:
        with setting_up():
            TrailCheck.objects.create(
                events=9,
                seals=1,
                unsealed=0,
                faults=2,
                first_fault="event 3: its content is not what was recorded",
            )
        client = cast.client("coordinator")
        assert "Trail altered" in client.get("/subjects/").content.decode()
        page = client.get("/audit/seals/").content.decode()
        assert "found 2 broken places" in page
        assert "event 3" in page

    def test_a_verification_that_is_long_ago_is_told(self, cast: Cast) -> None:
        with setting_up():
            TrailCheck.objects.create(
                at=now() - timedelta(days=3), events=9, seals=1, unsealed=0, faults=0, first_fault=""
            )
        assert "(overdue)" in cast.client("coordinator").get("/subjects/").content.decode()

    def test_nobody_who_is_not_signed_in_sees_it(self, db: None) -> None:
        assert "Trail" not in Client().get("/sign-in/").content.decode()
        assert Client().get("/audit/seals/").status_code == 302


class TestBundle:
    def test_a_data_manager_takes_all_content_of_subjects(self, cast: Cast, entered: Any) -> None:
        answer = cast.client("datamanager").post("/audit/bundle/")
        archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
        events = archive.read("events.jsonl").decode()
        assert "digits swapped" in events
        assert "signatures.jsonl" in archive.namelist()
        assert "accounts_user" not in events
        assert TrailBundle.objects.get().by == "Datamanager Person"

    @pytest.mark.req("AUD-11")
    def test_a_sponsor_and_an_administrator_get_the_chain_without_the_data(
        self, cast: Cast, entered: Any
    ) -> None:
        for role, there in (("sponsor", False), ("admin", True)):
            answer = cast.client(role).post("/audit/bundle/")
            archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
            events = archive.read("events.jsonl").decode()
            assert "digits swapped" not in events
            assert ("accounts_user" in events) is there

    def test_others_may_not(self, cast: Cast) -> None:
        for role in ("coordinator", "investigator", "monitor", "radiologist", "outsider"):
            assert cast.client(role).post("/audit/bundle/").status_code == 404, role


def test_a_review_costs_the_same_for_few_and_for_many_events(
    cast: Cast, entered: Any, statements: Callable[[], Any]
) -> None:
    client, counts = cast.client("monitor"), []
    client.get("/audit/review/")
    for number in range(6):
        cast.subject()
        if number in (0, 5):
            with statements() as done:
                assert client.get("/audit/review/").status_code == 200
            counts.append(len(done.counted))
    assert counts[0] == counts[1]
