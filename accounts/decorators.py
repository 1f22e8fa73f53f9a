"""What a view says about who may see it. A test walks all addresses and refuses a view that says nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.policies import PERMISSIONS
from foundation.errors import NotFound

type_view = Callable[..., HttpResponseBase]

MARK = "hilum_permission"
PUBLIC = "public"
SIGNED_IN = "signed in"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def permission(name: str) -> Callable[[type_view], type_view]:
    """Only people who hold a permission somewhere; who holds it nowhere is told that nothing is here.

    The view itself still asks for the trial and site: `request.access.require(name, trial, site)`.

    Parameters
    ----------
    name
        Key of `accounts.policies.PERMISSIONS`.
    """
    if name not in PERMISSIONS:
        raise ValueError(f"There is no permission {name!r}.")

    def mark(view: type_view) -> type_view:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.access.may_anywhere(name):  # type: ignore[attr-defined]
                raise NotFound
            if request.method not in SAFE:
                request.access.require_editing(name)  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        signed_in = login_required(guarded)
        setattr(signed_in, MARK, name)
        return signed_in

    return mark


def signed_in(view: type_view) -> type_view:
    """Everybody with an account, for what is their own."""
    guarded = login_required(view)
    setattr(guarded, MARK, SIGNED_IN)
    return guarded


def public(view: type_view) -> type_view:
    """Everybody, signed in or not; the view tells nothing about data."""

    @wraps(view)
    def open_to_all(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    setattr(open_to_all, MARK, PUBLIC)
    return open_to_all


def mark_of(view: type_view) -> str | None:
    """What a view says: a permission, `public`, `signed in`, or nothing."""
    marked: str | None = getattr(view, MARK, None)
    return marked
