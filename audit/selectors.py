"""Reading the trail: by row, by item, by subject, and as a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from audit.models import Event
from audit.rules.history import Change, ItemVersion, replay


@dataclass(frozen=True)
class TrailFilter:
    """What a report is narrowed to; empty means all.

    Parameters
    ----------
    actor, reason
        Part of the name or of the reason, whatever its case.
    table, action
        Exactly.
    since, until
        Calendar days in UTC, both included.
    """

    actor: str = ""
    reason: str = ""
    table: str = ""
    action: str = ""
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
    return events.filter(**conditions).order_by("-id")
