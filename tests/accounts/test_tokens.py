"""Keys for programs: shown once, limited, ended at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client, RequestFactory
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import services
from accounts.authentication import TokenAuthentication
from accounts.models import ApiToken, Grant, User
from audit.context import Actor, service_actor
from audit.models import Event
from foundation.clock import now
from foundation.errors import Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(make_user: Callable[..., User], grant: Callable[..., Grant]) -> User:
    user = make_user("ada")
    grant(user, "coordinator", "TDX", "NO-01")
    return user


@pytest.fixture
def made(user: User) -> tuple[ApiToken, str]:
    return services.make_token(
        actor=Actor(user.pk, "Ada"),
        user=user,
        name="lab import",
        scopes=["entry.view"],
        lifetime=timedelta(days=30),
    )


def request_with(text: str) -> Request:
    return Request(RequestFactory().get("/api/v1/", HTTP_AUTHORIZATION=text))


def test_a_token_acts_for_its_person_within_its_scopes(made: tuple[ApiToken, str], user: User) -> None:
    request = request_with(f"Bearer {made[1]}")
    found = TokenAuthentication().authenticate(request)
    assert found == (user, made[0])
    access = request._request.access
    assert access.may("entry.view", "TDX", "NO-01")
    assert not access.may("entry.write", "TDX", "NO-01")
    assert not access.may("entry.view", "TDX", "NO-02")


def test_only_its_digest_is_kept(made: tuple[ApiToken, str]) -> None:
    token, text = made
    assert text not in str(ApiToken.objects.values().get())
    assert text.startswith(token.prefix)
    assert token.digest not in str(list(Event.objects.values_list("after", flat=True)))


@pytest.mark.parametrize("text", ["Bearer", "Bearer hilum_wrong", "Bearer a b", "Bearer \xff"])
def test_what_is_no_token_is_refused(text: str, made: tuple[ApiToken, str]) -> None:
    with pytest.raises(AuthenticationFailed):
        TokenAuthentication().authenticate(request_with(text))


@pytest.mark.parametrize("text", ["", "Basic YTpi"])
def test_other_ways_in_are_left_to_others(text: str) -> None:
    assert TokenAuthentication().authenticate(request_with(text)) is None


def test_a_revoked_token_opens_nothing(made: tuple[ApiToken, str]) -> None:
    services.revoke_token(actor=service_actor("x"), token=made[0])
    with pytest.raises(AuthenticationFailed):
        TokenAuthentication().authenticate(request_with(f"Bearer {made[1]}"))


@pytest.mark.parametrize(("days", "opens"), [(29.9, True), (30.1, False)])
def test_a_token_ends(made: tuple[ApiToken, str], days: float, opens: bool) -> None:
    request = request_with(f"Bearer {made[1]}")
    with time_machine.travel(now() + timedelta(days=days)):
        if opens:
            assert TokenAuthentication().authenticate(request)
        else:
            with pytest.raises(AuthenticationFailed):
                TokenAuthentication().authenticate(request)


@pytest.mark.req("ACC-10")
def test_tokens_of_somebody_who_left_open_nothing(made: tuple[ApiToken, str], user: User) -> None:
    services.deactivate(actor=service_actor("x"), user=user, reason="left")
    with pytest.raises(AuthenticationFailed):
        TokenAuthentication().authenticate(request_with(f"Bearer {made[1]}"))
    services.reactivate(actor=service_actor("x"), user=user, reason="is back")
    with pytest.raises(AuthenticationFailed):
        TokenAuthentication().authenticate(request_with(f"Bearer {made[1]}"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"scopes": []},
        {"scopes": ["all"]},
        {"lifetime": timedelta(0)},
        {"lifetime": timedelta(days=366)},
    ],
)
def test_a_token_has_a_purpose_a_limit_and_an_end(user: User, wrong: dict[str, object]) -> None:
    given = {"name": "lab", "scopes": ["entry.view"], "lifetime": timedelta(days=365), **wrong}
    with pytest.raises(Invalid) as refusal:
        services.make_token(actor=Actor(user.pk, "Ada"), user=user, **given)
    assert set(refusal.value.errors) == set(wrong)


def test_the_page_shows_a_new_token_once(user: User, client_for: Callable[..., Client]) -> None:
    client = client_for(user)
    page = client.post(
        "/account/tokens/", {"name": "lab", "scopes": ["entry.view"], "days": 30}
    ).content.decode()
    shown = re.search(r"hilum_[\w-]{43}", page)
    assert shown is not None
    assert TokenAuthentication().authenticate(request_with(f"Bearer {shown[0]}"))
    assert shown[0] not in client.get("/account/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert "Revoked" in client.get("/account/tokens/").content.decode()
    assert client.post("/account/tokens/", {"name": "", "days": 0}).status_code == 422


def test_nobody_revokes_anothers_token(made: tuple[ApiToken, str], client_for: Callable[..., Client]) -> None:
    assert client_for("monitor", "TDX").post(f"/account/tokens/{made[0].pk}/revoke/").status_code == 404
    made[0].refresh_from_db()
    assert made[0].revoked_at is None
