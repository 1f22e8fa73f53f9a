"""A subject's records as they stood at an earlier moment, for every page that reads them.

Inside `standing_at` the tables of the trail are hidden behind tables of the same names that hold the rows as the trail
says they were; the code of a page stays as it is and cannot tell the difference. PostgreSQL looks for a name among a
session's temporary tables first. Everything happens in one transaction that is read only for all other tables and is
undone at the end, so nothing is left behind, also behind a pooler in transaction mode.

What belongs to no subject (people, sites, published protocol versions) is shown as it is now; of rows that are only
ever added, those that were there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models, transaction
from psycopg2 import sql

from audit.installation import APPEND_ONLY
from audit.labels import tables
from audit.models import Event
from audit.rules.history import replay_tables
from audit.tables import tracked_tables
from foundation import clock

_ROWS = sql.SQL(
    "CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS"
    " SELECT * FROM jsonb_populate_recordset(NULL::public.{table}, {rows}::jsonb)"
)
_ADDED = sql.SQL("CREATE TEMPORARY VIEW {table} AS SELECT * FROM public.{table} WHERE at <= {moment}")
_KEPT = sql.SQL("CREATE TEMPORARY VIEW {table} AS SELECT * FROM public.{table} WHERE {key} = ANY({keys})")
_TRAIL = sql.SQL(
    "CREATE TEMPORARY VIEW audit_event AS"
    " SELECT * FROM public.audit_event WHERE subject_id = {subject} AND at <= {moment}"
)
_PLANNED_ANEW = sql.SQL("SET LOCAL search_path = pg_temp, public")
"""Same order as without; but what a function planned before is planned anew where the path is another."""
_READ_ONLY = sql.SQL("SET LOCAL transaction_read_only = on")


@contextmanager
def standing_at(subject_id: int, moment: datetime) -> Iterator[None]:
    """Show a subject as it stood; three statements, whatever its size. The clock stands at the moment as well.

    Parameters
    ----------
    subject_id
        Primary key. Other subjects are not there inside.
    moment
        Aware.
    """
    with transaction.atomic(), clock.standing_at(moment):
        _hide_the_present(subject_id, moment)
        yield
        transaction.set_rollback(True)


def rows_then(subject_id: int, moment: datetime) -> dict[str, list[dict[str, Any]]]:
    """All rows of a subject at a moment, by table; one statement."""
    events = Event.objects.filter(subject_id=subject_id, at__lte=moment).order_by("id")
    return replay_tables(events.values_list("table_name", "row_id", "before", "after").iterator(5000))


def _hide_the_present(subject_id: int, moment: datetime) -> None:
    rows = rows_then(subject_id, moment)
    statements = [_shadow(table, rows.get(table, ())) for table in _subject_tables()]
    statements += [
        _ADDED.format(table=sql.Identifier(table), moment=sql.Literal(moment)) for table in _added_tables()
    ]
    statements.append(_TRAIL.format(subject=sql.Literal(subject_id), moment=sql.Literal(moment)))
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(";").join([*statements, _PLANNED_ANEW, _READ_ONLY]))


def _shadow(table: str, rows: Sequence[Mapping[str, Any]]) -> sql.Composable:
    key = _kept_tables().get(table)
    if key is not None:
        keys = sql.Literal([row[key] for row in rows])
        return _KEPT.format(table=sql.Identifier(table), key=sql.Identifier(key), keys=keys)
    defaults = _defaults(table)
    whole = json.dumps([{**defaults, **row} for row in rows])
    return _ROWS.format(table=sql.Identifier(table), rows=sql.Literal(whole))


@cache
def _subject_tables() -> tuple[str, ...]:
    """Tables whose rows belong to a subject."""
    return tuple(each.table for each in tracked_tables() if each.subject)


@cache
def _kept_tables() -> dict[str, str]:
    """Tables of a subject, with their keys, whose rows never change and of which the trail does not hold everything.

    Their rows are taken from where they are; which of them were there, the trail knows.
    """
    return {
        each.table: each.key
        for each in tracked_tables()
        if each.subject and each.masked and each.table in APPEND_ONLY
    }


@cache
def _added_tables() -> tuple[str, ...]:
    """Tables of no subject to which rows are only added, with the moment in `at`."""
    dated = [table for table in APPEND_ONLY if _has_moment(tables()[table])]
    return tuple(sorted(set(dated) - set(_subject_tables())))


def _has_moment(model: type[models.Model]) -> bool:
    try:
        return isinstance(model._meta.get_field("at"), models.DateTimeField)
    except FieldDoesNotExist:
        return False


@cache
def _defaults(table: str) -> dict[str, Any]:
    """What a column holds in rows that are older than the column."""
    found: dict[str, Any] = {}
    for field in tables()[table]._meta.concrete_fields:
        if not field.has_default() or field.primary_key:
            continue
        value = field.get_default()
        if isinstance(value, str | int | float | bool | list | dict):
            found[str(field.column)] = value
    return found
