"""Reading the trail: by row, by item, by subject, and as a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.db.models import Q, QuerySet
from django.db.models.functions import ExtractHour

from audit.models import Event
from audit.registry import LookFor, forms, register_look, registered_looks
from audit.rules.history import Change, ItemVersion, replay
from foundation import clock


@dataclass(frozen=True)
class TrailFilter:
    """What a report is narrowed to; empty means all.

    Parameters
    ----------
    actor, reason
        Part of the name or of the reason, whatever its case.
    table, action, form
        Exactly.
    look
        Code of something to look for.
    zone
        Time zone of the reader.
    since, until
        Calendar days in UTC, both included.
    """

    actor: str = ""
    reason: str = ""
    table: str = ""
    action: str = ""
    form: str = ""
    look: str = ""
    zone: str = "UTC"
    since: date | None = None
    until: date | None = None


def history(table: str, row_id: int | str) -> QuerySet[Event]:
    """All that happened to a row, oldest first."""
    return Event.objects.filter(table_name=table, row_id=str(row_id)).order_by("id")


def history_of(instance: models.Model) -> QuerySet[Event]:
    """All that happened to the row of a model's instance, oldest first."""
    return history(instance._meta.db_table, instance.pk)


def item_history(table: str, row_id: int | str, column: str, item: str) -> list[ItemVersion]:
    """Every value that an item of a JSON column has had, oldest first.

    Parameters
    ----------
    table, row_id
        The row.
    column
        The column that holds a JSON object.
    item
        A key of that object.
    """
    touched = Q(**{f"before__{column}__has_key": item}) | Q(**{f"after__{column}__has_key": item})
    return list(_versions(history(table, row_id).filter(touched), column, item))


def _versions(events: QuerySet[Event], column: str, item: str) -> Iterator[ItemVersion]:
    for event in events:
        old, new = (((side or {}).get(column) or {}).get(item) for side in (event.before, event.after))
        yield ItemVersion(event.pk, event.at, event.actor, event.role, event.reason, old, new)


def row_as_of(table: str, row_id: int | str, moment: datetime) -> dict[str, Any] | None:
    """A row as it stood at a moment, by column name; None where it did not exist then."""
    pairs = history(table, row_id).filter(at__lte=moment).values_list("before", "after")
    return replay(Change(before, after) for before, after in pairs)


def of_subject(subject_id: int) -> QuerySet[Event]:
    """All that happened to a subject's rows, newest first."""
    return Event.objects.filter(subject_id=subject_id).order_by("-id")


def report(events: QuerySet[Event], wanted: TrailFilter) -> QuerySet[Event]:
    """Events narrowed by what somebody asks for, newest first."""
    exact = {"table_name": wanted.table, "action": wanted.action}
    partly = {"actor__icontains": wanted.actor, "reason__icontains": wanted.reason}
    days = {"at__date__gte": wanted.since, "at__date__lte": wanted.until}
    conditions = {name: value for name, value in {**exact, **partly, **days}.items() if value}
    events = events.filter(**conditions)
    known = forms()
    if wanted.form and known is not None:
        events = known.narrow(events, wanted.form)
    look = registered_looks().get(wanted.look)
    if look is not None:
        events = look.narrow(events, wanted.zone)
    return events.order_by("-id")


def looks(events: QuerySet[Event], zone: str) -> list[tuple[LookFor, int]]:
    """Everything that is worth a look in a window, with the number of events; one statement each."""
    return [(look, look.narrow(events.order_by(), zone).count()) for look in registered_looks().values()]


def _at_night(events: QuerySet[Event], zone: str) -> QuerySet[Event]:
    hour = ExtractHour("at", tzinfo=ZoneInfo(zone))
    return events.annotate(hour=hour).filter(Q(hour__gte=22) | Q(hour__lt=6)).exclude(actor_id=None)


register_look(
    LookFor(
        "night",
        "Written between 22:00 and 06:00, your time",
        "Work at unusual hours may be somebody else under that name.",
        _at_night,
    )
)
register_look(
    LookFor(
        "reasons",
        "Changed with a reason",
        "Corrections of data that were complete; do the reasons explain them?",
        lambda events, _: events.filter(action="U").exclude(reason=""),
    )
)
register_look(
    LookFor(
        "deleted",
        "Rows deleted",
        "Records of a trial are struck out or superseded, hardly ever deleted.",
        lambda events, _: events.filter(action="D"),
    )
)

OUTDATED = timedelta(hours=36)
_STANDING = """
    SELECT s.at, c.at, c.faults FROM (SELECT 1) one
    LEFT JOIN LATERAL (SELECT at FROM public.audit_seal ORDER BY id DESC LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT at, faults FROM public.audit_trailcheck ORDER BY id DESC LIMIT 1) c ON true
"""


@dataclass(frozen=True)
class TrailStanding:
    """How far the trail is sealed, and what the last verification found.

    Attributes
    ----------
    state
        `ok`, `stop` where something was altered, `check` where nobody has looked for a day and a half.
    """

    sealed_at: datetime | None
    checked_at: datetime | None
    faults: int
    state: str


def trail_standing() -> TrailStanding:
    """For the foot of every page; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING)
        sealed_at, checked_at, faults = cursor.fetchone()
    state = "ok"
    if faults:
        state = "stop"
    elif checked_at is None or clock.now() - checked_at > OUTDATED:
        state = "check"
    return TrailStanding(sealed_at, checked_at, faults or 0, state)
