"""What comes before a signature: identity, accountability, a password of one's own, and the delegation log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError
from django.test import Client

from accounts import services
from accounts.errors import (
    AccountabilityNotAccepted,
    IdentityNotVerified,
    NotPrincipal,
    PasswordIsTemporary,
    PrincipalKnown,
    SelfChangeRefused,
    SelfGrantRefused,
    SignatureRefused,
    StatementOutdated,
)
from accounts.models import Delegation, Signature, User
from accounts.rules.accountability import CURRENT
from accounts.rules.delegations import overlaps
from accounts.selectors import is_principal
from audit.context import Actor, acting, service_actor
from audit.models import Event
from foundation.errors import DomainError, Invalid
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

HOUSE = service_actor("set-up")
UNKNOWN = {"identity_verified_at": None, "identity_verified_how": ""}
NOT_ACCEPTED = {"accountability_version": 0, "accountability_at": None}
FIRST = date(2025, 1, 1)


def sign(user: User, password: str = PASSWORD) -> Signature:
    return services.sign(
        user=user, password=password, meaning="approval", target_kind="x", target_id=1, digest="0" * 64,
        statement="I confirm.",
    )  # fmt: skip


def as_actor(user: User) -> Actor:
    return Actor(id=user.pk, name=user.full_name)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param(UNKNOWN, IdentityNotVerified, marks=pytest.mark.req("SIG-06")),
        pytest.param(NOT_ACCEPTED, AccountabilityNotAccepted, marks=pytest.mark.req("SIG-08")),
        pytest.param({"password_is_temporary": True}, PasswordIsTemporary, marks=pytest.mark.req("SIG-09")),
    ],
)
def test_without_it_nothing_is_signed(
    make_user: Callable[..., User], fields: dict[str, object], error: type[DomainError]
) -> None:
    user = make_user("inga", **fields)
    with pytest.raises(error) as refusal:
        sign(user)
    assert refusal.value.status == 403
    assert not Signature.objects.exists()


@pytest.mark.req("SIG-06")
def test_an_administrator_verifies_who_somebody_is_and_nobody_does_it_for_themselves(
    make_user: Callable[..., User],
) -> None:
    inga, admin = make_user("inga", **UNKNOWN), make_user("admin")
    with pytest.raises(SelfChangeRefused):
        services.verify_identity(actor=as_actor(inga), user=inga, how="document")
    with pytest.raises(Invalid):
        services.verify_identity(actor=as_actor(admin), user=inga, how="hearsay")
    services.verify_identity(actor=as_actor(admin), user=inga, how="video")
    inga.refresh_from_db()
    assert (inga.identity_verified_by, inga.identity_verified_how) == (admin, "video")
    assert "by video" in Event.objects.latest("id").reason
    with pytest.raises(IntegrityError), acting(HOUSE):
        User.objects.filter(pk=inga.pk).update(identity_verified_by=inga)


@pytest.mark.req("SIG-08")
def test_the_statement_in_force_is_accepted_by_its_version(make_user: Callable[..., User]) -> None:
    inga = make_user("inga", **NOT_ACCEPTED)
    with pytest.raises(StatementOutdated):
        services.accept_accountability(user=inga, version=CURRENT + 1)
    services.accept_accountability(user=inga, version=CURRENT)
    inga.refresh_from_db()
    assert inga.accountability_version == CURRENT
    assert inga.accountability_at is not None
    sign(inga)


@pytest.mark.req("SIG-08")
def test_a_new_version_is_accepted_again(
    make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    inga = make_user("inga")
    sign(inga)
    monkeypatch.setattr("accounts.services.signing.CURRENT", CURRENT + 1)
    with pytest.raises(AccountabilityNotAccepted):
        sign(inga)


@pytest.mark.req("SIG-09")
def test_an_administrator_who_sets_a_password_cannot_sign_with_it(
    make_user: Callable[..., User], client: Client
) -> None:
    inga, admin = make_user("inga"), make_user("admin")
    services.set_password(actor=as_actor(admin), user=inga, password="a quite different staple")
    with pytest.raises(PasswordIsTemporary):
        sign(inga, "a quite different staple")
    client.post("/sign-in/", {"login": "inga", "password": "a quite different staple"})
    answer = client.post(
        "/account/password/",
        {
            "oldpassword": "a quite different staple",
            "password1": "one that only Inga knows",
            "password2": "one that only Inga knows",
        },
    )
    assert answer.status_code == 302
    inga.refresh_from_db()
    assert not inga.password_is_temporary
    sign(inga, "one that only Inga knows")


@pytest.mark.req("SIG-09")
def test_a_first_password_is_temporary_as_well(db: None) -> None:
    user = services.create_user(actor=HOUSE, username="new", full_name="New", password="kettle on the left")
    assert user.password_is_temporary


@pytest.mark.req("SIG-02")
def test_the_first_signing_asks_for_the_user_name_too(make_user: Callable[..., User]) -> None:
    inga = make_user("inga")
    services.confirm_components(inga, PASSWORD, " Inga ")
    services.confirm_components(inga, PASSWORD, None)
    for username, password in (("anna", PASSWORD), ("", PASSWORD), ("inga", "wrong")):
        with pytest.raises(SignatureRefused):
            services.confirm_components(inga, password, username)


# The delegation log -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ((1, 5), (5, 9), True),
        ((1, 5), (6, 9), False),
        ((6, 9), (1, 5), False),
        ((1, None), (9, None), True),
        ((1, 5), (6, None), False),
        ((1, None), (1, 1), True),
    ],
)
def test_two_periods_that_share_a_day_overlap(
    one: tuple[int, int | None], other: tuple[int, int | None], shared: bool
) -> None:
    def days(period: tuple[int, int | None]) -> tuple[date, date | None]:
        return date(2025, 1, period[0]), date(2025, 1, period[1]) if period[1] else None

    assert overlaps(days(one), days(other)) is shared


@pytest.mark.req("SIG-11")
def test_a_site_has_one_principal_investigator_at_a_time(make_user: Callable[..., User]) -> None:
    inga, odd = make_user("inga"), make_user("odd")
    first = services.name_principal(actor=HOUSE, user=inga, trial="T", site="NO-01", starts=FIRST)
    with pytest.raises(PrincipalKnown):
        services.name_principal(actor=HOUSE, user=odd, trial="T", site="NO-01", starts=date(2026, 1, 1))
    services.end_delegation(actor=HOUSE, delegation=first, ends=date(2025, 12, 31), reason="Retired")
    services.name_principal(actor=HOUSE, user=odd, trial="T", site="NO-01", starts=date(2026, 1, 1))
    assert is_principal(inga.pk, "T", "NO-01", date(2025, 12, 31))
    assert not is_principal(inga.pk, "T", "NO-01", date(2026, 1, 1))
    assert not is_principal(odd.pk, "T", "NO-01", date(2025, 12, 31))
    assert not is_principal(odd.pk, "T", "SE-02", date(2026, 1, 1))
    assert Event.objects.filter(table_name="accounts_delegation", reason="Retired").exists()


@pytest.mark.req("SIG-11")
def test_only_the_principal_investigator_delegates_and_never_to_themselves(
    make_user: Callable[..., User],
) -> None:
    inga, odd = make_user("inga"), make_user("odd")
    line = {"trial": "T", "site": "NO-01", "tasks": ["sign"], "starts": FIRST, "on": FIRST}
    services.name_principal(actor=HOUSE, user=inga, trial="T", site="NO-01", starts=FIRST)
    for actor, user, error in (
        (odd, odd, NotPrincipal),
        (inga, inga, SelfGrantRefused),
    ):
        with pytest.raises(error):
            services.delegate(actor=as_actor(actor), user=user, **line)  # type: ignore[arg-type]
    for wrong in ({"tasks": ["principal"]}, {"tasks": []}, {"ends": date(2024, 1, 1)}):
        with pytest.raises(Invalid):
            services.delegate(actor=as_actor(inga), user=odd, **{**line, **wrong})  # type: ignore[arg-type]
    services.delegate(actor=as_actor(inga), user=odd, **{**line, "tasks": ["sign", "consent"]})  # type: ignore[arg-type]
    assert Delegation.objects.filter(user=odd, entered_by=inga).count() == 2


def test_the_last_day_is_not_before_the_first_nor_entered_by_the_person(
    make_user: Callable[..., User],
) -> None:
    inga = make_user("inga")
    line = services.name_principal(actor=HOUSE, user=inga, trial="T", site="NO-01", starts=FIRST)
    with pytest.raises(Invalid):
        services.end_delegation(actor=HOUSE, delegation=line, ends=date(2024, 12, 31), reason="x")
    with pytest.raises(SelfGrantRefused):
        services.end_delegation(actor=as_actor(inga), delegation=line, ends=FIRST, reason="x")
