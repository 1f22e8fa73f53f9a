"""How django-allauth behaves here: nobody signs themselves up, and every failure reads the same."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

REFUSED = (
    "The user name or the password is not right, or the account is locked. "
    "After five failures an account is locked for half an hour."
)


def account_name(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """The account that failures are counted for: as typed, whatever its case, for django-axes."""
    typed = (credentials or {}).get("username") or (
        request.POST.get("login", "") if request is not None else ""
    )
    return str(typed).strip().lower()


class PeopleAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": REFUSED,
        "email_password_mismatch": REFUSED,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The page itself says what happened."""
