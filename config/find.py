"""Finding by typing: a subject's number or a patient's code, a form of theirs, or a page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse

from accounts.decorators import permission
from accounts.requests import Request
from casebook.selectors import find_entry
from config.shell import Shell
from foundation.errors import DomainError
from patients.selectors import subjects_visible_to

SHORTEST = 3
"""Letters of a page's name that are enough."""


@permission("subject.view")
def find(request: Request) -> HttpResponse:
    """Go where the words lead: `TDX-001-003`, a patient's code, `TDX-001-003 M4 LB`, or the name of a page."""
    words = request.GET.get("q", "").split()
    address = _form(request, words) or _subject(request, words) or _page(request, " ".join(words))
    return redirect(address or f"{reverse('subjects')}?{urlencode({'q': ' '.join(words)})}")


def _subject(request: Request, words: list[str]) -> str:
    if not words:
        return ""
    asked = Q(number__iexact=words[0]) | Q(patient__code__iexact=words[0])
    found = list(subjects_visible_to(request.access).filter(asked)[:2])
    return reverse("subject", args=[found[0].number]) if len(found) == 1 else ""


def _form(request: Request, words: list[str]) -> str:
    """A form of a subject: number, visit and code of the form."""
    if len(words) != 3:
        return ""
    number, visit, form = (word.upper() for word in words)
    try:
        address = reverse("form", args=[number, "log" if visit == "LOG" else visit, form])
        find_entry(request.access, number, "log" if visit == "LOG" else visit, form)
    except (NoReverseMatch, DomainError, KeyError):
        return ""
    return address


def _page(request: Request, words: str) -> str:
    if len(words) < SHORTEST:
        return ""
    named = [link for link in Shell(request).nav if link.name.lower().startswith(words.lower())]
    return named[0].url if named else ""
