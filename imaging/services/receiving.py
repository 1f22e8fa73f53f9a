"""Taking files in: a list first, then the files, then the word that it is complete. Every door uses these."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from audit.context import Actor, acting
from foundation import clock
from imaging.dicom.intake import MAX_ARCHIVE_BYTES, examined_elsewhere
from imaging.dicom.reader import MAX_OBJECT_BYTES
from imaging.errors import (
    BatchClosedError,
    BatchIncompleteError,
    FileNotExpectedError,
    ManifestRefusedError,
    VisitTakesNoImagesError,
)
from imaging.models import Batch, BatchFile, BatchState, FileState, Origin
from imaging.services.names import announced_path, name_without_names
from imaging.services.rows import update_rows
from visits.models import Visit

MAX_FILES = 20_000
_CHUNK = 1024 * 1024
_LOT = 40
_MAX_SIZE = 2**53


@dataclass(frozen=True)
class Announced:
    """A file that somebody wants to send: its path as they know it, and its size in bytes.

    `unsent` says what a browser saw where it does not send the file at all (see `examined_elsewhere`).
    """

    path: str
    size: int
    unsent: str = ""


@dataclass(frozen=True)
class Receipt:
    """What the sender is told of one file at once: `received`, `duplicate` or `rejected`, and why."""

    state: str
    reason: str = ""


def start_batch(
    *, actor: Actor, visit: Visit, files: Sequence[Announced], origin: str = Origin.WEB
) -> tuple[Batch, list[int]]:
    """Open a batch for a visit, or find the one that was broken off, and say what is missing.

    Parameters
    ----------
    files
        Everything that will be sent, in a fixed order.

    Returns
    -------
    tuple of Batch and list of int
        Indexes of the files that have not arrived.

    Raises
    ------
    ManifestRefusedError, VisitTakesNoImagesError
    """
    _check_manifest(files)
    _check_visit(visit)
    digest = digest_of(f"{each.size} {each.path}" for each in files)
    with acting(actor):
        Visit.objects.select_for_update().get(pk=visit.pk)
        batch = Batch.objects.filter(visit=visit, manifest_digest=digest, state=BatchState.RECEIVING).first()
        if batch is None:
            batch = _new_batch(actor, visit, files, digest, origin)
    expected = BatchFile.objects.filter(batch=batch, state=FileState.EXPECTED)
    return batch, list(expected.order_by("index").values_list("index", flat=True))


def _check_manifest(files: Sequence[Announced]) -> None:
    if not files:
        raise ManifestRefusedError(message="There are no files to send.")
    if len(files) > MAX_FILES:
        raise ManifestRefusedError(
            message=f"More than {MAX_FILES:,} files at one go. Send a folder at a time."
        )
    if any(not 0 <= each.size <= _MAX_SIZE or not each.path for each in files):
        raise ManifestRefusedError(message="The list of files is not understood.")


def _check_visit(visit: Visit) -> None:
    plan = next((each for each in visit.subject.version.protocol.visits if each.code == visit.code), None)
    if plan is not None and not plan.imaging:
        raise VisitTakesNoImagesError(visit=plan.name)


def digest_of(lines: Iterable[str]) -> str:
    """Digest of a list of files. Keyed, since paths may hold names and the digest stands in the trail."""
    text = "\n".join(lines)
    return hmac.new(settings.SECRET_KEY.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _new_batch(actor: Actor, visit: Visit, files: Sequence[Announced], digest: str, origin: str) -> Batch:
    batch = Batch.objects.create(
        subject=visit.subject,
        visit=visit,
        origin=origin,
        manifest_digest=digest,
        sent_by=actor.name,
        sent_by_id=actor.id,
    )
    BatchFile.objects.bulk_create(_expected(batch, index, each) for index, each in enumerate(files))
    return batch


def _expected(batch: Batch, index: int, announced: Announced) -> BatchFile:
    archive = announced.path.lower().endswith(".zip")
    limit = MAX_ARCHIVE_BYTES if archive else MAX_OBJECT_BYTES
    file = BatchFile(
        batch=batch,
        subject_id=batch.subject_id,
        index=index,
        path=announced_path(announced.path),
        size=announced.size,
    )
    if announced.size > limit:
        file.state, file.code = FileState.REJECTED, "too_large"
        file.reason = f"The file is larger than {limit // 1024**2:,} MB; it was not sent."
    elif announced.unsent:
        seen = examined_elsewhere(announced.unsent, announced.path)
        file.state, file.code, file.reason = FileState(seen.verdict.value), seen.code, seen.reason
    if file.state != FileState.EXPECTED:
        file.path = name_without_names(index + 1, announced.path)
    return file


@dataclass(frozen=True)
class Sent:
    """A file of a batch as it comes in: its place in the list, its bytes, and how many there are.

    `sha256` is the digest that the sender made of it before it left, in hexadecimal digits, where it made one.
    """

    index: int
    content: IO[bytes]
    size: int
    sha256: str = ""


def receive_file(*, actor: Actor, batch: Batch, index: int, content: IO[bytes], size: int) -> Receipt:
    """Keep one file of a batch as it came. The same file twice is one.

    Raises
    ------
    FileNotExpectedError, BatchClosedError
    """
    return receive_some(actor=actor, batch=batch, sent=[Sent(index, content, size)])[0]


def receive_some(*, actor: Actor, batch: Batch, sent: Sequence[Sent]) -> list[Receipt]:
    """Keep some files of a batch; as many statements for many as for one.

    Raises
    ------
    FileNotExpectedError, BatchClosedError
        Nothing was kept.
    OSError
        The storage does not take a file; nothing was kept, and all of these are still expected.
    """
    if batch.state != BatchState.RECEIVING:
        raise BatchClosedError
    with ExitStack() as undo:
        with acting(actor):
            files = _announced_files(batch, [each.index for each in sent])
            receipts = [_receive(files[each.index], each, undo) for each in sent]
            kept = [
                files[each.index]
                for each, receipt in zip(sent, receipts, strict=True)
                if receipt.state == "received"
            ]
            update_rows(kept, ["state", "sha256", "stored_key"])
        undo.pop_all()
    return receipts


def _announced_files(batch: Batch, indexes: Sequence[int]) -> dict[int, BatchFile]:
    """Rows of the list by their index, held until the end of the transaction."""
    rows = BatchFile.objects.select_for_update(of=("self",)).select_related("batch").order_by("pk")
    files = {file.index: file for file in rows.filter(batch=batch, archive=None, index__in=indexes)}
    unknown = next((index for index in indexes if index not in files), None)
    if unknown is not None:
        raise FileNotExpectedError(index=unknown)
    return files


def _receive(file: BatchFile, sent: Sent, undo: ExitStack) -> Receipt:
    """Keep one file that is expected, and note how to take it away again."""
    if file.state != FileState.EXPECTED:
        return Receipt("rejected", file.reason) if file.state == FileState.REJECTED else Receipt("duplicate")
    if sent.size != file.size:
        return Receipt("rejected", "The file changed its size while it was sent. Start again.")
    digest = _sha256(sent.content)
    if sent.sha256 and sent.sha256 != digest:
        return Receipt("rejected", "The file changed on its way. Start again.")
    file.sha256 = digest
    file.stored_key = default_storage.save(
        f"incoming/{file.batch.opaque}/{file.index:06d}", File(sent.content)
    )
    undo.callback(default_storage.delete, file.stored_key)
    file.state = FileState.RECEIVED
    return Receipt("received")


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    content.seek(0)
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    content.seek(0)
    return digest.hexdigest()


def finish_batch(*, actor: Actor, batch: Batch) -> Batch:
    """Declare a batch complete, so that it is processed. A second time changes nothing.

    Raises
    ------
    BatchIncompleteError
        Files of the list have not arrived; the error counts them.
    """
    with acting(actor):
        held = Batch.objects.select_for_update().get(pk=batch.pk)
        if held.state != BatchState.RECEIVING:
            return held
        files = BatchFile.objects.filter(batch=held, archive=None)
        missing = files.filter(state=FileState.EXPECTED).order_by("index")
        first = missing.first()
        if first is not None:
            raise BatchIncompleteError(count=missing.count(), total=files.count(), first=first.path)
        held.state, held.received_at = BatchState.RECEIVED, clock.now()
        held.save(update_fields=["state", "received_at"])
    return held


def receive_files(*, actor: Actor, visit: Visit, files: Sequence[tuple[str, Path]], origin: str) -> Batch:
    """Take files of this machine's disc: the whole of what a browser does, in one call.

    Parameters
    ----------
    files
        Pairs of the path to show and the file.

    Raises
    ------
    ManifestRefusedError, VisitTakesNoImagesError
    """
    announced = [Announced(shown, path.stat().st_size) for shown, path in files]
    batch, missing = start_batch(actor=actor, visit=visit, files=announced, origin=origin)
    for start in range(0, len(missing), _LOT):
        with ExitStack() as opened:
            lot = [
                Sent(index, opened.enter_context(files[index][1].open("rb")), announced[index].size)
                for index in missing[start : start + _LOT]
            ]
            receive_some(actor=actor, batch=batch, sent=lot)
    return finish_batch(actor=actor, batch=batch)
