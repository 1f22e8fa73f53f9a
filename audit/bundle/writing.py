"""Writing a bundle: streamed, so that its size does not matter."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from audit.bundle.verify import EVENTS, FORMAT, LIMITS, MANIFEST, SEALS
from audit.registry import Section, registered_sections
from audit.services import stored_anchors
from audit.verification import one_moment, read_events, read_seals, transactions_reached
from foundation import clock

HERE = Path(__file__).parent
BATCH = 2000


@dataclass(frozen=True)
class Contents:
    """Whose content a bundle gives. The digests of all events are in it whatever is said here: the chain needs them.

    Attributes
    ----------
    subjects
        Keys of the subjects; None for all.
    others
        Whether events that belong to no subject (accounts, roles, sites) are given.
    sections
        Whether signatures are given, with the events that recorded them.
    """

    subjects: frozenset[int] | None = None
    others: bool = True
    sections: bool = True

    def gives(self, subject: int | None) -> bool:
        """Whether the content of an event is given."""
        if subject is None:
            return self.others
        return self.subjects is None or subject in self.subjects


WHOLE = Contents()


class _Outlet(io.RawIOBase):
    """Where the archive is written to and the answer takes it from; it cannot go back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Something to write to."""
        return True

    def write(self, data: Any) -> int:
        """Keep a block until it is taken."""
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def bundle(contents: Contents, by: str) -> Iterator[bytes]:
    """A bundle as a zip archive, block by block: all of it as it stands at the moment of the first.

    Parameters
    ----------
    contents
        What is given and what is withheld.
    by
        Name of the person for whom it is made.
    """
    with one_moment():
        outlet, counted = _Outlet(), {"events": 0}
        reached, seals = transactions_reached(), read_seals()
        sections = registered_sections() if contents.sections else []
        with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("README.txt", "verify.py"):
                archive.writestr(name, (HERE / name).read_bytes())
            for name, content in stored_anchors():
                archive.writestr(name, content)
            lines: dict[str, Iterable[dict[str, Any]]] = {
                SEALS: ({**{name: getattr(seal, name) for name in ("id", *LIMITS)},
                         "previous": seal.previous.hex(), "digest": seal.digest.hex()} for seal in seals),
                EVENTS: _events(contents, sections, counted),
            }  # fmt: skip
            for section in sections:
                rows = section.rows()
                lines[f"{section.name}.jsonl"] = (
                    {"id": key, "text": text, "digest": digest} for key, text, digest in rows
                )
            for name, members in lines.items():
                with archive.open(name, "w", force_zip64=True) as member:
                    for block in _blocks(members):
                        member.write(block)
                        yield outlet.take()
            manifest = {
                "format": FORMAT,
                "made_at": clock.now().isoformat(),
                "made_for": by,
                "system": {"name": "Hilum", "version": settings.VERSION},
                "reached": reached,
                **counted,
                "sections": [
                    {"name": each.name, "table": each.table, "column": each.column} for each in sections
                ],
            }
            archive.writestr(MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False))
        yield outlet.take()


def _events(
    contents: Contents, sections: Iterable[Section], counted: dict[str, int]
) -> Iterator[dict[str, Any]]:
    """Every event; those of rows that have a section of their own with their content, which the section needs."""
    own = tuple(f'["{section.table}",' for section in sections)
    for number, transaction, digest, text, subject in read_events():
        counted["events"] += 1
        if contents.gives(subject) or text.split("\n", 7)[6].startswith(own):
            yield {"digest": bytes(digest).hex(), "text": text}
        else:
            yield {"id": number, "transaction": transaction, "digest": bytes(digest).hex()}


def _blocks(members: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    rest = iter(members)
    while batch := list(islice(rest, BATCH)):
        yield "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in batch).encode()
