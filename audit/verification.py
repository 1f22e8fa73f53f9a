"""Has anybody altered the trail? Recomputes every digest and every seal, and compares the anchors.

It reads the tables with an expression of its own and hashes here, so it believes neither the stored digests nor a
function in the database.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from audit.sql import CANONICAL_TEXT

PAGE = 5000
FIRST_PREVIOUS = bytes(32)

_EVENTS = f"""
    SELECT e.id, e.transaction_id, e.digest, {CANONICAL_TEXT}
    FROM public.audit_event e WHERE e.id > %s ORDER BY e.id LIMIT {PAGE}
"""  # noqa: S608 - constants
_SEAL_COLUMNS = (
    "id", "after_id", "from_transaction", "until_transaction", "first_id", "last_id", "events", "previous", "digest"
)  # fmt: skip
_SEALS = f"SELECT {', '.join(_SEAL_COLUMNS)} FROM public.audit_seal ORDER BY id"  # noqa: S608 - constants


@dataclass(frozen=True)
class Seal:
    """A seal as it stands in the database."""

    id: int
    after_id: int
    from_transaction: int
    until_transaction: int
    first_id: int
    last_id: int
    events: int
    previous: bytes
    digest: bytes

    @property
    def limits(self) -> bytes:
        """The text of the block's limits that its digest covers."""
        numbers = (
            self.after_id, self.from_transaction, self.until_transaction, self.first_id, self.last_id, self.events
        )  # fmt: skip
        return " ".join(map(str, numbers)).encode()


@dataclass(frozen=True)
class Fault:
    """A broken place."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass
class Count:
    """What a verification went through."""

    events: int = 0
    seals: int = 0
    unsealed: int = 0


class _Block:
    """A seal's digest while its events pass by."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self.hash = hashlib.sha256(seal.previous + seal.limits)
        self.events = 0

    def add(self, digest: bytes) -> None:
        self.hash.update(digest)
        self.events += 1

    @property
    def intact(self) -> bool:
        return self.events == self.seal.events and self.hash.digest() == self.seal.digest


class _Blocks:
    """Which block an event belongs to. A later block with the same transaction numbers is of a restored database."""

    def __init__(self, seals: list[Seal], reached: int) -> None:
        self.restored = bool(seals) and seals[-1].until_transaction > reached
        self.last_id = max((seal.last_id for seal in seals), default=0)
        self.epochs: list[tuple[int, list[Seal], list[int]]] = []
        for seal in seals:
            if not self.epochs or self.epochs[-1][0] != seal.after_id:
                self.epochs.append((seal.after_id, [], []))
            self.epochs[-1][1].append(seal)
            self.epochs[-1][2].append(seal.from_transaction)
        self.starts = [after for after, _, _ in self.epochs]
        self.open = {seal.id: _Block(seal) for seal in seals}

    def of(self, event_id: int, transaction: int) -> _Block | None:
        """The block, or None where no seal covers the event."""
        epoch = bisect_right(self.starts, event_id - 1) - 1
        if epoch < 0:
            return None
        _, seals, starts = self.epochs[epoch]
        position = bisect_right(starts, transaction) - 1
        if position < 0:
            return None
        seal = seals[position]
        inside = transaction < seal.until_transaction and seal.first_id <= event_id <= seal.last_id
        return self.open.get(seal.id) if inside else None

    def is_after_the_last(self, event_id: int, transaction: int) -> bool:
        """Whether an event without a seal may still wait for one."""
        if not self.epochs:
            return True
        if self.restored:  # from a dump, and not sealed since: transactions are counted from the start again
            return event_id > self.last_id
        after, seals, _ = self.epochs[-1]
        return event_id > after and transaction >= seals[-1].until_transaction


def faults(count: Count | None = None) -> Iterator[Fault]:
    """Every broken place of the trail, in order of its rows.

    Parameters
    ----------
    count
        Filled with what was gone through.
    """
    count = count if count is not None else Count()
    seals = _read_seals()
    count.seals = len(seals)
    yield from _chain_faults(seals)
    blocks = _Blocks(seals, _transactions_reached())
    for event_id, transaction, digest, text in _read_events():
        count.events += 1
        if hashlib.sha256(text.encode()).digest() != bytes(digest):
            yield Fault(f"event {event_id}", "its content is not what was recorded")
        block = blocks.of(event_id, transaction)
        if block is not None:
            block.add(bytes(digest))
        elif blocks.is_after_the_last(event_id, transaction):
            count.unsealed += 1
        else:
            yield Fault(f"event {event_id}", "it was slipped in: events around it were sealed without it")
    for block in blocks.open.values():
        if not block.intact:
            yield Fault(_place(block.seal), _what_is_wrong(block))


def _what_is_wrong(block: _Block) -> str:
    if block.events < block.seal.events:
        return f"{block.seal.events - block.events} of its {block.seal.events} events are missing"
    if block.events > block.seal.events:
        return f"{block.events - block.seal.events} events too many"
    return "its events or its limits are not those that were sealed"


def anchor_faults(anchors: Iterable[tuple[int, str]]) -> Iterator[Fault]:
    """Seals that were anchored outside and are different or gone here.

    Parameters
    ----------
    anchors
        Identifier of a seal and its digest, hexadecimal.
    """
    held = {seal.id: seal.digest.hex() for seal in _read_seals()}
    for number, digest in anchors:
        if number not in held:
            yield Fault(f"seal {number}", "it is gone, and was anchored outside")
        elif held[number] != digest:
            yield Fault(f"seal {number}", "it is not the one that was anchored outside")


def _chain_faults(seals: list[Seal]) -> Iterator[Fault]:
    previous = FIRST_PREVIOUS
    for seal in seals:
        if seal.previous != previous:
            yield Fault(_place(seal), "it does not continue the seal before it")
        previous = seal.digest


def _place(seal: Seal) -> str:
    return f"seal {seal.id} (events {seal.first_id} to {seal.last_id})"


def _read_seals() -> list[Seal]:
    with connection.cursor() as cursor:
        cursor.execute(_SEALS)
        return [_seal(row) for row in cursor.fetchall()]


def _seal(row: Sequence[Any]) -> Seal:
    given = dict(zip(_SEAL_COLUMNS, row, strict=True))
    return Seal(**given | {"previous": bytes(given["previous"]), "digest": bytes(given["digest"])})


def _transactions_reached() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        (reached,) = cursor.fetchone()
    return int(reached)


def _read_events() -> Iterator[tuple[int, int, memoryview, str]]:
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS, [last])
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1][0]
