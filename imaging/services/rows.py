"""Many rows written in one statement. (Django's `bulk_update` builds a case for each value, which costs far more.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Model
from psycopg2 import sql


def update_rows(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write some fields of rows of one table; inside the caller's transaction, so the trail knows who writes.

    Parameters
    ----------
    names
        Fields of one column each, of types that have arrays: text, numbers, keys.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields: list[Any] = [meta.pk, *(meta.get_field(name) for name in names)]
    columns = [sql.Identifier(field.column) for field in fields]
    types = [
        sql.SQL(f"%s::{field.rel_db_type(connection) or field.db_type(connection)}[]") for field in fields
    ]
    statement = sql.SQL(
        "UPDATE {table} SET {assigned} FROM unnest({values}) AS new({columns}) WHERE {key}"
    ).format(
        table=sql.Identifier(meta.db_table),
        assigned=sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(column) for column in columns[1:]),
        values=sql.SQL(", ").join(types),
        columns=sql.SQL(", ").join(columns),
        key=sql.SQL("{0}.{1} = new.{1}").format(sql.Identifier(meta.db_table), columns[0]),
    )
    values = [[getattr(row, field.attname) for row in rows] for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
