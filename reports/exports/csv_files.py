"""Writing CSV that a spreadsheet cannot misread, and knowing what was written."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from foundation.spreadsheets import safe


@dataclass(frozen=True)
class Written:
    """One file of an export: its rows (without the heading), bytes, and SHA-256 of the bytes."""

    name: str
    rows: int
    bytes: int
    sha256: str


class Hashing(io.RawIOBase):
    """Passes bytes on to a file and keeps their digest."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """A file to write to."""
        return True

    def write(self, data: Any) -> int:
        """Write, count and hash."""
        block = bytes(data)
        self._out.write(block)
        self.digest.update(block)
        self.size += len(block)
        return len(block)


def write_csv(out: IO[bytes], name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Written:
    """Write one file, row by row: UTF-8, comma, CRLF (RFC 4180)."""
    hashing = Hashing(out)
    buffer = io.TextIOWrapper(io.BufferedWriter(hashing, 1 << 16), encoding="utf-8", newline="")
    writer = csv.writer(buffer)
    writer.writerow(heading)
    count = 0
    for row in rows:
        writer.writerow([safe(value) for value in row])
        count += 1
    buffer.flush()
    buffer.detach()
    return Written(name, count, hashing.size, hashing.digest.hexdigest())
