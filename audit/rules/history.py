"""Rows and items as they were, from the changes that the trail holds.

An event holds the whole row when it was created or deleted and the changed keys when it was changed; where a column
held a JSON object before and after, only that object's changed keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

type_row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What one event says about a row: `before` is None for a created row, `after` for a deleted one."""

    before: type_row | None
    after: type_row | None


@dataclass(frozen=True)
class ItemVersion:
    """One value of one item, with who gave it and why.

    Parameters
    ----------
    event_id
        Identifier of the event in the trail.
    at
        When, aware, UTC.
    actor, role, reason
        Who, in which role, and why.
    old, new
        The value before and after; None where there was none.
    """

    event_id: int
    at: datetime
    actor: str
    role: str
    reason: str
    old: Any
    new: Any


def replay(changes: Iterable[Change]) -> dict[str, Any] | None:
    """The row after all changes, oldest first.

    Returns
    -------
    dict or None
        None where the row does not exist, or not any more.
    """
    row: dict[str, Any] | None = None
    for change in changes:
        if change.after is None:
            row = None
        elif change.before is None:
            row = dict(change.after)
        else:
            row = _patched(row or {}, change.before, change.after)
    return row


def replay_tables(
    events: Iterable[tuple[str, str, type_row | None, type_row | None]],
) -> dict[str, list[dict[str, Any]]]:
    """All rows that exist after these events, by table.

    Parameters
    ----------
    events
        Table, key of the row, `before` and `after`, oldest first.
    """
    changes: dict[tuple[str, str], list[Change]] = {}
    for table, row_id, before, after in events:
        changes.setdefault((table, row_id), []).append(Change(before, after))
    tables: dict[str, list[dict[str, Any]]] = {}
    for (table, _), seen in changes.items():
        row = replay(seen)
        if row is not None:
            tables.setdefault(table, []).append(row)
    return tables


def _patched(row: type_row, before: type_row, after: type_row) -> dict[str, Any]:
    patched = {key: value for key, value in row.items() if key in after or key not in before}
    for key, new in after.items():
        old = before.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            held = row.get(key) or {}
            kept = {name: value for name, value in held.items() if name in new or name not in old}
            patched[key] = kept | new
        else:
            patched[key] = new
    return patched
