"""Where each role begins its day."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.access import Access
from accounts.decorators import signed_in
from accounts.requests import Request

FIRST_PAGES = (
    ("visit.record", "today"),
    ("read.perform", "reading-queue"),
    ("adjudicate.read", "adjudications"),
    ("query.close", "today"),
    ("report.view", "progress"),
    ("user.admin", "people"),
)
"""Permission and the address that who holds it lands on; the first that fits."""


def first_page(access: Access) -> str:
    """Address of the page where this person's work is; their account when they have no role."""
    for permission, name in FIRST_PAGES:
        if access.may_anywhere(permission):
            return reverse(name)
    return reverse("account")


@signed_in
def home(request: Request) -> HttpResponse:
    """Go to the page where this person's work is."""
    return redirect(first_page(request.access))
