"""Cells put into the document of an entry, in one statement that guards everything the person relied on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from casebook.models import Entry, EntryState, Query
from casebook.rules.cells import Cell
from foundation.rows import instance_of

_PUT = "SELECT casebook_put_cells(%s, %s::jsonb, %s::jsonb, %s::text[], %s)"


@dataclass(frozen=True)
class Put:
    """What stands beside cells that were written.

    Attributes
    ----------
    queries
        The queries of the form that are not closed.
    signed, complete
        Codes of the subject's other forms that are signed, and that are complete, and not locked.
    """

    queries: list[Query]
    signed: frozenset[str]
    complete: frozenset[str]


def put_cells(
    entry: Entry, seen: Mapping[str, Cell | None], cells: Mapping[str, Cell], state: EntryState
) -> Put | None:
    """Write cells, unless the form was closed or completed or one of them changed meanwhile.

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
    Put or None
        None where nothing was written.
    """
    gone = [item for item, cell in cells.items() if not cell]
    put = {item: cell for item, cell in cells.items() if cell}
    expected = {item: cell or None for item, cell in seen.items()}
    with connection.cursor() as cursor:
        cursor.execute(_PUT, [entry.pk, json.dumps(expected), json.dumps(put), gone, state])
        (told,) = cursor.fetchone()
    if told is None:
        return None
    queries, beside = told["queries"], told["beside"]
    return Put(
        [instance_of(Query, row) for row in queries],
        frozenset(beside["signed"]),
        frozenset(beside["complete"]),
    )
