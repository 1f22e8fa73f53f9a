"""Has anybody altered the trail? Recomputes every digest and every seal, and compares the anchors.

It reads the tables with an expression of its own and hashes here, so it believes neither the stored digests nor a
function in the database. What is compared with what stands in `audit.bundle.verify`, the program that every bundle
carries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from audit.bundle import verify
from audit.bundle.verify import Count, Fault, Recorded, Seal
from audit.sql import CANONICAL_TEXT

__all__ = [
    "Count",
    "Fault",
    "Seal",
    "anchor_faults",
    "faults",
    "one_moment",
    "read_events",
    "read_seals",
    "transactions_reached",
]
PAGE = 5000

_EVENTS = f"""
    SELECT e.id, e.transaction_id, e.digest, {CANONICAL_TEXT}, e.subject_id
    FROM public.audit_event e WHERE e.id > %s ORDER BY e.id LIMIT {PAGE}
"""  # noqa: S608 - constants
_SEAL_COLUMNS = (
    "id", "after_id", "from_transaction", "until_transaction", "first_id", "last_id", "events", "previous", "digest"
)  # fmt: skip
_SEALS = f"SELECT {', '.join(_SEAL_COLUMNS)} FROM public.audit_seal ORDER BY id"  # noqa: S608 - constants


@contextmanager
def one_moment() -> Iterator[None]:
    """Everything that is read inside stood so at one moment, whatever others write meanwhile.

    Inside a transaction that has begun already, that one decides what is seen.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def faults(count: Count | None = None) -> Iterator[Fault]:
    """Every broken place of the trail, in order of its rows.

    Parameters
    ----------
    count
        Filled with what was gone through.
    """
    count = count if count is not None else Count()
    events = (
        Recorded(number, transaction, bytes(digest), text.encode())
        for number, transaction, digest, text, _ in read_events()
    )
    yield from verify.check(events, read_seals(), transactions_reached(), count)


def anchor_faults(anchors: Iterable[tuple[int, str]]) -> Iterator[Fault]:
    """Seals that were anchored outside and are different or gone here.

    Parameters
    ----------
    anchors
        Identifier of a seal and its digest, hexadecimal.
    """
    yield from verify.anchor_faults(anchors, read_seals())


def read_seals() -> list[Seal]:
    """All seals as they stand in the database."""
    with connection.cursor() as cursor:
        cursor.execute(_SEALS)
        return [_seal(row) for row in cursor.fetchall()]


def _seal(row: Sequence[Any]) -> Seal:
    given = dict(zip(_SEAL_COLUMNS, row, strict=True))
    return Seal(**given | {"previous": bytes(given["previous"]), "digest": bytes(given["digest"])})


def transactions_reached() -> int:
    """The transaction that the database has come to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        (reached,) = cursor.fetchone()
    return int(reached)


def read_events() -> Iterator[tuple[int, int, memoryview, str, int | None]]:
    """Identifier, transaction, digest, canonical text and subject of every event; page by page."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS, [last])
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1][0]
