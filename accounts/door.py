"""What django-allauth writes, it writes inside our transaction, under the name of whoever stands at the door."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.services.door import DOOR
from audit.context import acting, request_actor

type_view = Callable[..., HttpResponseBase]


def as_visitor(view: type_view) -> type_view:
    """A view whose writes carry the signed-in person, or the service `sign-in` where nobody is known yet.

    Reading counts too: django-allauth notes when recovery codes are looked at.
    """

    @wraps(view)
    def recorded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        actor = request_actor(request) if request.user.is_authenticated else DOOR
        with acting(actor):
            response = view(request, *args, **kwargs)
            if hasattr(response, "render"):
                response.render()
        return response

    return recorded
