"""Electronic signatures: two components, bound to one person and one content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from accounts import services
from accounts.alarms import tell_of_lock
from accounts.errors import AccountLocked, SignatureRefused
from accounts.forms import SignForm
from accounts.models import AccessEvent, Signature, User
from accounts.selectors import signature_of, signatures_of
from accounts.services import grant_role
from accounts.signing import remember_signature
from audit.context import Actor, acting, service_actor
from audit.models import Event
from foundation.clock import now
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

HOUSE = service_actor("set-up")
CONTENT = hashlib.sha256(b"hgb 12.4 g/dL").hexdigest()
CHANGED = hashlib.sha256(b"hgb 12.5 g/dL").hexdigest()


@pytest.fixture
def user(make_user: Callable[..., User]) -> User:
    return make_user("inga", full_name="Inga Moe")


def sign(user: User, password: str = PASSWORD, **other: Any) -> Signature:
    given = {
        "meaning": "approval",
        "target_kind": "eligibility.assessment",
        "target_id": 17,
        "digest": CONTENT,
        "statement": "I confirm that the subject is eligible.",
    }
    return services.sign(user=user, password=password, **{**given, **other})


@pytest.mark.req("SIG-01")
def test_a_signature_says_who_when_and_what_it_means(user: User) -> None:
    signature = sign(user)
    signature.refresh_from_db()
    assert (signature.signer_name, signature.get_meaning_display()) == ("Inga Moe", "Approval")
    assert signature.at.tzinfo is not None
    assert signature.statement == "I confirm that the subject is eligible."
    assert Event.objects.latest("id").actor == "Inga Moe"


@pytest.mark.req("SIG-02")
@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper()])
def test_an_open_session_alone_does_not_sign(user: User, password: str) -> None:
    with pytest.raises(SignatureRefused):
        sign(user, password)
    assert not Signature.objects.exists()


@pytest.mark.req("SIG-03")
def test_it_holds_while_the_content_is_unchanged(user: User) -> None:
    assert signature_of("eligibility.assessment", 17, CONTENT) is None
    sign(user)
    valid, broken = (signature_of("eligibility.assessment", 17, digest) for digest in (CONTENT, CHANGED))
    assert valid is not None
    assert valid.is_valid
    assert broken is not None
    assert (broken.validity, broken.signature.signer_name) == ("broken", "Inga Moe")


@pytest.mark.req("SIG-03")
def test_signing_again_keeps_the_old_one(user: User) -> None:
    first = sign(user)
    second = sign(user, digest=CHANGED)
    assert list(signatures_of("eligibility.assessment", "17")) == [first, second]
    newest = signature_of("eligibility.assessment", 17, CHANGED)
    assert newest is not None
    assert (newest.signature, newest.is_valid) == (second, True)


@pytest.mark.req("SIG-04")
def test_the_application_cannot_change_or_remove_one(user: User) -> None:
    sign(user)
    with acting(HOUSE):
        for change in (
            lambda: Signature.objects.update(target_id="18"),
            lambda: Signature.objects.all()._raw_delete("default"),
        ):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                change()


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("SIG-04")
def test_nor_can_the_owner_of_the_table(user: User, superuser: Any) -> None:
    sign(user)
    superuser.execute(f'SET ROLE "{settings.DATABASES["owner"]["USER"]}"')
    with pytest.raises(psycopg2.Error, match="never changed"):
        superuser.execute("UPDATE accounts_signature SET target_id = '18'")


@pytest.mark.req("SIG-04")
def test_a_row_copied_to_another_record_does_not_hold(user: User) -> None:
    copied = sign(user)
    copied.pk, copied.target_id = None, "18"
    with acting(HOUSE):
        copied.save(force_insert=True)
    state = signature_of("eligibility.assessment", 18, CONTENT)
    assert state is not None
    assert state.validity == "broken"
    with pytest.raises(CommandError, match=f"signature {copied.pk}"):
        call_command("verify_trail")


@pytest.mark.req("SIG-04")
@pytest.mark.parametrize("field", ["signer_name", "meaning", "digest", "statement", "target_kind", "at"])
def test_nothing_about_it_can_be_changed_unseen(user: User, field: str) -> None:
    forged = sign(user)
    changed = {"meaning": "review", "digest": CHANGED, "at": now()}.get(field, "forged")
    setattr(forged, field, changed)
    forged.pk = None
    with acting(HOUSE):
        forged.save(force_insert=True)
    state = signature_of(forged.target_kind, 17, forged.digest)
    assert state is not None
    assert state.signature.pk == forged.pk
    assert state.validity == "broken"


@pytest.mark.req("SIG-05")
def test_who_left_keeps_their_signatures_and_signs_no_more(user: User) -> None:
    sign(user)
    services.deactivate(actor=HOUSE, user=user, reason="left")
    state = signature_of("eligibility.assessment", 17, CONTENT)
    assert state is not None
    assert state.is_valid
    with pytest.raises(SignatureRefused):
        sign(user)


@pytest.mark.req("SIG-05")
def test_a_signature_has_one_signer(user: User) -> None:
    with pytest.raises(IntegrityError), acting(HOUSE):
        Signature.objects.create(signer_name="x", meaning="approval", at=now(), digest=CONTENT, seal=CONTENT)


@pytest.mark.req("SIG-10")
class TestLock:
    def test_tries_are_counted_down_and_the_account_locked(self, user: User) -> None:
        left, said = [], []
        for _ in range(5):
            with pytest.raises(SignatureRefused) as refusal:
                sign(user, "wrong")
            left.append(refusal.value.data["tries_left"])
            said.append(refusal.value.message.partition("signed. ")[2])
        assert left == [4, 3, 2, 1, 0]
        assert said[2:] == [
            "2 tries are left.",
            "One try is left.",
            "The account is locked now, for half an hour.",
        ]
        with pytest.raises(AccountLocked):
            sign(user)
        kinds = list(AccessEvent.objects.order_by("id").values_list("kind", flat=True))
        assert kinds == ["signature_refused"] * 5 + ["locked"]

    def test_the_administrators_are_told(
        self, user: User, make_user: Callable[..., User], mailoutbox: list[EmailMessage]
    ) -> None:
        grant_role(actor=HOUSE, user=make_user("alex", email="alex@hilum.invalid"), role="admin")
        for _ in range(5):
            with pytest.raises(SignatureRefused):
                sign(user, "wrong")
        lock = AccessEvent.objects.get(kind="locked")
        tell_of_lock(lock.pk)
        (mail,) = mailoutbox
        assert "inga was locked" in mail.subject
        assert "5 of its failures so far were at signing" in str(mail.body)
        assert mail.to == ["alex@hilum.invalid"]

    def test_the_lock_closes_the_door_too(self, user: User, client: Client) -> None:
        for _ in range(5):
            with pytest.raises(SignatureRefused):
                sign(user, "wrong")
        client.post("/sign-in/", {"login": "inga", "password": PASSWORD})
        assert client.get("/account/").status_code == 302

    def test_success_starts_the_count_again(self, user: User) -> None:
        for _ in range(4):
            with pytest.raises(SignatureRefused):
                sign(user, "wrong")
        sign(user)
        with pytest.raises(SignatureRefused) as refusal:
            sign(user, "wrong")
        assert refusal.value.data["tries_left"] == 4

    def test_a_failure_inside_a_transaction_is_counted_and_the_rest_undone(self, user: User) -> None:
        with pytest.raises(SignatureRefused), acting(Actor(user.pk, "Inga Moe")):
            User.objects.filter(pk=user.pk).update(full_name="Changed")
            sign(user, "wrong")
        user.refresh_from_db()
        assert user.full_name == "Inga Moe"
        assert AccessEvent.objects.get().kind == "signature_refused"
        with pytest.raises(SignatureRefused) as refusal:
            sign(user, "wrong")
        assert refusal.value.data["tries_left"] == 3


def test_a_signature_inside_a_transaction_goes_with_it(user: User) -> None:
    with pytest.raises(ZeroDivisionError), acting(Actor(user.pk, "Inga Moe")):
        sign(user)
        _ = 1 // 0
    assert not Signature.objects.exists()


def test_a_digest_that_is_none_is_an_error(user: User) -> None:
    with pytest.raises(ValueError, match="64"):
        sign(user, digest="abc")


def test_the_dialog_names_signer_meaning_and_record(user: User) -> None:
    request = RequestFactory().get("/")
    request.user = user
    request.session = SessionBase()
    context = {
        "sign_form": SignForm(), "sign_url": "/x/sign/", "statement": "I confirm.", "meaning": "Approval",
        "record": "TDX-001-001",
        "signed_at": now(), "refused": "The password is not right.",
    }  # fmt: skip
    page = render_to_string("accounts/_sign_dialog.html", context, request)
    for word in (
        "Inga Moe",
        "Approval",
        "TDX-001-001",
        "I confirm.",
        "The password is not right.",
        "User name",
        "UTC",
    ):
        assert word in page
    assert "inga" not in page, "a component that is there already is none that was typed"
    remember_signature(request)
    assert "User name" not in render_to_string("accounts/_sign_dialog.html", context, request)
