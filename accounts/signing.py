"""What somebody types to sign: user name and password with the first signature of a session, then the password alone.

A session that is idle for too long ends, and the next one begins with both again.

References
----------
21 CFR 11.200(a)(1)(i)-(ii).
"""

from __future__ import annotations

from accounts.requests import Request

SIGNED_ONCE = "signed_once"
"""Set in a session with its first signature; `templates/accounts/_components.html` looks at it as well."""


def typed_name(request: Request) -> str | None:
    """The user name as typed; None where this session has signed before, so that the password is enough."""
    return None if SIGNED_ONCE in request.session else request.POST.get("username", "")


def remember_signature(request: Request) -> None:
    """This session has signed; to be called once the signature is stored."""
    request.session[SIGNED_ONCE] = True
