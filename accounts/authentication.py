"""How a program that holds a token is let into the API."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.selectors import access_of, user_of_token
from accounts.services.tokens import token_digest

KEYWORD = b"bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer hilum_…`. Sets `request.access`, limited to the token's scopes."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The person and the token, or None where the request carries no token.

        Raises
        ------
        rest_framework.exceptions.AuthenticationFailed
            The token is unknown, has ended, or its person has left; the answer does not tell which.
        """
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != KEYWORD:
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("The Authorization header is not 'Bearer' and a token.")
        found = user_of_token(token_digest(parts[1].decode("latin-1")))
        if found is None:
            raise AuthenticationFailed("This token is not valid.")
        user, token = found
        request._request.access = access_of(user, only=token.scopes)  # type: ignore[attr-defined]  # noqa: SLF001
        return user, token

    def authenticate_header(self, request: Request) -> str:
        """For the `WWW-Authenticate` header of a 401."""
        return "Bearer"
