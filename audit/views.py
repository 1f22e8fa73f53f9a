"""The page of the trail. `accounts.urls` gives it its address and says who may see it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from audit.forms import TrailForm
from audit.labels import changes, table_label
from audit.models import Event
from audit.registry import subjects_visible
from audit.selectors import of_subject, report
from foundation.errors import NotFound
from foundation.web import page

PERMISSION = "audit.view"
PAGE = 50


@require_GET
def trail(request: HttpRequest) -> HttpResponse:
    """What happened to the subjects that the person may see, newest first; `?subject=` narrows it to one.

    A subject of another site is not there. Events that belong to no subject are not shown here.
    """
    form = TrailForm({**request.GET.dict()})
    form.is_valid()
    visible = subjects_visible(request.access, PERMISSION)  # type: ignore[attr-defined]
    events = _events(visible, form.cleaned_data.get("subject", ""))
    found = report(events, form.wanted())
    if form.cleaned_data.get("before"):
        found = found.filter(pk__lt=form.cleaned_data["before"])
    rows = list(found[: PAGE + 1])
    context = {
        "form": form,
        "rows": _in_words(rows[:PAGE], visible),
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "query": _query(request),
    }
    return page(request, "audit/trail.html", context, status=422 if form.errors else 200)


def _events(visible: QuerySet[Any] | None, number: str) -> QuerySet[Event]:
    if visible is None:
        return Event.objects.none()
    if not number:
        return Event.objects.filter(subject_id__in=visible.order_by().values("pk"))
    subject = visible.filter(number=number).first()
    if subject is None:
        raise NotFound
    return of_subject(subject.pk)


def _in_words(events: list[Event], visible: QuerySet[Any] | None) -> list[dict[str, Any]]:
    numbers: dict[int, str] = {}
    if events and visible is not None:
        keys = {event.subject_id for event in events}
        numbers = dict(visible.order_by().filter(pk__in=keys).values_list("pk", "number"))
    return [
        {
            "event": event,
            "what": table_label(event.table_name),
            "changes": changes(event),
            "subject": numbers.get(event.subject_id or 0, ""),
        }
        for event in events
    ]


def _query(request: HttpRequest) -> str:
    """The address's filters without the place in the list."""
    kept = request.GET.copy()
    kept.pop("before", None)
    return kept.urlencode()
