"""The trail in words: what a table and a column are called on screen, what a code stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models

from audit.models import Event

HIDDEN = {"id"}


@dataclass(frozen=True)
class FieldChange:
    """One changed field in words; the values are as stored where no word is known."""

    name: str
    old: Any
    new: Any


@cache
def tables() -> dict[str, type[models.Model]]:
    """Model of each table."""
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


def table_label(table: str) -> str:
    """What a row of a table is called."""
    model = tables().get(table)
    return str(model._meta.verbose_name).capitalize() if model else table


def changes(event: Event) -> list[FieldChange]:
    """The fields that an event changed, in words; a JSON object's keys stand for themselves."""
    model = tables().get(event.table_name)
    before, after = event.before or {}, event.after or {}
    return [
        change
        for column in sorted({*before, *after} - HIDDEN)
        for change in _of_column(model, column, before.get(column), after.get(column))
    ]


def _of_column(model: type[models.Model] | None, column: str, old: Any, new: Any) -> list[FieldChange]:
    field = _field(model, column)
    name = str(field.verbose_name) if field is not None else column
    if isinstance(old, dict | None) and isinstance(new, dict | None) and (old or new):
        keys = sorted({*(old or {}), *(new or {})})
        return [FieldChange(f"{name}: {key}", (old or {}).get(key), (new or {}).get(key)) for key in keys]
    if old in (None, "") and new in (None, ""):
        return []
    return [FieldChange(name, _word(field, old), _word(field, new))]


@cache
def _field(model: type[models.Model] | None, column: str) -> models.Field[Any, Any] | None:
    if model is None:
        return None
    return next((field for field in model._meta.concrete_fields if field.column == column), None)


def _word(field: models.Field[Any, Any] | None, value: Any) -> Any:
    if field is None or not field.choices or value is None:
        return value
    return dict(field.flatchoices).get(value, value)
