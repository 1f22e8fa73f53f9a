"""What Django, django-allauth and django-axes say about the door, written down."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from axes.handlers.proxy import AxesProxyHandler
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from accounts import tasks
from accounts.models import AccessKind, User
from accounts.services import record_access
from foundation.tasks import enqueue


def connect() -> None:
    """Listen; each receiver once."""
    for signal, receiver in (
        (user_logged_in, _signed_in),
        (user_logged_out, _signed_out),
        (user_login_failed, _failed),
        (user_locked_out, _locked),
        (password_changed, _password_changed),
        (authenticator_added, _factor_added),
        (authenticator_removed, _factor_removed),
        (authentication_failed, _factor_failed),
    ):
        signal.connect(receiver, dispatch_uid=f"accounts.{receiver.__name__}")


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    record_access(request, AccessKind.SIGNED_IN, user=user)


def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None and "ended_as" not in request.session:
        record_access(request, AccessKind.SIGNED_OUT, user=user)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    record_access(request, AccessKind.FAILED, username=str(credentials.get("username", "")))


def _locked(request: HttpRequest, username: str, **_: Any) -> None:
    event = record_access(request, AccessKind.LOCKED, username=username)
    enqueue(tasks.report_lock, event.pk)


def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    if user.password_is_temporary:
        user.password_is_temporary = False
        user.save(update_fields=["password_is_temporary"])
    record_access(request, AccessKind.PASSWORD_CHANGED, user=user)


def _factor_added(request: HttpRequest, user: User, **_: Any) -> None:
    record_access(request, AccessKind.FACTOR_ADDED, user=user)


def _factor_removed(request: HttpRequest, user: User, **_: Any) -> None:
    record_access(request, AccessKind.FACTOR_REMOVED, user=user)


def _factor_failed(request: HttpRequest, user: User, **_: Any) -> None:
    """A wrong code counts like a wrong password: axes locks the account."""
    AxesProxyHandler.user_login_failed(
        sender=__name__, credentials={"username": user.username}, request=request
    )
    record_access(request, AccessKind.FAILED, user=user)
