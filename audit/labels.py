"""The trail in words: what a table and a column are called on screen, what a code or a key stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.functional import lazy
from django.utils.timezone import localtime

from audit.models import Event
from audit.registry import Described, describer_of

HIDDEN = {"id", "subject_id", "created_at", "updated_at"}
HEAVY = "definition"
type_names = Mapping[tuple[type[models.Model], Any], str]


@dataclass(frozen=True)
class FieldChange:
    """One changed field in words; the values are as stored where no word is known."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True)
class InWords:
    """An event for people: what it is about, where that is, and what changed."""

    event: Event
    what: str
    url: str
    changes: list[FieldChange]


@cache
def tables() -> dict[str, type[models.Model]]:
    """Model of each table."""
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


def table_label(table: str) -> str:
    """What a row of a table is called."""
    model = tables().get(table)
    if model is None:
        return table
    name = str(model._meta.verbose_name)
    return name[:1].upper() + name[1:]


def in_words(events: Sequence[Event]) -> list[InWords]:
    """Events in words; the number of statements depends on the tables that they are of, not on their number."""
    by_table: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_table[event.table_name].append(event)
    described: dict[int, Described] = {}
    for table, mine in by_table.items():
        describe = describer_of(table)
        if describe is not None:
            described |= describe(mine)
    names = _names([event for event in events if event.pk not in described])
    return [_in_words(event, described.get(event.pk), names) for event in events]


def _in_words(event: Event, described: Described | None, names: type_names) -> InWords:
    if described is None:
        return InWords(event, table_label(event.table_name), "", changes(event, names))
    return InWords(event, described.what, described.url, [FieldChange(*each) for each in described.changes])


def changes(event: Event, names: type_names | None = None) -> list[FieldChange]:
    """The fields that an event changed, in words; a JSON object's keys stand for themselves.

    Parameters
    ----------
    names
        What the rows are called that keys point at.
    """
    model = tables().get(event.table_name)
    before, after = event.before or {}, event.after or {}
    return [
        change
        for column in sorted({*before, *after} - HIDDEN)
        for change in _of_column(model, column, before.get(column), after.get(column), names or {})
    ]


def _of_column(
    model: type[models.Model] | None, column: str, old: Any, new: Any, names: type_names
) -> list[FieldChange]:
    field = _field(model, column)
    name = str(field.verbose_name) if field is not None else column
    if isinstance(old, dict | None) and isinstance(new, dict | None) and (old or new):
        keys = sorted({*(old or {}), *(new or {})})
        return [
            FieldChange(f"{name}: {key}", plain((old or {}).get(key)), plain((new or {}).get(key)))
            for key in keys
        ]
    if old in (None, "", [], {}) and new in (None, "", [], {}):
        return []
    return [FieldChange(name, _word(field, old, names), _word(field, new, names))]


@cache
def _field(model: type[models.Model] | None, column: str) -> models.Field[Any, Any] | None:
    if model is None:
        return None
    return next((field for field in model._meta.concrete_fields if field.column == column), None)


def _word(field: models.Field[Any, Any] | None, value: Any, names: type_names) -> Any:
    if value is None or field is None:
        return plain(value)
    if field.choices:
        return dict(field.flatchoices).get(value, value)
    target = field.remote_field.model if isinstance(field, models.ForeignKey) else None
    if isinstance(target, type):
        return names.get((target, value), value)
    if isinstance(field, models.DateTimeField):
        return moment(value)
    return plain(value)


def moment(value: Any) -> Any:
    """`12 Mar 2025, 13:03:00 UTC` from what the trail holds of a moment, in the clock of the page that shows it."""
    try:
        return _in_clock(datetime.fromisoformat(value).astimezone(UTC))
    except (TypeError, ValueError):
        return value


def _spelt(found: datetime) -> str:
    return f"{localtime(found):%d %b %Y, %H:%M:%S %Z}"


_in_clock = lazy(_spelt, str)


def plain(value: Any) -> Any:
    """Truth values, lists and objects without the signs of JSON; everything else as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(plain(each)) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(each)}" for key, each in value.items() if each not in (None, ""))
    return value


def _names(events: Iterable[Event]) -> dict[tuple[type[models.Model], Any], str]:
    """What the rows are called that these events point at; one statement for each table pointed at."""
    wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
    for event in events:
        model = tables().get(event.table_name)
        for side in (event.before or {}, event.after or {}):
            for column, value in side.items():
                field = _field(model, column)
                if isinstance(field, models.ForeignKey) and value is not None and column not in HIDDEN:
                    target = field.remote_field.model
                    if isinstance(target, type):
                        wanted[target].add(value)
    found: dict[tuple[type[models.Model], Any], str] = {}
    for target, keys in wanted.items():
        rows = target._default_manager.filter(pk__in=keys)
        if any(field.name == HEAVY for field in target._meta.concrete_fields):
            rows = rows.defer(HEAVY)
        found |= {(target, row.pk): str(row) for row in rows}
    return found
