"""Rows that plain SQL read, as instances of their models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, models

M = TypeVar("M", bound=models.Model)


def instance_of(model: type[M], row: Mapping[str, Any]) -> M:
    """An instance as the ORM would have read it.

    Parameters
    ----------
    row
        Values by column, as PostgreSQL's `to_json` writes them; a column that is left out is deferred.
    """
    fields = [field for field in model._meta.concrete_fields if field.column in row]
    values = [field.to_python(row[str(field.column)]) for field in fields]
    return model.from_db(DEFAULT_DB_ALIAS, [field.attname for field in fields], values)
