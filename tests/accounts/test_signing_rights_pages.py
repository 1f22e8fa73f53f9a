"""Pages around the right to sign: identity, accountability, the principal investigator, the delegation log."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from accounts.models import DelegatedTask, Delegation
from accounts.rules.accountability import CURRENT, STATEMENTS
from tests.cast import Cast

pytestmark = pytest.mark.django_db

HERE = "EXCALIBUR/NO-01"


@pytest.mark.req("SIG-08")
def test_a_person_reads_and_accepts_the_statement(cast: Cast) -> None:
    client = cast.client("monitor")
    assert "Accepted" in client.get("/account/accountability/").content.decode()
    assert client.post("/account/accountability/", {"version": CURRENT}).status_code == 302
    assert client.post("/account/accountability/", {"version": "0"}).status_code == 409
    assert STATEMENTS[CURRENT][:40] in client.get("/account/accountability/").content.decode()


@pytest.mark.req("SIG-06")
def test_an_administrator_records_how_an_identity_was_verified(cast: Cast) -> None:
    admin = cast.client("admin")
    assert admin.post("/people/monitor/identity/", {"how": "video"}).status_code == 302
    assert "Official document, shown by video" in admin.get("/people/monitor/signing/").content.decode()
    assert admin.post("/people/monitor/identity/", {"how": "x"}).status_code == 422
    assert admin.post("/people/admin/identity/", {"how": "video"}).status_code == 403


@pytest.mark.req("SIG-11")
def test_an_administrator_names_the_principal_investigator_after_the_one_before_ended(cast: Cast) -> None:
    admin = cast.client("admin")
    address = "/people/investigator2/signing/"
    refused = admin.post(address, {"place": HERE, "starts": "2026-01-01"})
    assert refused.status_code == 422
    assert "is principal investigator of NO-01 in those days" in refused.content.decode()
    line = Delegation.objects.get(user=cast.people["investigator"], trial="EXCALIBUR")
    ended = admin.post(
        f"/people/investigator/signing/{line.pk}/end/", {"ends": "2025-12-31", "reason": "Retired"}
    )
    assert ended.status_code == 302
    assert admin.post(address, {"place": HERE, "starts": "2026-01-01"}).status_code == 302
    assert admin.post(f"/people/monitor/signing/{line.pk}/end/", {}).status_code == 404


@pytest.mark.req("SIG-07")
def test_the_statement_names_the_letter_where_signatures_count_for_the_fda(cast: Cast, settings: Any) -> None:
    client = cast.client("investigator")
    settings.PART11_LETTER = ("FDA-2026-114", date(2026, 5, 1))
    assert "FDA-2026-114" not in client.get("/account/accountability/").content.decode()
    settings.PART11_SIGNING = True
    assert "FDA-2026-114 of 1 May 2026" in client.get("/account/accountability/").content.decode()


@pytest.mark.req("SIG-11")
def test_the_principal_investigator_keeps_the_log_of_the_site(cast: Cast) -> None:
    client = cast.client("investigator")
    page = client.get(f"/delegations/?place={HERE}").content.decode()
    assert "Principal investigator: signs the casebook" in page
    assert "Coordinator Person" in page
    body = {"username": "coordinator", "place": HERE, "tasks": ["entry", "consent"], "starts": "2026-01-01"}
    assert client.post("/delegations/add/", body).status_code == 302
    assert Delegation.objects.filter(user=cast.people["coordinator"]).count() == 2
    again = client.post("/delegations/add/", {**body, "tasks": []})
    assert again.status_code == 422
    assert "This field is required" in again.content.decode()
    line = Delegation.objects.get(task=DelegatedTask.CONSENT)
    end = f"/delegations/{line.pk}/end/"
    assert client.post(end, {"ends": "2026-02-01", "reason": "Left"}).status_code == 302
    assert cast.client("investigator2").post(end, {"ends": "2026-02-01", "reason": "x"}).status_code == 404
    assert cast.client("coordinator").post(end, {}).status_code == 404
    own = Delegation.objects.get(user=cast.people["investigator"], trial="EXCALIBUR")
    assert client.post(f"/delegations/{own.pk}/end/", {}).status_code == 404


def test_others_read_the_log_and_strangers_see_no_site(cast: Cast) -> None:
    page = cast.client("monitor").get(f"/delegations/?place={HERE}").content.decode()
    assert "Investigator Person" in page
    assert "keeps this log" in page
    away = cast.client("coordinator2").get(f"/delegations/?place={HERE}").content.decode()
    assert "Investigator2 Person" in away
    assert "NO-01" not in away
    assert cast.client("sponsor").get("/delegations/").status_code == 404
