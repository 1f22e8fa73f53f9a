"""Who is let in: tokens and sessions, what a token was given, problems, and limits of rate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from redis.exceptions import ConnectionError as RedisDown

from accounts.models import ApiToken, Grant
from accounts.services import revoke_token
from audit.context import service_actor
from audit.models import Event
from foundation import api
from foundation.clock import now
from tests.api.conftest import Program, problem, type_program
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_without_a_key_nobody_is_let_in_and_nothing_is_told(cast: Cast) -> None:
    subject = cast.subject()
    for address in ("subjects/", f"subjects/{subject.number}/", "subjects/EXC-999-999/", "no-such-thing/"):
        answer = Program(Client(), {}).get(address)
        problem(answer, 401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.req("ACC-10")
def test_a_revoked_or_expired_token_opens_nothing(program: type_program) -> None:
    mine = program("coordinator")
    assert mine.get("subjects/").status_code == 200
    with time_machine.travel(now() + timedelta(days=30, seconds=1)):
        problem(mine.get("subjects/"), 401, "authentication_failed")
    revoke_token(actor=service_actor("x"), token=ApiToken.objects.get())
    problem(mine.get("subjects/"), 401, "authentication_failed")


def test_a_session_may_read_and_needs_its_csrf_token_to_write(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.people["coordinator"], backend="accounts.backends.PeopleBackend")
    assert browser.get("/api/v1/subjects/").status_code == 200
    body = {"patient": "P-0001", "site": "NO-01", "trials": ["EXCALIBUR"]}
    refused = browser.post("/api/v1/subjects/", body, content_type="application/json")
    problem(refused, 403, "permission_denied")
    browser.get("/api/docs/")
    token = browser.cookies["hilum_csrf"].value
    sent = browser.post(
        "/api/v1/subjects/", body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert sent.status_code == 201


@pytest.mark.req("ACC-02")
def test_a_token_does_what_it_was_given_and_says_what_it_was_not(cast: Cast, program: type_program) -> None:
    subject = cast.subject()
    reading = program("coordinator", ["subject.view", "entry.view"])
    form = f"subjects/{subject.number}/forms/SCR/LB/1/"
    assert reading.get(form).status_code == 200
    found = problem(reading.patch(form, {"items": {"HGB": {"value": "12"}}}), 403, "scope_missing")
    assert "entry.write" in found["detail"]
    problem(program("coordinator", ["entry.view"]).get(form), 403, "scope_missing")


def test_a_token_never_has_more_than_its_person(cast: Cast, program: type_program) -> None:
    subject = cast.subject()
    problem(program("sponsor").get(f"subjects/{subject.number}/"), 404, "not_found")
    problem(program("coordinator2").get(f"subjects/{subject.number}/"), 404, "not_found")
    assert [each["trial"] for each in program("sponsor").get("me/").json()["roles"]] == [
        "EXCALIBUR",
        "THERMODOX",
    ]
    assert program("outsider").get("me/").json()["roles"] == []


def test_what_a_program_writes_says_that_it_came_this_way(program: type_program) -> None:
    program("coordinator").post("subjects/", {"patient": "P-0009", "site": "NO-01", "trials": ["EXCALIBUR"]})
    event = Event.objects.filter(table_name="patients_patient").latest("id")
    assert (event.origin, event.actor, event.role) == ("api", "Coordinator Person", "coordinator")


def test_an_address_that_is_not_there_is_a_problem_and_no_page(program: type_program) -> None:
    mine = program("coordinator")
    problem(mine.get("no-such-thing/"), 404, "not_found")
    problem(mine.get("subjects/EXC-001-%00/"), 404, "not_found")
    problem(mine.send("DELETE", "subjects/"), 405, "method_not_allowed")


def test_what_cannot_be_read_is_refused(program: type_program) -> None:
    mine = program("coordinator")
    client, headers = mine.client, mine.headers

    def post(body: str, kind: str = "application/json") -> object:
        return client.post("/api/v1/subjects/", body, content_type=kind, headers=headers)

    problem(post("{"), 400, "parse_error")  # type: ignore[arg-type]
    problem(post("a=b", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")  # type: ignore[arg-type]
    found = problem(post("[]"), 422, "invalid")  # type: ignore[arg-type]
    assert "body" in found["errors"]
    problem(post('"' + "x" * (5 * 1024 * 1024) + '"'), 413, "too_large")  # type: ignore[arg-type]


def test_too_many_requests_have_to_wait(program: type_program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.PersonThrottle, "rate", "2/min", raising=False)
    mine, other = program("coordinator"), program("monitor")
    assert [mine.get("me/").status_code for _ in range(2)] == [200, 200]
    refused = mine.get("me/")
    problem(refused, 429, "throttled")
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert other.get("me/").status_code == 200


def test_guessing_keys_has_to_wait(
    cast: Cast, program: type_program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.StrangerThrottle, "rate", "2/min", raising=False)
    guessing = Program(Client(), {"Authorization": "Bearer hilum_wrong"})
    assert [guessing.get("me/").status_code for _ in range(3)] == [401, 401, 429]
    assert program("coordinator").get("me/").status_code == 200


def test_nobody_waits_because_the_cache_is_down(
    program: type_program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Down:
        def get(self, *_: object) -> None:
            raise RedisDown

    monkeypatch.setattr(api._Throttle, "cache", Down())
    assert program("coordinator").get("me/").status_code == 200
    assert "does not answer" in caplog.text


def test_writing_elsewhere_is_no_leave_to_write_here(
    cast: Cast, program: type_program, grant: Callable[..., Grant]
) -> None:
    """The monitor of all sites who is a coordinator at the other one reads here, and writes there."""
    grant(cast.people["monitor"], "coordinator", "EXCALIBUR", cast.away.code)
    both = program("monitor")
    for subject, status in ((cast.subject(), 403), (cast.subject(site=cast.away), 200)):
        form = f"subjects/{subject.number}/forms/SCR/LB/1/"
        assert both.get(form).status_code == 200
        assert both.patch(form, {"items": {"PLAT": {"missing": "ND"}}}).status_code == status
        day = both.post(f"subjects/{subject.number}/visits/SCR/happened/", {"happened_on": "2025-03-03"})
        assert day.status_code == status
