"""Every answer has a number and its headers; a broken rule is a sentence, for people and for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from foundation.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from foundation.middleware import (
    DomainErrorMiddleware,
    NoStoreMiddleware,
    RequestIdFilter,
    RequestIdMiddleware,
    request_id,
)
from foundation.web import is_htmx, problem

Get = Callable[[HttpRequest], HttpResponseBase]


class TooManyProcedures(DomainError):
    code = "too_many_procedures"
    template = "A subject has at most {allowed} procedures; this would be number {number}."
    status = 409


@pytest.fixture
def get() -> HttpRequest:
    return RequestFactory().get("/subjects/TDX-001-003/")


def fine(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request_id())


def test_the_sentence_is_made_from_the_data() -> None:
    error = TooManyProcedures(allowed=2, number=3)
    assert error.message == str(error) == "A subject has at most 2 procedures; this would be number 3."
    assert error.data == {"allowed": 2, "number": 3}


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotFound(), 404), (Forbidden(), 403), (Conflict(), 409), (Invalid({"HGB": "No unit."}), 422)],
)
def test_an_error_has_its_status(get: HttpRequest, error: DomainError, status: int) -> None:
    assert problem(get, error).status_code == status


def test_a_program_gets_a_problem_document() -> None:
    request = RequestFactory().get("/api/v1/entries/4/")
    answer = problem(request, Invalid({"HGB": "A value needs its unit."}))
    assert answer["Content-Type"] == "application/problem+json"
    document = json.loads(answer.content)
    assert document["status"] == 422
    assert document["type"] == "urn:hilum:problem:invalid"
    assert document["errors"] == {"HGB": "A value needs its unit."}
    assert document["instance"] == "/api/v1/entries/4/"


def test_a_broken_rule_in_a_view_becomes_a_sentence(get: HttpRequest) -> None:
    answer = DomainErrorMiddleware(fine).process_exception(get, TooManyProcedures(allowed=2, number=3))
    assert answer is not None
    assert answer.status_code == 409
    assert "at most 2 procedures" in answer.content.decode()


def test_what_a_person_typed_is_no_markup_in_the_sentence(get: HttpRequest) -> None:
    class Misspelt(DomainError):
        template = "There is no item {name}."

    assert "<script>" not in problem(get, Misspelt(name="<script>alert(1)</script>")).content.decode()


def test_a_bug_stays_a_bug(get: HttpRequest) -> None:
    assert DomainErrorMiddleware(fine).process_exception(get, ZeroDivisionError()) is None


def test_a_request_has_a_number_while_it_is_answered(get: HttpRequest) -> None:
    answer = RequestIdMiddleware(fine)(get)
    assert isinstance(answer, HttpResponse)
    assert answer["X-Request-ID"] == answer.content.decode() != ""
    assert request_id() == ""


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abcdef12-3456", True),
        ("short", False),
        ("x" * 65, False),
        ("line\r\nSet-Cookie: a=b", False),
        ("<b>bold</b>", False),
    ],
)
def test_a_proxys_number_is_kept_if_it_is_one(given: str, *, kept: bool) -> None:
    request = RequestFactory().get("/", headers={"X-Request-ID": given})
    assert (RequestIdMiddleware(fine)(request)["X-Request-ID"] == given) is kept


def test_each_line_of_the_log_has_the_number() -> None:
    record = logging.makeLogRecord({})
    assert RequestIdFilter().filter(record)
    assert record.__dict__["request_id"] == "-"


def test_pages_are_kept_nowhere(get: HttpRequest) -> None:
    answer = NoStoreMiddleware(fine)(get)
    assert answer["Cache-Control"] == "no-store"
    assert "camera=()" in answer["Permissions-Policy"]


def test_a_view_may_say_otherwise(get: HttpRequest) -> None:
    def frame(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Cache-Control": "private, max-age=60"})

    assert NoStoreMiddleware(frame)(get)["Cache-Control"] == "private, max-age=60"


@pytest.mark.parametrize(
    ("headers", "fragment"),
    [({}, False), ({"HX-Request": "true"}, True), ({"HX-Request": "true", "HX-Boosted": "true"}, False)],
)
def test_htmx_gets_a_fragment_unless_it_boosts_a_link(headers: dict[str, str], *, fragment: bool) -> None:
    assert is_htmx(RequestFactory().get("/", headers=headers)) is fragment


@pytest.mark.django_db
class TestWhatPeopleSee:
    def test_an_address_that_nobody_knows_is_a_page_with_a_way_out(
        self, client_for: Callable[..., Client]
    ) -> None:
        answer = client_for("datamanager", "EXCALIBUR").get("/no/such/page/")
        shown = answer.content.decode()
        assert answer.status_code == 404
        assert "There is nothing at this address, or you have no access to it." in shown
        assert "<nav" in shown
        assert "To the first page" in shown

    def test_a_refusal_leads_back_to_where_somebody_was(self, client_for: Callable[..., Client]) -> None:
        client = client_for("datamanager", "EXCALIBUR")
        for referer, back in (
            ("http://testserver/subjects/", True),
            ("https://elsewhere.example/", False),
            ("http://testserver/subjects/NO-SUCH/", False),
        ):
            shown = client.get("/subjects/NO-SUCH/", headers={"Referer": referer}).content.decode()
            assert (f'href="{referer}"' in shown) is back, referer

    def test_strangers_get_the_page_too(self, client: Client) -> None:
        answer = client.get("/no/such/page/")
        assert answer.status_code == 404
        assert "There is nothing at this address" in answer.content.decode()

    def test_a_page_that_was_open_too_long_says_what_to_do(self, client_for: Callable[..., Client]) -> None:
        user = client_for("datamanager", "EXCALIBUR")
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = user.cookies
        answer = strict.post("/subjects/new/", {})
        assert answer.status_code == 403
        assert "load the page again, and send it once more" in answer.content.decode()
