"""Who may do what, where, from when to when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts import places, services
from accounts.access import NOBODY, Access, RoleGrant
from accounts.decorators import mark_of, permission
from accounts.errors import (
    GrantEnded,
    LastAdministratorRefused,
    SelfChangeRefused,
    SelfGrantRefused,
    UnknownRole,
    UsernameTaken,
)
from accounts.models import Grant, User
from accounts.policies import PERMISSIONS, ROLES
from accounts.selectors import access_of, people
from audit.context import Actor, acting, service_actor
from audit.models import Event
from foundation.clock import now
from foundation.errors import Forbidden, Invalid, NotFound
from tests.conftest import PASSWORD

HOUSE = service_actor("set-up")
ADMIN = Actor(id=10**9, name="Admin")


def access(*grants: tuple[str, str, str], only: frozenset[str] | None = None) -> Access:
    return Access(1, "Ada", tuple(RoleGrant(*grant) for grant in grants), only)


@pytest.mark.req("ACC-02")
@pytest.mark.parametrize(
    ("held", "asked", "allowed"),
    [
        (("coordinator", "TDX", "NO-01"), ("entry.write", "TDX", "NO-01"), True),
        (("coordinator", "TDX", "NO-01"), ("entry.write", "TDX", "NO-02"), False),
        (("coordinator", "TDX", "NO-01"), ("entry.write", "EXC", "NO-01"), False),
        (("coordinator", "TDX", "NO-01"), ("entry.write", "TDX", None), True),
        (("coordinator", "TDX", ""), ("entry.write", "TDX", "NO-02"), True),
        (("monitor", "TDX", ""), ("entry.write", "TDX", "NO-01"), False),
        (("monitor", "TDX", ""), ("verify.entry", "TDX", "NO-01"), True),
        (("investigator", "TDX", "NO-01"), ("eligibility.sign", "TDX", "NO-01"), True),
        (("coordinator", "TDX", "NO-01"), ("eligibility.sign", "TDX", "NO-01"), False),
        (("admin", "", ""), ("user.admin", "", None), True),
        (("admin", "", ""), ("trial.admin", "TDX", "NO-01"), True),
        (("admin", "", ""), ("entry.view", "TDX", "NO-01"), False),
        (("radiologist", "TDX", ""), ("subject.view", "TDX", None), False),
        (("sponsor", "TDX", ""), ("subject.view", "TDX", None), False),
    ],
)
def test_a_role_reaches_as_far_as_its_trial_and_site(
    held: tuple[str, str, str], asked: tuple[str, str, str | None], allowed: bool
) -> None:
    assert access(held).may(*asked) is allowed


@pytest.mark.req("ACC-04")
def test_readers_and_sponsors_see_no_casebook() -> None:
    """Central readers are blind to clinical data, and sponsors to single subjects."""
    for role in ("radiologist", "adjudicator", "sponsor"):
        may = {name for name, roles in PERMISSIONS.items() if role in roles}
        assert may.isdisjoint(
            {"subject.view", "entry.view", "eligibility.view", "treatment.view", "audit.view"}
        )


@pytest.mark.req("ACC-05")
def test_administrators_see_no_data_of_subjects() -> None:
    """They run accounts and trials, and hand the trail to an inspector; what is in it stays closed to them."""
    held = {name for name, roles in PERMISSIONS.items() if "admin" in roles}
    assert held == {"trial.admin", "user.admin", "protocol.approve", "trail.export", "edit.stop"}


def test_the_table_names_known_roles_only() -> None:
    assert set().union(*PERMISSIONS.values()) == set(ROLES)


def test_a_misspelt_permission_is_an_error() -> None:
    with pytest.raises(KeyError):
        access(("coordinator", "TDX", "")).may("entry.wrte", "TDX")
    with pytest.raises(ValueError, match="entry"):
        permission("entry.wrte")


def test_who_belongs_there_is_told_and_a_stranger_is_not() -> None:
    coordinator = access(("coordinator", "TDX", "NO-01"))
    coordinator.require("entry.write", "TDX", "NO-01")
    with pytest.raises(Forbidden):
        coordinator.require("eligibility.sign", "TDX", "NO-01")
    with pytest.raises(NotFound):
        coordinator.require("entry.write", "TDX", "NO-02")
    with pytest.raises(NotFound):
        access(("admin", "", "")).require("entry.write", "TDX", "NO-01")


def test_scopes_and_trials() -> None:
    both = access(("coordinator", "TDX", "NO-01"), ("monitor", "EXC", ""), ("coordinator", "TDX", "NO-02"))
    assert both.scopes("subject.view") == [("EXC", ""), ("TDX", "NO-01"), ("TDX", "NO-02")]
    assert both.trials("entry.write") == {"TDX"}
    assert both.actor("EXC").role == "monitor"
    assert both.actor().role == "coordinator, monitor"


def test_nobody_may_do_nothing() -> None:
    assert not any(NOBODY.may_anywhere(name) for name in PERMISSIONS)
    with pytest.raises(PermissionError):
        NOBODY.actor()


def test_a_token_never_has_more_than_its_person() -> None:
    limited = access(("coordinator", "TDX", ""), only=frozenset({"entry.view", "eligibility.sign"}))
    assert limited.may("entry.view", "TDX")
    assert not limited.may("entry.write", "TDX")
    assert not limited.may("eligibility.sign", "TDX")


# In force -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.req("ACC-06")
def test_a_role_holds_from_its_start_up_to_its_end(
    make_user: Callable[..., User], grant: Callable[..., Grant]
) -> None:
    user, moment = make_user("ada"), now()
    grant(user, "monitor", "TDX", starts=moment, ends=moment + timedelta(hours=1))
    for offset, held in ((-1, False), (0, True), (3599, True), (3600, False)):
        with time_machine.travel(moment + timedelta(seconds=offset), tick=False):
            assert access_of(User.objects.get(pk=user.pk)).may("verify.entry", "TDX") is held


@pytest.mark.django_db
@pytest.mark.req("ACC-06")
def test_an_ended_role_is_gone_at_once_for_somebody_signed_in(
    make_user: Callable[..., User], grant: Callable[..., Grant], client_for: Callable[..., Client]
) -> None:
    user = make_user("ada")
    held = grant(user, "admin")
    client = client_for(user)
    assert client.get("/people/").status_code == 200
    with acting(HOUSE):
        Grant.objects.filter(pk=held.pk).update(ends=now())
    assert client.get("/people/").status_code == 404


@pytest.mark.django_db
@pytest.mark.req("ACC-10")
def test_a_deactivated_person_is_out_at_once(
    make_user: Callable[..., User], client_for: Callable[..., Client]
) -> None:
    user = make_user("ada")
    client = client_for(user)
    assert client.get("/account/").status_code == 200
    services.deactivate(actor=HOUSE, user=user, reason="left")
    assert client.get("/account/").status_code == 302
    services.reactivate(actor=HOUSE, user=user, reason="is back")
    assert client.get("/account/").status_code == 302  # the old session stays dead


@pytest.mark.django_db
def test_person_and_roles_come_in_one_statement(
    make_user: Callable[..., User],
    grant: Callable[..., Grant],
    client_for: Callable[..., Client],
    statements: Any,
) -> None:
    user = make_user("ada")
    for site in ("NO-01", "NO-02", "NO-03"):
        grant(user, "coordinator", "TDX", site)
    client = client_for(user)
    client.get("/people/")  # the session's time stamps are written once a minute
    with statements() as done:
        assert (
            client.get("/people/", headers={"HX-Request": "true"}).status_code == 404
        )  # a sentence, no page
    assert [sql.split()[0] for sql in done.counted] == ["SELECT", "SELECT"], (
        done.counted
    )  # session; person with roles


# Granting -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.req("ACC-05")
class TestGranting:
    def test_a_role_is_granted_and_says_by_whom(self, make_user: Callable[..., User]) -> None:
        boss, user = make_user("boss"), make_user("ada")
        given = services.grant_role(
            actor=Actor(boss.pk, "Boss"),
            user=user,
            role="coordinator",
            trial="TDX",
            site="NO-01",
            reason="trained",
        )
        assert (given.granted_by, access_of(user).may("entry.write", "TDX", "NO-01")) == (boss, True)
        event = Event.objects.latest("id")
        assert (event.actor, event.reason, event.after["role"]) == ("Boss", "trained", "coordinator")

    def test_granting_twice_is_one_role(self, make_user: Callable[..., User]) -> None:
        user = make_user("ada")
        first, second = (
            services.grant_role(actor=HOUSE, user=user, role="monitor", trial="TDX") for _ in range(2)
        )
        assert first == second

    def test_nobody_grants_to_themselves(self, make_user: Callable[..., User]) -> None:
        user = make_user("ada")
        with pytest.raises(SelfGrantRefused):
            services.grant_role(actor=Actor(user.pk, "Ada"), user=user, role="admin")

    def test_nor_past_the_services(self, make_user: Callable[..., User]) -> None:
        user = make_user("ada")
        with pytest.raises(IntegrityError, match="themselves"), acting(HOUSE):
            Grant.objects.create(user=user, role="admin", starts=now(), granted_by=user)

    @pytest.mark.parametrize(
        ("role", "trial", "site"),
        [("wizard", "TDX", ""), ("coordinator", "", ""), ("admin", "TDX", ""), ("admin", "", "NO-01")],
    )
    def test_roles_that_cannot_be(
        self, make_user: Callable[..., User], role: str, trial: str, site: str
    ) -> None:
        with pytest.raises(UnknownRole):
            services.grant_role(actor=HOUSE, user=make_user("ada"), role=role, trial=trial, site=site)

    def test_the_last_administrator_stays(
        self, make_user: Callable[..., User], grant: Callable[..., Grant]
    ) -> None:
        one, two = make_user("one"), make_user("two")
        first, second = grant(one, "admin"), grant(two, "admin")
        services.end_grant(actor=HOUSE, grant=first, reason="moved")
        with pytest.raises(LastAdministratorRefused):
            services.end_grant(actor=HOUSE, grant=second, reason="moved")
        with pytest.raises(LastAdministratorRefused):
            services.deactivate(actor=HOUSE, user=two, reason="left")
        assert access_of(two).may_anywhere("user.admin")

    def test_a_role_ends_once_and_not_by_oneself(
        self, make_user: Callable[..., User], grant: Callable[..., Grant]
    ) -> None:
        user = make_user("ada")
        held = grant(user, "monitor", "TDX")
        with pytest.raises(SelfGrantRefused):
            services.end_grant(actor=Actor(user.pk, "Ada"), grant=held, reason="no time")
        services.end_grant(actor=HOUSE, grant=held, reason="no time")
        assert Event.objects.latest("id").reason == "no time"
        with pytest.raises(GrantEnded):
            services.end_grant(actor=HOUSE, grant=held, reason="no time")

    def test_a_role_is_never_deleted(
        self, make_user: Callable[..., User], grant: Callable[..., Grant]
    ) -> None:
        held = grant(make_user("ada"), "monitor", "TDX")
        with pytest.raises(IntegrityError, match="never deleted"), acting(HOUSE):
            held.delete()


# People -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
class TestPeople:
    @pytest.mark.req("ACC-01")
    def test_a_name_is_given_once_whatever_its_case(self, make_user: Callable[..., User]) -> None:
        services.deactivate(actor=HOUSE, user=make_user("ada"), reason="left")
        with pytest.raises(UsernameTaken):
            services.create_user(actor=HOUSE, username="Ada", full_name="Ada Two", password=PASSWORD)
        with pytest.raises(IntegrityError), acting(HOUSE):
            User.objects.create(username="ADA", full_name="Ada Two")

    @pytest.mark.req("ACC-01")
    def test_an_e_mail_address_belongs_to_one_account(self, make_user: Callable[..., User]) -> None:
        make_user("ada", email="ada@example.org")
        with pytest.raises(Invalid) as refusal:
            services.create_user(
                actor=HOUSE, username="x", full_name="X", email="Ada@example.org", password=PASSWORD
            )
        assert "one account" in str(refusal.value.errors)

    @pytest.mark.req("SES-05")
    @pytest.mark.parametrize("password", ["short", "password1234", "coordinator1"])
    def test_a_weak_password_is_refused(self, password: str) -> None:
        with pytest.raises(Invalid) as refusal:
            services.create_user(
                actor=HOUSE, username="coordinator", full_name="Co Ordinator", password=password
            )
        assert "password" in refusal.value.errors

    @pytest.mark.req("SIG-05")
    def test_an_account_is_never_deleted_nor_renamed(self, make_user: Callable[..., User]) -> None:
        user = make_user("ada")
        with pytest.raises(IntegrityError, match="never deleted"), acting(HOUSE), transaction.atomic():
            User.objects.filter(pk=user.pk)._raw_delete("default")
        user.username = "bea"
        with pytest.raises(IntegrityError, match="never changed"), acting(HOUSE):
            user.save()

    def test_nobody_closes_their_own_account(self, make_user: Callable[..., User]) -> None:
        user = make_user("ada")
        for change in (services.deactivate, services.reactivate):
            with pytest.raises(SelfChangeRefused):
                change(actor=Actor(user.pk, "Ada"), user=user, reason="x")

    def test_the_list_costs_the_same_for_two_and_for_twenty(
        self, make_user: Callable[..., User], grant: Callable[..., Grant], statements: Any
    ) -> None:
        counts = []
        for number in range(20):
            grant(make_user(f"u{number}"), "monitor", "TDX")
            if number in (1, 19):
                with statements() as done:
                    assert len([g.role for user in people() for g in user.grants.all()]) == number + 1
                counts.append(len(done.counted))
        assert counts[0] == counts[1] == 2


# Pages --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(
    make_user: Callable[..., User],
    grant: Callable[..., Grant],
    client_for: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
) -> Client:
    monkeypatch.setattr(places, "_places", [lambda: [("TDX", ""), ("TDX", "NO-01")]])
    user = make_user("admin")
    grant(user, "admin")
    return client_for(user)


@pytest.mark.django_db
class TestPages:
    def test_an_administrator_adds_a_person_and_grants_a_role(self, admin: Client) -> None:
        person = {"full_name": "Eva Ek", "username": "eva", "time_zone": "Europe/Oslo", "password": PASSWORD}
        assert admin.post("/people/add/", person)["Location"] == "/people/eva/"
        assert admin.post("/people/eva/grants/", {"role": "monitor", "place": "TDX/NO-01"}).status_code == 302
        page = admin.get("/people/?q=eva").content.decode()
        assert "Monitor, TDX, NO-01" in page
        assert "by Admin" in page

    def test_what_is_wrong_is_said_and_kept(self, admin: Client, make_user: Callable[..., User]) -> None:
        make_user("eva")
        person = {"full_name": "Eva Ek", "username": "Eva", "time_zone": "Europe/Oslo", "password": PASSWORD}
        answer = admin.post("/people/add/", person)
        assert answer.status_code == 422
        assert "This user name is taken." in answer.content.decode()
        assert 'value="Eva Ek"' in answer.content.decode()
        answer = admin.post("/people/eva/grants/", {"role": "admin", "place": "TDX/"})
        assert answer.status_code == 422
        assert "Administrator cannot be granted" in answer.content.decode()

    def test_a_role_is_granted_only_where_there_is_a_trial(
        self, admin: Client, make_user: Callable[..., User]
    ) -> None:
        make_user("eva")
        answer = admin.post("/people/eva/grants/", {"role": "monitor", "place": "TXD/"})
        assert answer.status_code == 422
        assert not Grant.objects.filter(user__username="eva").exists()

    def test_ending_a_role_wants_a_reason(
        self, admin: Client, make_user: Callable[..., User], grant: Callable[..., Grant]
    ) -> None:
        held = grant(make_user("eva"), "monitor", "TDX")
        assert admin.post(f"/people/eva/grants/{held.pk}/end/", {"reason": ""}).status_code == 422
        assert admin.post(f"/people/eva/grants/{held.pk}/end/", {"reason": "left"}).status_code == 302
        held.refresh_from_db()
        assert held.ends is not None

    def test_closing_and_opening_an_account(self, admin: Client, make_user: Callable[..., User]) -> None:
        user = make_user("eva")
        admin.post("/people/eva/deactivate/", {"reason": "left"})
        user.refresh_from_db()
        assert not user.is_active
        assert "Deactivated" in admin.get("/people/eva/").content.decode()
        admin.post("/people/eva/reactivate/", {"reason": "is back"})
        user.refresh_from_db()
        assert user.is_active

    def test_a_forgotten_password_is_set_anew(self, admin: Client, make_user: Callable[..., User]) -> None:
        user = make_user("eva")
        assert admin.get("/people/eva/password/").status_code == 200
        weak = admin.post("/people/eva/password/", {"password": "short", "reason": "forgotten"})
        assert weak.status_code == 422
        assert "too short" in weak.content.decode()
        given = {"password": "another long sentence", "reason": "forgotten"}
        assert admin.post("/people/eva/password/", given).status_code == 302
        user.refresh_from_db()
        assert user.check_password("another long sentence")
        assert Event.objects.latest("id").reason == "forgotten"
        assert admin.post("/people/admin/password/", given).status_code == 422

    @pytest.mark.parametrize("address", ["/people/nobody/", "/people/nobody/grants/1/end/"])
    def test_somebody_who_is_not_there(self, admin: Client, address: str) -> None:
        answer = admin.post(address, {"reason": "x"}) if "end" in address else admin.get(address)
        assert answer.status_code == 404

    @pytest.mark.parametrize("address", ["/people/", "/people/add/", "/people/admin/"])
    @pytest.mark.parametrize("role", sorted(set(ROLES) - {"admin"}))
    def test_others_learn_nothing_about_people(
        self, client_for: Callable[..., Client], role: str, address: str
    ) -> None:
        assert client_for(role, "TDX").get(address).status_code == 404

    def test_strangers_are_asked_to_sign_in(self, client: Client) -> None:
        assert client.get("/people/")["Location"] == "/sign-in/?next=/people/"


def test_a_view_says_who_may_see_it() -> None:
    view = permission("user.admin")(lambda request: HttpResponse())
    assert mark_of(view) == "user.admin"
    request = RequestFactory().get("/")
    request.user = User(username="x")
    request.access = NOBODY
    with pytest.raises(NotFound):
        view(request)


@pytest.mark.django_db
def test_roles_come_with_a_person_from_their_start_until_their_end(make_user: Callable[..., User]) -> None:
    user, start = make_user("ada"), now()
    end, instant = start + timedelta(days=1), timedelta(microseconds=1)
    with acting(HOUSE):
        Grant.objects.create(user=user, role="monitor", trial="TDX", starts=start, ends=end)
    for moment in (start - instant, start, end - instant, end):
        (person,) = User.objects.active_with_grants(moment, user.pk)
        assert bool(person.grant_rows) == (start <= moment < end), moment
        assert bool(person.grant_rows) == Grant.objects.held_at(moment).filter(user=user).exists()
