"""Electronic signatures."""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_failure_limit
from axes.utils import reset
from django.http import HttpRequest

from accounts.errors import AccountLocked, SignatureRefused
from accounts.models import AccessKind, Meaning, Signature, User
from accounts.rules.signatures import seal_of
from accounts.services.door import record_access
from audit.context import Actor, acting, afterwards
from foundation.clock import now


def sign(
    *,
    user: User,
    password: str,
    meaning: str,
    target_kind: str,
    target_id: int | str,
    digest: str,
    statement: str,
) -> Signature:
    """Sign a record, with the password typed again.

    May be called inside the transaction of what is signed: a refusal undoes that transaction, and the wrong password
    is counted all the same.

    Parameters
    ----------
    user
        The person who signs, signed in already.
    password
        As typed at this moment.
    meaning
        Value of `accounts.models.Meaning`.
    target_kind, target_id
        What is signed, such as `eligibility.assessment` and its key.
    digest
        SHA-256 of the canonical content, 64 hexadecimal digits; the signature holds while the content has this digest.
    statement
        The sentence that the person agreed to, as shown.

    Raises
    ------
    accounts.errors.SignatureRefused
        Wrong password.
    accounts.errors.AccountLocked
        Too many failures, here or at sign-in.

    References
    ----------
    21 CFR 11.50, 11.70, 11.200(a)(1)(i).
    """
    if len(digest) != 64:
        raise ValueError("A digest has 64 hexadecimal digits.")
    confirm_password(user, password)
    at = now()
    name = user.full_name
    target = str(target_id)
    with acting(Actor(id=user.pk, name=name)):
        return Signature.objects.create(
            signer=user,
            signer_name=name,
            meaning=Meaning(meaning),
            at=at,
            target_kind=target_kind,
            target_id=target,
            digest=digest,
            statement=statement,
            seal=seal_of(
                signer_id=user.pk,
                signer_name=name,
                meaning=meaning,
                at=at.isoformat(timespec="microseconds"),
                target_kind=target_kind,
                target_id=target,
                digest=digest,
                statement=statement,
            ),
        )


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


def _count_failure(user: User) -> None:
    record_access(None, AccessKind.SIGNATURE_REFUSED, user=user)
    AxesProxyHandler.user_login_failed(
        sender=__name__, credentials={"username": user.username}, request=HttpRequest()
    )


def _forget_failures(user: User) -> None:
    reset(username=user.username.lower())
