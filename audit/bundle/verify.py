"""Check a bundle of an audit trail. Needs Python 3.9 or newer and nothing else.

    python verify.py BUNDLE.zip [--anchor FILE_OR_FOLDER ...]

Recomputes the SHA-256 of every event, of every block of events and of every signature, follows the chain of the seals
from the first to the last, looks for gaps and for events that were slipped in, and compares the seals with anchors:
digests that were put where nobody with the database could change them. Ends with status 0 where all fits, with 1 and
the first broken place where it does not, with 2 where there is nothing to check.

Hilum checks its own database with the same lines (`check` below), and puts this file into each bundle unchanged.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = "hilum-trail-1"
FIRST_PREVIOUS = bytes(32)
MANIFEST, EVENTS, SEALS = "manifest.json", "events.jsonl", "seals.jsonl"
LIMITS = ("after_id", "from_transaction", "until_transaction", "first_id", "last_id", "events")
LINES = 9
"""Lines of an event's text: identifier, moment, transaction, actor's key, action, subject's key, then as JSON: table,
row, actor, role, reason, origin and request in one array, the values before, the values after."""


@dataclass(frozen=True)
class Seal:
    """A block of events: its limits, the digest of the seal before, and its own."""

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
        return " ".join(str(getattr(self, name)) for name in LIMITS).encode()

    def __str__(self) -> str:
        return f"seal {self.id} (events {self.first_id} to {self.last_id})"


@dataclass(frozen=True)
class Fault:
    """A broken place."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass
class Count:
    """What a check went through."""

    events: int = 0
    seals: int = 0
    unsealed: int = 0
    unread: int = 0
    others: dict[str, int] = field(default_factory=dict)


class Recorded(NamedTuple):
    """An event as it was recorded; without a text where the bundle withholds its content."""

    id: int
    transaction: int
    digest: bytes
    text: bytes | None


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

    def __init__(self, seals: Sequence[Seal], reached: int) -> None:
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


def check(events: Iterable[Recorded], seals: Sequence[Seal], reached: int, count: Count) -> Iterator[Fault]:
    """Every broken place of a trail: the chain first, then its events in their order, then its blocks.

    Parameters
    ----------
    events
        By identifier.
    seals
        By identifier.
    reached
        The transaction that the database had come to.
    count
        Filled with what was gone through.
    """
    count.seals = len(seals)
    yield from _chain_faults(seals)
    blocks = _Blocks(seals, reached)
    before = 0
    for event_id, transaction, digest, text in events:
        count.events += 1
        if event_id <= before:
            yield Fault(f"event {event_id}", f"it is out of order, after event {before}")
        before = event_id
        if text is None:
            count.unread += 1
        elif hashlib.sha256(text).digest() != digest:
            yield Fault(f"event {event_id}", "its content is not what was recorded")
        block = blocks.of(event_id, transaction)
        if block is not None:
            block.add(digest)
        elif blocks.is_after_the_last(event_id, transaction):
            count.unsealed += 1
        else:
            yield Fault(f"event {event_id}", "it was slipped in: events around it were sealed without it")
    for block in blocks.open.values():
        if not block.intact:
            yield Fault(str(block.seal), _what_is_wrong(block))


def _what_is_wrong(block: _Block) -> str:
    if block.events < block.seal.events:
        return f"{block.seal.events - block.events} of its {block.seal.events} events are missing"
    if block.events > block.seal.events:
        return f"{block.events - block.seal.events} events too many"
    return "its events or its limits are not those that were sealed"


def _chain_faults(seals: Sequence[Seal]) -> Iterator[Fault]:
    previous = FIRST_PREVIOUS
    for seal in seals:
        if seal.previous != previous:
            yield Fault(str(seal), "it does not continue the seal before it")
        previous = seal.digest


def anchor_faults(anchors: Iterable[tuple[int, str]], seals: Iterable[Seal]) -> Iterator[Fault]:
    """Seals that were anchored outside and are different or gone here.

    Parameters
    ----------
    anchors
        Identifier of a seal and its digest, hexadecimal.
    """
    held = {seal.id: seal.digest.hex() for seal in seals}
    for number, digest in anchors:
        if number not in held:
            yield Fault(f"seal {number}", "it is gone, and was anchored outside")
        elif held[number] != digest:
            yield Fault(f"seal {number}", "it is not the one that was anchored outside")


# The bundle ---------------------------------------------------------------------------------------------------------


class NoBundle(Exception):
    """The file cannot be read as a bundle."""


def bundle_faults(path: Path, anchors: Sequence[tuple[int, str]], count: Count) -> Iterator[Fault]:
    """Every broken place of a bundle.

    Raises
    ------
    NoBundle
        It is no bundle, or of a format that this program does not know.
    """
    try:
        archive = zipfile.ZipFile(path)
        manifest = json.loads(archive.read(MANIFEST))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise NoBundle(f"{path} is no whole bundle: {error}") from error
    if manifest.get("format") != FORMAT:
        raise NoBundle(f"{path} has the format {manifest.get('format')!r}, not {FORMAT!r}.")
    with archive:
        try:
            yield from _archive_faults(archive, manifest, anchors, count)
        except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            yield Fault(
                f"event {count.events + 1} or later", f"the bundle cannot be read from here on: {error!r}"
            )


