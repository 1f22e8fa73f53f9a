"""An archive while it is made: every member with its size and SHA-256, and never a whole file in memory.

What grows with the number of members is the directory that a zip archive ends with, some hundred bytes each.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import IO, Any

from foundation.spreadsheets import safe

BLOCK = 1 << 20
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_AS_IS = (".dcm",)
"""Compressed already, or to be found byte by byte: stored."""


@dataclass(frozen=True)
class Member:
    """One file of an archive."""

    name: str
    bytes: int
    sha256: str


def safe_part(text: str) -> str:
    """A part of a path that means the same everywhere: ASCII letters, digits, dot, hyphen and underscore."""
    return _UNSAFE.sub("_", text).strip(".") or "_"


@contextmanager
def packing_to(out: IO[bytes], moment: datetime) -> Iterator[Packing]:
    """A zip archive (Zip64) to be written to `out`; it is complete at the end of the block.

    Parameters
    ----------
    out
        Where it goes; has to be seekable.
    moment
        Stands on every member.
    """
    with (
        zipfile.ZipFile(out, "w", allowZip64=True) as archive,
        TemporaryFile("w+", encoding="utf-8") as members,
    ):
        yield Packing(archive, members, moment)


class Packing:
    """A zip archive that is written member by member.

    Parameters
    ----------
    members
        Where it is noted what was packed, a line of JSON each.
    """

    def __init__(self, archive: zipfile.ZipFile, members: IO[str], moment: datetime) -> None:
        self._zip = archive
        self._written = members
        self._moment = moment.astimezone(UTC).timetuple()[:6]

    def file(self, name: str, source: IO[bytes]) -> Member:
        """Pack what `source` still has to give."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(self._head(name), "w", force_zip64=True) as member:
            while block := source.read(BLOCK):
                member.write(block)
                digest.update(block)
                size += len(block)
        packed = Member(name, size, digest.hexdigest())
        self._written.write(json.dumps(asdict(packed)) + "\n")
        return packed

    def content(self, name: str, content: bytes) -> Member:
        """Pack something small."""
        return self.file(name, io.BytesIO(content))

    @contextmanager
    def text(self, name: str) -> Iterator[IO[str]]:
        """Write a text; other members may be packed meanwhile, and it is packed when it is complete."""
        with TemporaryFile() as kept:
            out = io.TextIOWrapper(kept, encoding="utf-8", newline="")
            yield out
            out.flush()
            out.detach()
            kept.seek(0)
            self.file(name, kept)

    @contextmanager
    def table(self, name: str, heading: Sequence[str]) -> Iterator[Callable[[Sequence[Any]], None]]:
        """Write a table row by row: UTF-8, comma, CRLF (RFC 4180)."""
        with self.text(name) as out:
            writer = csv.writer(out)
            writer.writerow(heading)

            def add(row: Sequence[Any]) -> None:
                writer.writerow([safe(value) for value in row])

            yield add

    def written(self) -> Iterator[Member]:
        """Members so far, in their order; nothing may be packed before the last one was told."""
        self._written.seek(0)
        for line in self._written:
            yield Member(**json.loads(line))
        self._written.seek(0, io.SEEK_END)

    def _head(self, name: str) -> zipfile.ZipInfo:
        head = zipfile.ZipInfo(name, self._moment)
        head.compress_type = zipfile.ZIP_STORED if name.endswith(_AS_IS) else zipfile.ZIP_DEFLATED
        head.external_attr = 0o600 << 16
        return head
