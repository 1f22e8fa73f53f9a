"""What every request passes at the door: how long a session lasts, and what its person may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts.models import AccessKind
from accounts.selectors import access_of
from accounts.services import record_access, session_digest
from audit.context import client
from foundation.clock import now

type_respond = Callable[[HttpRequest], HttpResponseBase]

STARTED = "started_at"
SEEN = "seen_at"
ENDED = "ended_as"
SEEN_EVERY = timedelta(seconds=60)
BY_ITSELF = "X-By-Itself"
"""Header of what a page asks without its person doing anything: it does not prolong the session."""


class SessionLimitMiddleware:
    """Ends a session after a pause (`SESSION_IDLE`) and after its longest time (`SESSION_ABSOLUTE`), on the server.

    The time stamp is written once a minute at most; a pause is therefore measured up to a minute short.
    """

    def __init__(self, get_response: type_respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "_auth_user_id" in request.session:
            self._check(request)
        return self.get_response(request)

    def _check(self, request: HttpRequest) -> None:
        moment = now()
        started = _moment(request, STARTED) or moment
        seen = _moment(request, SEEN) or started
        if moment - started >= settings.SESSION_ABSOLUTE:
            _end(request, AccessKind.EXPIRED)
        elif moment - seen >= settings.SESSION_IDLE:
            _end(request, AccessKind.IDLE)
        elif SEEN not in request.session or (
            moment - seen >= SEEN_EVERY and BY_ITSELF not in request.headers
        ):
            request.session[STARTED] = started.isoformat()
            request.session[SEEN] = moment.isoformat()


class AccessMiddleware:
    """Sets `request.access`; the roles come with the person in one statement, when somebody first asks.

    What is written while the request is answered carries its address and session in the trail.
    """

    def __init__(self, get_response: type_respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.access = SimpleLazyObject(lambda: access_of(request.user))  # type: ignore[attr-defined]
        with client(request.META.get("REMOTE_ADDR", "")[:45], session_digest(request)):
            return self.get_response(request)


def _moment(request: HttpRequest, key: str) -> datetime | None:
    text: str | None = request.session.get(key)
    return datetime.fromisoformat(text) if text else None


def _end(request: HttpRequest, kind: AccessKind) -> None:
    user = request.user
    if user.is_authenticated:
        record_access(request, kind, user=user)
    request.session[ENDED] = kind.value  # the receiver of "signed out" need not say it again
    logout(request)
    request.session[ENDED] = kind.value  # for the sign-in page to say why
