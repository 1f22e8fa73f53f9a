"""Signing in, staying in, being locked out, leaving."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import services
from accounts.models import AccessEvent, AccessKind, User
from audit.context import service_actor
from audit.models import Event
from foundation.clock import now
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

HOUSE = service_actor("set-up")
OWN_PAGE = "/account/"


@pytest.fixture
def user(make_user: Callable[..., User]) -> User:
    return make_user("ada", full_name="Ada Lund")


def sign_in(client: Client, username: str = "ada", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in/", {"login": username, "password": password, **more})


def is_in(client: Client) -> bool:
    return bool(client.get(OWN_PAGE).status_code == 200)


def kinds(username: str = "ada") -> list[str]:
    return list(AccessEvent.objects.filter(username=username).order_by("id").values_list("kind", flat=True))


def words(answer: Any) -> str:
    """The page's words without its tags and the request's number."""
    page = answer.content.decode().replace(answer["X-Request-ID"], "")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_right_password_opens_the_door(client: Client, user: User) -> None:
    assert "Sign in" in client.get("/sign-in/").content.decode()
    answer = sign_in(client, next=OWN_PAGE)
    assert (answer.status_code, answer["Location"]) == (302, OWN_PAGE)
    assert is_in(client)
    assert kinds() == ["signed_in"]


def test_the_user_name_is_found_whatever_its_case(client: Client, user: User) -> None:
    sign_in(client, "ADA")
    assert is_in(client)


def test_each_event_at_the_door_is_in_the_trail(client: Client, user: User) -> None:
    sign_in(client, password="wrong")
    sign_in(client)
    client.post("/sign-out/")
    assert kinds() == ["failed", "signed_in", "signed_out"]
    recorded = Event.objects.filter(table_name="accounts_accessevent").order_by("id")
    assert [event.after["kind"] for event in recorded] == kinds()
    assert [event.actor for event in recorded] == ["sign-in", "Ada Lund", "Ada Lund"]
    assert not is_in(client)


def test_what_happened_at_the_door_is_never_changed(client: Client, user: User) -> None:
    sign_in(client)
    with pytest.raises(Exception, match="permission denied"):
        AccessEvent.objects.update(kind="signed_out")


# Locking ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("SES-03")
class TestLock:
    def test_four_failures_do_not_lock(self, client: Client, user: User) -> None:
        for _ in range(4):
            sign_in(client, password="wrong")
        sign_in(client)
        assert is_in(client)

    def test_five_failures_lock_even_for_the_right_password(self, client: Client, user: User) -> None:
        for _ in range(5):
            sign_in(client, password="wrong")
        sign_in(client)
        assert not is_in(client)
        assert kinds().count("failed") >= 5
        assert "locked" in kinds()

    def test_writing_the_name_another_way_gives_no_more_tries(self, client: Client, user: User) -> None:
        for name in ("ada", "ADA", "Ada", " ada", "aDa"):
            sign_in(client, name, "wrong")
        sign_in(client)
        assert not is_in(client)

    def test_the_lock_is_the_accounts_not_the_browsers(self, user: User) -> None:
        for _ in range(5):
            sign_in(Client(REMOTE_ADDR="10.0.0.1"), password="wrong")
        other = Client(REMOTE_ADDR="10.0.0.2")
        sign_in(other)
        assert not is_in(other)

    def test_it_opens_after_half_an_hour(self, client: Client, user: User) -> None:
        for _ in range(5):
            sign_in(client, password="wrong")
        with time_machine.travel(now() + timedelta(minutes=29)):
            sign_in(client)
            assert not is_in(client)
        with time_machine.travel(now() + timedelta(minutes=61)):
            sign_in(client)
            assert is_in(client)

    def test_an_account_that_is_not_there_reads_the_same(self, user: User) -> None:
        known, unknown = Client(), Client()
        for _ in range(7):
            mine, theirs = sign_in(known, password="wrong"), sign_in(unknown, "nobody", "wrong")
            assert mine.status_code == theirs.status_code
            assert words(mine) == words(theirs)
            assert "user name or the password is not right" in words(mine)

    def test_a_deactivated_account_reads_the_same(self, user: User, make_user: Callable[..., User]) -> None:
        gone = make_user("gone")
        services.deactivate(actor=HOUSE, user=gone, reason="left")
        assert words(sign_in(Client(), "gone")) == words(sign_in(Client(), "ada", "wrong"))

    def test_success_starts_the_count_again(self, client: Client, user: User) -> None:
        for _ in range(2):
            for _ in range(4):
                sign_in(client, password="wrong")
            sign_in(client)
            assert is_in(client)
            client.post("/sign-out/")


# Sessions -----------------------------------------------------------------------------------------------------------


class TestSessions:
    @pytest.mark.req("SES-01")
    @pytest.mark.parametrize(("minutes", "stays"), [(29, True), (31, False)])
    def test_a_pause_ends_the_session(self, client: Client, user: User, minutes: int, stays: bool) -> None:
        start = now()
        with time_machine.travel(start, tick=False):
            sign_in(client)
            client.get(OWN_PAGE)
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert is_in(client) is stays
            if not stays:
                assert "signed out after a pause" in client.get("/sign-in/").content.decode()
                assert kinds()[-1] == AccessKind.IDLE

    @pytest.mark.req("SES-01")
    def test_the_session_is_over_on_the_server(self, client: Client, user: User) -> None:
        sign_in(client)
        client.get(OWN_PAGE)
        key = client.session.session_key
        with time_machine.travel(now() + timedelta(minutes=31)):
            client.get(OWN_PAGE)
        assert not Session.objects.filter(session_key=key).exists()

    @pytest.mark.req("SES-02")
    def test_no_session_lasts_longer_than_twelve_hours(self, client: Client, user: User) -> None:
        start = now()
        with time_machine.travel(start, tick=False):
            sign_in(client)
        for minute in range(0, 12 * 60, 20):
            with time_machine.travel(start + timedelta(minutes=minute), tick=False):
                assert is_in(client), minute
        with time_machine.travel(start + timedelta(hours=12, seconds=1), tick=False):
            assert not is_in(client)

    @pytest.mark.req("SES-07")
    def test_a_key_that_nobody_was_given_opens_no_session_of_that_key(
        self, client: Client, user: User
    ) -> None:
        client.cookies["hilum_session"] = "chosenbythebrowser0123456789abcd"
        sign_in(client)
        assert not Session.objects.filter(session_key="chosenbythebrowser0123456789abcd").exists()

    @pytest.mark.req("SES-07")
    def test_signing_in_changes_the_session(self, client: Client, user: User) -> None:
        client.get("/sign-in/")
        session = client.session
        session["planted"] = "x"
        session.save()
        client.cookies["hilum_session"] = session.session_key
        before = session.session_key
        sign_in(client)
        assert client.session.session_key != before

    @pytest.mark.req("SES-07")
    def test_signing_out_ends_the_session_for_a_copied_cookie_too(self, client: Client, user: User) -> None:
        sign_in(client)
        thief = Client()
        thief.cookies = client.cookies.copy()
        assert is_in(thief)
        client.post("/sign-out/")
        assert not is_in(thief)

    @pytest.mark.req("SES-07")
    def test_a_new_password_ends_all_other_sessions(self, client: Client, user: User) -> None:
        other = Client()
        sign_in(client)
        sign_in(other)
        new = {
            "oldpassword": PASSWORD,
            "password1": "another long sentence",
            "password2": "another long sentence",
        }
        assert client.post("/account/password/", new).status_code == 302
        assert is_in(client)
        assert not is_in(other)
        assert kinds()[-1] == "password_changed"
        event = Event.objects.filter(table_name="accounts_user").latest("id")
        assert (event.actor, event.after) == ("Ada Lund", {"password": "***"})

    @pytest.mark.req("SES-07")
    def test_an_administrators_new_password_ends_all_sessions(self, client: Client, user: User) -> None:
        sign_in(client)
        services.set_password(actor=HOUSE, user=user, password="another long sentence")
        assert not is_in(client)

    @pytest.mark.req("SES-08")
    def test_i_see_where_i_am_signed_in_and_end_it_elsewhere(self, client: Client, user: User) -> None:
        other = Client(REMOTE_ADDR="10.0.0.2")
        sign_in(client)
        sign_in(other)
        page = client.get(OWN_PAGE).content.decode()
        assert '127.0.0.1 <span class="pill ok">This one</span>' in page
        assert "10.0.0.2" in page
        client.post("/account/sessions/end/")
        assert is_in(client)
        assert not is_in(other)
        assert "10.0.0.2</b>" not in client.get(OWN_PAGE).content.decode()

    def test_signing_out_needs_a_post(self, client: Client, user: User) -> None:
        sign_in(client)
        assert client.get("/sign-out/").status_code == 200
        assert is_in(client)


# Second factor ------------------------------------------------------------------------------------------------------


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


@pytest.mark.req("SES-04")
class TestSecondFactor:
    @pytest.fixture
    def secret(self, client: Client, user: User, django_capture_on_commit_callbacks: Any) -> str:
        sign_in(client)
        answer = client.get("/account/second-factor/add/")
        assert answer["Location"].startswith("/account/confirm/")  # the password is asked once more
        client.post(answer["Location"], {"password": PASSWORD})
        page = client.get("/account/second-factor/add/").content.decode()
        found = re.search(r'<dd class="code">([A-Z2-7]+)</dd>', page)
        assert found is not None
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post("/account/second-factor/add/", {"code": code_of(found[1])}).status_code == 302
        return found[1]

    def test_the_password_alone_does_not_open(self, secret: str, client: Client) -> None:
        assert "factor_added" in kinds()
        browser = Client()
        assert sign_in(browser)["Location"].startswith("/sign-in/second-factor/")
        assert not is_in(browser)
        with time_machine.travel(now() + timedelta(seconds=60)):
            browser.post("/sign-in/second-factor/", {"code": code_of(secret)})
            assert is_in(browser)

    def test_wrong_codes_lock_the_account(self, secret: str) -> None:
        browser = Client()
        sign_in(browser)
        for _ in range(5):
            browser.post("/sign-in/second-factor/", {"code": "000000"})
        another = Client()
        assert not sign_in(another).has_header("Location")

    def test_its_secret_is_not_in_the_trail(self, secret: str, user: User) -> None:
        stored = Authenticator.objects.get(user=user, type="totp").data
        recorded = str(list(Event.objects.values_list("before", "after")))
        assert stored["secret"] not in recorded
        assert "***" in recorded

    def test_recovery_codes_are_made_and_shown(self, secret: str, client: Client) -> None:
        page = client.get("/account/recovery-codes/").content.decode()
        assert page.count("<li>") >= 10
        assert "authenticator app is set up" in client.get("/account/second-factor/").content.decode()

    def test_it_can_be_removed(self, secret: str, client: Client) -> None:
        assert client.get("/account/second-factor/remove/").status_code == 200
        client.post("/account/second-factor/remove/")
        assert "factor_removed" in kinds()


@pytest.mark.parametrize(
    "address", ["/account/password/", "/account/second-factor/", "/account/tokens/", "/account/confirm/"]
)
def test_own_pages_are_there(client: Client, user: User, address: str) -> None:
    sign_in(client)
    assert client.get(address).status_code == 200
