"""Electronic signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_failure_limit
from axes.utils import reset
from django.http import HttpRequest

from accounts.errors import (
    AccountabilityNotAccepted,
    AccountLocked,
    IdentityNotVerified,
    PasswordIsTemporary,
    SignatureRefused,
)
from accounts.models import AccessKind, Meaning, Signature, User
from accounts.rules.accountability import CURRENT
from accounts.rules.signatures import seal_of
from accounts.services.door import record_access
from audit.context import Actor, acting, afterwards
from foundation.clock import now


@dataclass(frozen=True)
class ToSeal:
    """One record that is signed.

    Parameters
    ----------
    kind, key
        What is signed, such as `eligibility.assessment` and its key.
    digest
        SHA-256 of the canonical content, 64 hexadecimal digits; the signature holds while the content has this digest.
    meaning
        Value of `accounts.models.Meaning`.
    statement
        The sentence that the person agreed to, as shown.
    """

    kind: str
    key: str
    digest: str
    meaning: str
    statement: str


def sign(
    *,
    user: User,
    password: str,
    username: str | None = None,
    meaning: str,
    target_kind: str,
    target_id: int | str,
    digest: str,
    statement: str,
) -> Signature:
    """Sign a record, with the components typed again.

    May be called inside the transaction of what is signed: a refusal undoes that transaction, and the wrong password
    is counted all the same.

    Parameters
    ----------
    user
        The person who signs, signed in already.
    password, username
        As typed at this moment; see `confirm_components`.
    meaning
        Value of `accounts.models.Meaning`.
    target_kind, target_id, digest, statement
        See `ToSeal`.

    Raises
    ------
    accounts.errors.SignatureRefused
        Wrong password, or another person's name.
    accounts.errors.AccountLocked
        Too many failures, here or at sign-in.
    accounts.errors.IdentityNotVerified, accounts.errors.AccountabilityNotAccepted, accounts.errors.PasswordIsTemporary

    References
    ----------
    21 CFR 11.50, 11.70, 11.200(a)(1)(i).
    """
    may_sign(user)
    record = ToSeal(target_kind, str(target_id), digest, Meaning(meaning), statement)
    _must_be_digest(record)
    confirm_components(user, password, username)
    return seal_signature(user=user, records=[record])[0]


def seal_signature(*, user: User, records: Sequence[ToSeal]) -> list[Signature]:
    """Store signatures of one moment; one statement whatever their number.

    The caller has confirmed the person's components in the same transaction (`confirm_components`).
    """
    at, name = now(), user.full_name
    signatures = []
    for record in records:
        _must_be_digest(record)
        signed = {
            "signer_id": user.pk,
            "signer_name": name,
            "meaning": str(record.meaning),
            "target_kind": record.kind,
            "target_id": record.key,
            "digest": record.digest,
            "statement": record.statement,
        }
        seal = seal_of(at=at.isoformat(timespec="microseconds"), **signed)
        signatures.append(Signature(at=at, seal=seal, **signed))
    with acting(Actor(id=user.pk, name=name)):
        return Signature.objects.bulk_create(signatures)


def may_sign(user: User) -> None:
    """Go on only if the person has the right to sign anything at all.

    Raises
    ------
    accounts.errors.IdentityNotVerified, accounts.errors.AccountabilityNotAccepted, accounts.errors.PasswordIsTemporary

    References
    ----------
    21 CFR 11.100(b), 11.10(j), 11.200(a)(3).
    """
    if user.identity_verified_at is None:
        raise IdentityNotVerified
    if user.accountability_version != CURRENT:
        raise AccountabilityNotAccepted
    if user.password_is_temporary:
        raise PasswordIsTemporary


def confirm_components(user: User, password: str, username: str | None) -> None:
    """Go on only if user name and password are this person's.

    Parameters
    ----------
    username
        As typed at this moment; None where the person has signed in the same session before, when the password alone
        is asked for.

    Raises
    ------
    accounts.errors.SignatureRefused, accounts.errors.AccountLocked

    References
    ----------
    21 CFR 11.200(a)(1)(i).
    """
    named = username is None or username.strip().lower() == user.username.lower()
    confirm_password(user, password if named else "")


def confirm_password(user: User, password: str) -> None:
    """Go on only if this is the person's password. Failures count towards the lock of the account.

    Raises
    ------
    accounts.errors.SignatureRefused
        Wrong password.
    accounts.errors.AccountLocked
        Too many failures, here or at sign-in; the right password is refused as well then.
    """
    request, credentials = HttpRequest(), {"username": user.username}
    if not AxesProxyHandler.is_allowed(request, credentials):
        raise AccountLocked
    if user.is_active and user.check_password(password):
        afterwards(lambda: _forget_failures(user))
        return
    limit: int = get_failure_limit(request, credentials)
    left = max(limit - AxesProxyHandler.get_failures(request, credentials) - 1, 0)
    afterwards(lambda: _count_failure(user))
    raise SignatureRefused(field="password", tries_left=left)


def _must_be_digest(record: ToSeal) -> None:
    if len(record.digest) != 64:
        raise ValueError("A digest has 64 hexadecimal digits.")


def _count_failure(user: User) -> None:
    record_access(None, AccessKind.SIGNATURE_REFUSED, user=user)
    AxesProxyHandler.user_login_failed(
        sender=__name__, credentials={"username": user.username}, request=HttpRequest()
    )


def _forget_failures(user: User) -> None:
    reset(username=user.username.lower())
