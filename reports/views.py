"""Pages that gather from all rooms."""

from __future__ import annotations

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse

from accounts.decorators import signed_in
from accounts.requests import Request
from foundation import clock
from foundation.web import page
from reports.today import Chosen, grouped, kinds_in, narrowed, next_up, tasks_of

PER_PAGE = 100
WORK_OF_CASEBOOKS = "Visits, forms, queries, signatures and images that are yours appear here."
OTHER_WORK = "Reads, cases in which two readers differ, and exports that are yours appear here."


@signed_in
def today(request: Request) -> HttpResponse:
    """What waits for this person, by deadline."""
    day = clock.today()
    everything = tasks_of(request.access, day, clock.now())
    chosen = Chosen(**{key: request.GET.get(key, "").strip() for key in ("trial", "site", "kind")})
    here = narrowed(everything, Chosen(trial=chosen.trial, site=chosen.site))
    tasks = narrowed(here, chosen)
    shown = Paginator(tasks, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "day": day,
        "groups": [
            (group, [(task, task.when(day), task.tone(day)) for task in group.tasks])
            for group in grouped(tasks, shown.object_list, day)
        ],
        "count": len(tasks),
        "elsewhere": len(everything) - len(here),
        "chosen": chosen,
        "place": urlencode({key: value for key in ("trial", "site") if (value := getattr(chosen, key))}),
        "address": urlencode({key: value for key, value in vars(chosen).items() if value}),
        "kinds": kinds_in(here),
        "all_kinds": len(here),
        "next": next_up(request.access, tasks, day, chosen) if not chosen.kind else None,
        "shown": shown,
        "sentence": WORK_OF_CASEBOOKS if request.access.may_anywhere("entry.view") else OTHER_WORK,
        "may_register": request.access.may_anywhere("subject.register"),
    }
    return page(request, "reports/today.html", context)
