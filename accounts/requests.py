"""The request as views get it: with the person and what they may do."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.access import Access


class Request(HttpRequest):
    """For annotations: `AccessMiddleware` puts `access` on every request."""

    access: Access
