"""All queries of a person's sites, by state; every list has an address."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse

from accounts.decorators import permission
from accounts.requests import Request
from casebook.models import QueryState
from casebook.pages.queries import query_rows
from casebook.selectors import OPEN_STATES, queries_visible_to
from foundation.web import page

PER_PAGE = 50


@permission("entry.view")
def queries(request: Request) -> HttpResponse:
    """Queries, those that wait longest first."""
    state = request.GET.get("state", "")
    trial = request.GET.get("trial", "")
    found = queries_visible_to(request.access)
    found = found.filter(state=state) if state in QueryState.values else found.filter(state__in=OPEN_STATES)
    if trial:
        found = found.filter(subject__trial__code=trial)
    shown = Paginator(found.order_by("raised_at", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "shown": shown,
        "rows": query_rows(shown.object_list),
        "state": state,
        "states": QueryState.choices,
    }
    return page(request, "casebook/queries.html", context)
