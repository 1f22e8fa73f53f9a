"""Cells put into the document of an entry, in one statement that guards everything the person relied on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection

from casebook.models import Entry, EntryState, Query
from casebook.rules.cells import Cell
from casebook.selectors import OPEN_STATES
from foundation.rows import instance_of

_PUT = """
    UPDATE casebook_entry e
    SET "values" = (e."values" - %(gone)s::text[]) || %(put)s::jsonb, state = %(state)s, version = e.version + 1,
        updated_at = statement_timestamp()
    WHERE e.id = %(key)s AND NOT e.locked AND NOT e.frozen AND (%(complete)s OR e.state <> 'COMPLETE')
      AND NOT EXISTS (
        SELECT FROM jsonb_each(%(seen)s::jsonb) seen WHERE coalesce(e."values" -> seen.key, 'null') <> seen.value)
    RETURNING (
      SELECT coalesce(json_agg(q ORDER BY q.raised_at, q.id), '[]') FROM casebook_query q
      WHERE q.entry_id = e.id AND q.state = ANY(%(open)s))
"""


def put_cells(
    entry: Entry, seen: Mapping[str, Cell | None], cells: Mapping[str, Cell], state: EntryState
) -> list[Query] | None:
    """Write cells, unless the form was closed or completed or one of them changed meanwhile.

    Plain SQL, for it is asked with each value that somebody types.

    Parameters
    ----------
    seen
        What the cells were when the form was read; None or empty for nothing.
    cells
        What they are now; an empty one is taken out.
    state
        Of the form; only one that is complete stays so.

    Returns
    -------
    list of Query or None
        The queries of the form that are not closed; None where nothing was written.
    """
    asked: dict[str, Any] = {
        "key": entry.pk,
        "gone": [item for item, cell in cells.items() if not cell],
        "put": json.dumps({item: cell for item, cell in cells.items() if cell}),
        "seen": json.dumps({item: cell or None for item, cell in seen.items()}),
        "state": state,
        "complete": state == EntryState.COMPLETE,
        "open": list(OPEN_STATES),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PUT, asked)
        written = cursor.fetchone()
    return [instance_of(Query, row) for row in written[0]] if written else None
