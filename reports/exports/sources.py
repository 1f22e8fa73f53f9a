"""Rows of the database as they are now, or as the trail says they were at a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Model

from audit.models import Event
from audit.rules.history import Change, replay

CHUNK = 2000


def rows_of(
    model: type[Model], subjects: Sequence[int], as_of: datetime | None, *, column: str = "subject_id"
) -> Iterator[dict[str, Any]]:
    """Rows of a table that belong to these subjects, by column name, ordered by key; streamed.

    Parameters
    ----------
    as_of
        None for now; otherwise the rows are put together from the trail, deleted ones left out.
    column
        The column that holds the subject's key.
    """
    if as_of is None:
        columns = [str(field.column) for field in model._meta.concrete_fields]
        found = model._default_manager.filter(**{f"{column}__in": list(subjects)}).order_by("pk")
        for row in found.values_list(*[field.attname for field in model._meta.concrete_fields]).iterator(
            CHUNK
        ):
            yield dict(zip(columns, row, strict=True))
        return
    wanted = set(subjects)
    for row in rows_then(model._meta.db_table, as_of):
        if row.get(column) in wanted:
            yield row


def rows_then(table: str, as_of: datetime) -> Iterator[dict[str, Any]]:
    """Rows of a table as the trail says they were at a moment."""
    events = (
        Event.objects.filter(table_name=table, at__lte=as_of)
        .order_by("row_id", "id")
        .values_list("row_id", "before", "after")
        .iterator(CHUNK)
    )
    for _, changes in groupby(events, key=lambda event: event[0]):
        row = replay(Change(before, after) for _, before, after in changes)
        if row is not None:
            yield row
