"""Pages of a subject as they stood at an earlier moment: `?as_of=2025-03-12T14:03`.

`as_it_stood` makes a view show them, whatever the view is: it reads the same tables (`audit.moment`) and may only
look.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from accounts.access import Access
from accounts.policies import PERMISSIONS
from accounts.requests import Request
from audit.moment import standing_at
from casebook.rules.moment import MomentFault, moment_in_addresses, moment_in_words, read_moment
from foundation import clock
from foundation.web import page
from patients.models import Subject
from patients.selectors import get_subject

PARAMETER = "as_of"
MARK = "hilum_shows_the_past"
LOOKING = frozenset(name for name in PERMISSIONS if name.endswith(".view"))
_LINK = re.compile(
    r'\b(?P<name>href|hx-get|data-panel-url)="(?P<path>/[^"?#]*)(?P<query>\?[^"#]*)?(?P<rest>#[^"]*)?"'
)

type_view = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Standing:
    """The moment that a page shows.

    Attributes
    ----------
    words
        For people, in the site's zone.
    address
        For links.
    """

    subject: Subject
    moment: datetime
    words: str
    address: str


def as_it_stood(view: type_view) -> type_view:
    """Let a page of a subject be shown as of a moment. Stands below `permission`; the first argument is the number.

    What the person may see is decided by the rights of today; inside, they may look at things and change nothing.
    """

    @wraps(view)
    def shown(request: Request, number: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = request.GET.get(PARAMETER, "").strip()
        if request.method != "GET" or not asked or not _is_moment(view, asked):
            return view(request, number, *args, **kwargs)
        subject = get_subject(request.access, number)
        try:
            standing = standing_of(subject, asked)
        except MomentFault as fault:
            return no_such_moment(request, subject, asked, str(fault))
        return _stand(request, standing, lambda: view(request, number, *args, **kwargs))

    setattr(shown, MARK, True)
    return shown


def days_are_its_own(view: type_view) -> type_view:
    """For a page where `as_of` with a day only means something else: the day for which facts are judged."""
    view.days_are_its_own = True  # type: ignore[attr-defined]
    return view


def standing_of(subject: Subject, asked: str) -> Standing:
    """The moment that somebody asks for.

    Raises
    ------
    MomentFault
        Not a moment, a future one, or one before the subject was there.
    """
    zone = ZoneInfo(subject.site.time_zone)
    moment = read_moment(asked, zone, clock.now())
    if moment < subject.screened_at:
        since = moment_in_words(subject.screened_at, zone)
        raise MomentFault(
            f"{subject.number} was not there on {moment_in_words(moment, zone)}. Its record begins on {since}."
        )
    return Standing(subject, moment, moment_in_words(moment, zone), moment_in_addresses(moment))


def _is_moment(view: type_view, asked: str) -> bool:
    return ":" in asked or not getattr(view, "days_are_its_own", False)


def no_such_moment(request: Request, subject: Subject, asked: str, fault: str) -> HttpResponse:
    """The page that says why a moment cannot be shown, and asks for another."""
    context = {"subject": subject, "asked": asked, "fault": fault, "zone": subject.site.time_zone}
    return page(request, "casebook/moment_fault.html", context, status=422)


def _stand(request: Request, standing: Standing, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    request.standing = standing  # type: ignore[attr-defined]
    own = request.access
    request.access_now = own  # type: ignore[attr-defined]
    request.access = looking(own)
    rest = request.GET.copy()
    rest.pop(PARAMETER)
    request.GET = rest  # type: ignore[assignment]
    try:
        with standing_at(standing.subject.pk, standing.moment):
            response = answer()
    finally:
        request.access = own
    if isinstance(response, HttpResponse) and response.headers.get("Content-Type", "").startswith(
        "text/html"
    ):
        response.content = keep_moment(response.content.decode(), standing).encode()
    return response


def looking(access: Access) -> Access:
    """The same person, who may look and change nothing."""
    only = LOOKING if access.only is None else access.only & LOOKING
    return Access(access.user_id, access.name, access.role_grants, only)


def keep_moment(html: str, standing: Standing) -> str:
    """Add the moment to every link that leads to a page of the same subject which can be shown as of it."""
    prefix = f"/subjects/{standing.subject.number}/"
    known: dict[str, bool] = {}

    def with_moment(match: re.Match[str]) -> str:
        path, query = match["path"], match["query"] or ""
        if not path.startswith(prefix) or f"{PARAMETER}=" in query:
            return match[0]
        if path not in known:
            known[path] = _shows_the_past(path)
        if not known[path]:
            return match[0]
        joined = f"{query}&amp;" if query else "?"
        return f'{match["name"]}="{path}{joined}{PARAMETER}={standing.address}{match["rest"] or ""}"'

    return _LINK.sub(with_moment, html)


def _shows_the_past(path: str) -> bool:
    try:
        return bool(getattr(resolve(path).func, MARK, False))
    except Resolver404:
        return False
