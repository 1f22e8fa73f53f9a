"""Pages that gather from all rooms."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import HttpResponse

from accounts.decorators import permission
from accounts.requests import Request
from foundation import clock
from foundation.web import page
from reports.today import tasks_of
from visits.models import Visit, VisitState
from visits.selectors import visits_visible_to

SOON = timedelta(days=7)


@permission("visit.record")
def today(request: Request) -> HttpResponse:
    """What waits for this person, by deadline."""
    day = clock.today()
    tasks = tasks_of(request.access, day, clock.now())
    late = [task for task in tasks if task.due and task.due < day]
    soon = [task for task in tasks if task.due and day <= task.due <= day + SOON]
    context = {
        "day": day,
        "parts": [
            (title, [(task, task.when(day), task.tone(day)) for task in part])
            for title, part in (
                ("Late", late),
                ("This week", soon),
                ("Later", [task for task in tasks if task not in late and task not in soon]),
            )
            if part
        ],
        "count": len(tasks),
        "next": next_visit(request, day) if not tasks else None,
    }
    return page(request, "reports/today.html", context)


def next_visit(request: Request, day: date) -> Visit | None:
    """The next planned visit, for those who have nothing to do today."""
    planned = visits_visible_to(request.access, "visit.record").filter(
        state=VisitState.PLANNED, target__gte=day
    )
    return planned.order_by("target").first()
