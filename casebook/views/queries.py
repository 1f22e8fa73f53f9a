"""Queries: the list that is worked off, closing many at once, and what each check is worth."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from casebook.models import Desk, QueryState
from casebook.pages.queries import AGES, Narrowing, query_rows, with_last_words
from casebook.pages.yields import EXPORTED, exported_yields, yields_of
from casebook.rules.yields import ENOUGH, USELESS
from casebook.selectors import queries_visible_to
from casebook.services.queries import AT_ONCE, assign_query, close_queries
from foundation import clock
from foundation.errors import Invalid, NotFound
from foundation.spreadsheets import csv_answer
from foundation.web import page
from trials.models import Trial
from trials.selectors import current_version, trials_visible_to

PER_PAGE = 50


@permission("entry.view")
def queries(request: Request) -> HttpResponse:
    """Queries, those that wait longest first."""
    narrowing = Narrowing.of(request.GET)
    visible = queries_visible_to(request.access)
    found = with_last_words(narrowing.applied(visible, request.access, clock.now()))
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = query_rows(shown.object_list, request.access)
    places = list(
        visible.order_by()
        .values_list("subject__trial__code", "subject__site__code", "entry__form")
        .distinct()
    )
    context = {
        "shown": shown,
        "rows": rows,
        "wanted": narrowing,
        "states": QueryState.choices,
        "desks": Desk.choices,
        "ages": AGES,
        "trials": sorted({trial for trial, _, _ in places}),
        "sites": sorted({site for _, site, _ in places}),
        "forms": sorted({form for _, _, form in places}),
        "may_close": any(row.may_close for row in rows),
        "may_count": request.access.may_anywhere("check.yield"),
    }
    return page(request, "casebook/queries.html", context)


@permission("query.close")
@require_POST
def work_off(request: Request) -> HttpResponse:
    """Close the chosen queries, or hand them to another desk."""
    keys = [int(key) for key in request.POST.getlist("query") if key.isdigit()][:AT_ONCE]
    chosen = [
        query
        for query in queries_visible_to(request.access).filter(pk__in=keys).order_by("pk")
        if request.access.may("query.close", query.subject.trial.code, query.subject.site.code)
    ]
    if not chosen:
        raise Invalid({"query": "Choose the queries first."})
    actor = request.access.actor()
    desk = request.POST.get("waits_for_now", "") if "hand" in request.POST else ""
    if "hand" in request.POST and desk not in Desk.values:
        raise Invalid({"waits_for_now": "Choose whose turn it is."})
    if desk:
        waiting = [query for query in chosen if query.state != QueryState.CLOSED]
        for query in waiting:
            assign_query(actor=actor, query=query, waits_for=Desk(desk))
        messages.success(request, f"{len(waiting)} handed to: {Desk(desk).label}.")
    else:
        closed, left = close_queries(actor=actor, queries=chosen, text=request.POST.get("text", ""))
        messages.success(request, f"{closed} closed." + (f" {left} were closed before." if left else ""))
    return redirect(f"{reverse('queries')}?{Narrowing.of(request.POST).address}")


@permission("check.yield")
@require_GET
def check_yield(request: Request) -> HttpResponse:
    """What each check of a trial is worth; as a file with `format=csv`."""
    trials = list(trials_visible_to(request.access, ("check.yield",)))
    trial = _chosen(trials, request.GET.get("trial", ""))
    rows = yields_of(trial, current_version(trial).protocol)
    if request.GET.get("format") == "csv":
        return csv_answer(f"checks-{trial.code}", EXPORTED, exported_yields(rows))
    context = {"trials": trials, "trial": trial, "rows": rows, "enough": ENOUGH, "useless": USELESS}
    return page(request, "casebook/check_yield.html", context)


def _chosen(trials: list[Trial], code: str) -> Trial:
    found = next((trial for trial in trials if not code or trial.code == code), None)
    if found is None:
        raise NotFound
    return found