def _archive_faults(
    archive: zipfile.ZipFile, manifest: Mapping[str, Any], anchors: Sequence[tuple[int, str]], count: Count
) -> Iterator[Fault]:
    seals = [_seal(each) for each in _lines(archive, SEALS)]
    sections = manifest["sections"]
    recorded: dict[str, dict[str, str]] = {section["table"]: {} for section in sections}
    yield from check(_events(archive, sections, recorded), seals, manifest["reached"], count)
    if count.events != manifest["events"]:
        yield Fault(EVENTS, f"it holds {count.events} events, the manifest says {manifest['events']}")
    yield from anchor_faults(anchors, seals)
    for section in sections:
        yield from _section_faults(archive, section, recorded[section["table"]], count)


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    with archive.open(name) as raw:
        for line in raw:
            yield json.loads(line)


def _seal(given: Mapping[str, Any]) -> Seal:
    numbers = {name: int(given[name]) for name in ("id", *LIMITS)}
    return Seal(previous=bytes.fromhex(given["previous"]), digest=bytes.fromhex(given["digest"]), **numbers)


def _events(
    archive: zipfile.ZipFile, sections: Sequence[Mapping[str, Any]], recorded: Mapping[str, dict[str, str]]
) -> Iterator[Recorded]:
    """Events of the bundle; on the way, what the trail says of the rows that have a section of their own."""
    wanted = [(f'["{section["table"]}",', section["table"], section["column"]) for section in sections]
    for given in _lines(archive, EVENTS):
        digest, text = bytes.fromhex(given["digest"]), given.get("text")
        if text is None:
            yield Recorded(given["id"], given["transaction"], digest, None)
            continue
        parts = text.split("\n")
        if len(parts) != LINES:
            raise ValueError(f"a text of {len(parts)} lines instead of {LINES}")
        for start, table, column in wanted:
            if parts[6].startswith(start) and parts[4] == "I":
                recorded[table][json.loads(parts[6])[1]] = json.loads(parts[8])[column]
        yield Recorded(int(parts[0]), int(parts[2]), digest, text.encode())


def _section_faults(
    archive: zipfile.ZipFile, section: Mapping[str, Any], recorded: Mapping[str, str], count: Count
) -> Iterator[Fault]:
    """Records such as signatures: each by itself, and that they are those which the trail recorded."""
    name = section["name"]
    held = {}
    for given in _lines(archive, f"{name}.jsonl"):
        key = str(given["id"])
        held[key] = given["digest"]
        if hashlib.sha256(given["text"].encode()).hexdigest() != given["digest"]:
            yield Fault(f"{name}, row {key}", "its content is not what was recorded")
    count.others[name] = len(held)
    for key, digest in recorded.items():
        if held.get(key) != digest:
            missing = key not in held
            yield Fault(
                f"{name}, row {key}", "it is missing" if missing else "the trail recorded another one"
            )
    for key in held.keys() - recorded.keys():
        yield Fault(f"{name}, row {key}", "the trail knows nothing of it")


def read_anchors(paths: Iterable[Path]) -> list[tuple[int, str]]:
    """Anchors from files, or from folders of files.

    Raises
    ------
    NoBundle
        A file that is no anchor.
    """
    files = [each for path in paths for each in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    anchors = []
    for file in files:
        try:
            anchor = json.loads(file.read_text())
            anchors.append((int(anchor["seal"]), str(anchor["digest"])))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoBundle(f"{file} is no anchor: {error!r}") from error
    return anchors


def summary(count: Count) -> str:
    """What was gone through, in words."""
    others = "".join(f", {number} {name}" for name, number in sorted(count.others.items()))
    unread = f" The content of {count.unread} events is withheld; their digests fit." if count.unread else ""
    return (
        f"The trail is intact: {count.events} events, {count.seals} seals, {count.unsealed} events not sealed yet"
        f"{others}.{unread}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the bundle that is named on the command line."""
    parser = argparse.ArgumentParser(description="Check a bundle of an audit trail.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument(
        "--anchor", type=Path, action="append", default=[], help="an anchor, or a folder of them"
    )
    given = parser.parse_args(arguments)
    count = Count()
    try:
        anchors = read_anchors(given.anchor)
        fault = next(bundle_faults(given.bundle, anchors, count), None)
    except NoBundle as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if fault is not None:
        sys.stdout.write(f"The trail was altered. First broken place: {fault}\n")
        return 1
    sys.stdout.write(summary(count) + "\n")
    if not anchors:
        sys.stdout.write(
            "No anchor was given: a trail that was made anew from the first event to the last would look the same.\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
