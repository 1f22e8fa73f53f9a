"""From a received batch to stored, de-identified images. Runs in the background, may run twice, may be killed.

Some files at a time are one transaction, and what is written to storage has a name that follows from its content, so
whatever was done before an interruption is found done when the batch is taken up again.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

from django.db import DataError, transaction
from django.db.models import F, Q, QuerySet

from audit.context import acting
from casebook.closing import subjects_of_locked_places
from foundation import clock
from imaging import originals
from imaging.dicom.intake import Arrived, Verdict, examine, is_archive, unpack
from imaging.dicom.writing import Box, as_text, from_text
from imaging.models import Batch, BatchFile, BatchState, FileState, Instance, Study
from imaging.services.frames import make_frames
from imaging.services.keeping import INTAKE, Candidate, Fate, Keeper
from imaging.services.names import announced_path, name_without_names
from imaging.services.originals import note_destroyed
from imaging.services.quality import check_quality
from imaging.services.rows import update_rows
from imaging.services.writing import CODE as WRITING
from imaging.services.writing import REASON as SOMETHING_WRITTEN
from imaging.services.writing import Look

logger = logging.getLogger(__name__)

type_waiting = tuple[BatchFile, Arrived]

STALE = timedelta(minutes=15)
RETRY = timedelta(minutes=1)
MAX_ATTEMPTS = 5
_LOT_FILES = 40
_LOT_BYTES = 64 * 1024 * 1024
PROCESSED = "They were processed."
_OF_CONTENT = (DataError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What goes wrong because of what stands in a file. A full disk or a lost database is none of these."""


def process_batch(batch_id: int) -> None:
    """De-identify and store every file of a received batch, then check the quality of what came.

    Does nothing where the batch is being processed by somebody else, or is done.

    Raises
    ------
    OSError
        The storage does not take the files; the batch waits for the next sweep, with the problem on its row.
    """
    batch = _claimed(batch_id)
    if batch is None:
        return
    run = Run(batch)
    try:
        run.all_files()
        make_frames(run.images())
    except OSError:
        _note(
            batch,
            state=BatchState.RECEIVED,
            problem="The storage did not take the images. They are tried again.",
        )
        raise
    _note(batch, state=BatchState.DONE, problem="", done_at=clock.now())
    for study in run.studies():
        check_quality(actor=INTAKE, study=study)


def sweep() -> int:
    """Take up batches that wait, or whose worker died; returns how many. A periodic task calls it again and again."""
    with acting(INTAKE):
        Batch.objects.filter(_claimable(), attempts__gte=MAX_ATTEMPTS).update(
            state=BatchState.FAILED, problem=f"Processing failed {MAX_ATTEMPTS} times; somebody must look."
        )
    waiting = list(Batch.objects.filter(_claimable()).order_by("received_at").values_list("pk", flat=True))
    for batch_id in waiting:
        try:
            process_batch(batch_id)
        except OSError:
            logger.exception("Batch %s could not be stored", batch_id)
    return len(waiting)


def _claimable() -> Q:
    """What waits, or whose worker died; after a lock of the site it waits until the site is unlocked."""
    moment = clock.now()
    untouched = Q(claimed_at=None) | Q(claimed_at__lt=moment - RETRY)
    died = Q(state=BatchState.PROCESSING, claimed_at__lt=moment - STALE)
    locked = Q(subject__in=subjects_of_locked_places())
    return (Q(state=BatchState.RECEIVED) & untouched | died) & ~locked


def _claimed(batch_id: int) -> Batch | None:
    """The batch, if it is ours now; the row count of the update decides between two workers."""
    with acting(INTAKE):
        taken = Batch.objects.filter(_claimable(), pk=batch_id).update(
            state=BatchState.PROCESSING, claimed_at=clock.now(), attempts=F("attempts") + 1
        )
    if not taken:
        return None
    return Batch.objects.select_related(
        "visit__subject__trial", "visit__subject__site", "visit__subject__version"
    ).get(pk=batch_id)


def _note(batch: Batch, **fields: Any) -> None:
    with acting(INTAKE):
        Batch.objects.filter(pk=batch.pk).update(**fields)


class Run:
    """One pass over the files of one batch, some files at a time, each lot in a transaction of its own."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._keeper = Keeper(batch.visit)
        self._look = Look()

    def all_files(self) -> None:
        """Every file that waits; those that were settled before an interruption are left alone."""
        waiting = BatchFile.objects.filter(batch=self.batch, state=FileState.RECEIVED)
        lot: list[type_waiting] = []
        for file in waiting.exclude(stored_key="").order_by("index"):
            with originals.opened(file.stored_key) as stored:
                if is_archive(file.path, stored.read(4)):
                    stored.seek(0)
                    self._archive(file, stored)
                    continue
                stored.seek(0)
                lot.append((file, Arrived(file.path, stored.read())))
            lot = self._settled_when_full(lot)
        self._settle(lot)

    def images(self) -> QuerySet[Instance]:
        """What the batch brought, or what was here already, settled in this pass or an earlier one."""
        settled = BatchFile.objects.filter(batch=self.batch, instance__isnull=False)
        return Instance.objects.filter(pk__in=settled.values("instance"))

    def studies(self) -> QuerySet[Study]:
        """Studies to which these images belong."""
        return Study.objects.filter(series__instances__in=self.images()).distinct().order_by("pk")

    def _archive(self, file: BatchFile, stored: IO[bytes]) -> None:
        count = 0
        lot: list[type_waiting] = []
        for count, arrived in enumerate(unpack(stored, file.path), start=1):
            lot.append((self._member(file, count, arrived), arrived))
            lot = self._settled_when_full(lot)
        self._settle(lot)
        with acting(INTAKE):
            originals.destroy([file.stored_key])
            note_destroyed(INTAKE, 1, PROCESSED, self.batch)
            BatchFile.objects.filter(pk=file.pk).update(
                state=FileState.UNPACKED,
                code="archive",
                reason=f"An archive of {count} files.",
                stored_key="",
                path=_name_of(file),
            )

    def _member(self, archive: BatchFile, number: int, arrived: Arrived) -> BatchFile:
        data = arrived.data or b""
        with acting(INTAKE):
            member, _new = BatchFile.objects.get_or_create(
                batch=self.batch,
                archive=archive,
                index=number,
                defaults={
                    "subject_id": self.batch.subject_id,
                    "path": announced_path(arrived.path),
                    "size": len(data),
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "state": FileState.RECEIVED,
                },
            )
        return member

    def _settled_when_full(self, lot: list[type_waiting]) -> list[type_waiting]:
        """The lot that goes on: a new one where this one was large enough to be settled."""
        size = sum(len(arrived.data or b"") for _, arrived in lot)
        if len(lot) < _LOT_FILES and size < _LOT_BYTES:
            return lot
        self._settle(lot)
        return []

    def _settle(self, lot: Sequence[type_waiting]) -> None:
        """Decide the fate of some files and write it down, once; a sweep sees that the batch is worked on."""
        if not lot:
            return
        with acting(INTAKE):
            Batch.objects.filter(pk=self.batch.pk).update(claimed_at=clock.now())
            rows = (
                BatchFile.objects.select_for_update()
                .order_by("pk")
                .filter(pk__in=[file.pk for file, _ in lot])
            )
            held = {file.pk: file for file in rows.filter(state=FileState.RECEIVED)}
            settled = [(held[file.pk], arrived) for file, arrived in lot if file.pk in held]
            fates = self._judged([judged(file, arrived) for file, arrived in settled])
            gone = []
            for (file, arrived), fate in zip(settled, fates, strict=True):
                gone += self._put_away(file, arrived, fate)
                set_fate(file, fate)
            originals.destroy(gone)
            note_destroyed(INTAKE, len(gone), PROCESSED, self.batch)
            update_rows([file for file, _ in settled], FATE)

    def _judged(self, files: Sequence[Judged]) -> list[Fate]:
        """What becomes of files; where one has something in it that nobody thought of, it alone is refused."""
        try:
            with transaction.atomic():
                return judge(self._keeper, files, self._look)
        except _OF_CONTENT as fault:
            # not the message: it may hold a value of the file
            logger.error("A file of batch %s cannot be judged: %s", self.batch.pk, type(fault).__name__)  # noqa: TRY400
            self._keeper = Keeper(self.batch.visit)  # the old one remembers rows that were undone
            if len(files) > 1:
                return [fate for each in files for fate in self._judged([each])]
            return [
                Fate(FileState.REJECTED, "unusable", "Something in the file cannot be kept. Export it again.")
            ]

    def _put_away(self, file: BatchFile, arrived: Arrived, fate: Fate) -> list[str]:
        """The original stays, sealed, for the person who decides; returns what is to be destroyed."""
        before = file.stored_key
        if fate.state != FileState.QUARANTINED:
            file.stored_key = ""
        elif not originals.is_sealed(before):
            name = f"{self.batch.opaque}/held-{file.pk}"
            file.stored_key = originals.keep_sealed(name, io.BytesIO(arrived.data or b""))
        return [before] if before and before != file.stored_key else []


@dataclass(frozen=True)
class Judged:
    """A file with what a person decided about it: reasons passed over, areas covered."""

    arrived: Arrived
    overruled: frozenset[str]
    covers: tuple[Box, ...]


def judged(file: BatchFile, arrived: Arrived) -> Judged:
    """A file with what stands in its row."""
    return Judged(arrived, frozenset(file.overruled), tuple(from_text(file.covers)))


def judge(keeper: Keeper, files: Sequence[Judged], look: Look | None = None) -> list[Fate]:
    """What becomes of files: examined, and kept where nothing stands against them but what a person overruled.

    Parameters
    ----------
    look
        Looks for writing in the pictures; without it, nobody does.
    """
    fates: dict[int, Fate] = {}
    candidates: dict[int, Candidate] = {}
    for place, each in enumerate(files):
        if each.arrived.data is None:
            fates[place] = Fate(FileState.REJECTED, each.arrived.code, each.arrived.reason)
            continue
        examined = examine(each.arrived.data, each.arrived.path, each.overruled)
        if examined.verdict is Verdict.ACCEPTED and examined.file is not None:
            candidates[place] = Candidate(examined.file, each.overruled, each.covers)
        else:
            fates[place] = Fate(FileState(examined.verdict.value), examined.code, examined.reason)
    fates.update(_written(candidates, look))
    clean = {place: candidate for place, candidate in candidates.items() if place not in fates}
    fates.update(zip(clean, keeper.keep(list(clean.values())), strict=True))
    return [fates[place] for place in range(len(files))]


def _written(candidates: Mapping[int, Candidate], look: Look | None) -> dict[int, Fate]:
    """Those in whose picture something may be written, and nobody has said that it may pass."""
    unseen = {place: each.file for place, each in candidates.items() if WRITING not in each.overruled}
    if look is None or not unseen:
        return {}
    seen = zip(unseen, look.at(list(unseen.values())), strict=True)
    return {
        place: Fate(FileState.QUARANTINED, WRITING, SOMETHING_WRITTEN, marks=marks)
        for place, marks in seen
        if marks
    }


FATE = ("state", "code", "reason", "instance", "path", "stored_key", "marks", "held_since")


def set_fate(file: BatchFile, fate: Fate) -> None:
    """What became of a file. Its path is forgotten: it may hold a name."""
    file.state, file.code, file.reason, file.instance = fate.state, fate.code, fate.reason, fate.instance
    held = fate.state == FileState.QUARANTINED
    file.marks = (as_text(fate.marks) or file.marks) if held else ""
    file.held_since = (file.held_since or clock.now()) if held else None
    accepted = fate.state in (FileState.ACCEPTED, FileState.DUPLICATE)
    file.path = "" if accepted else _name_of(file)


def _name_of(file: BatchFile) -> str:
    """Files of a list count from 0, those of an archive from 1."""
    return name_without_names(file.index + (file.archive_id is None), file.path)


def write_fate(file: BatchFile, fate: Fate) -> None:
    """Write what became of a file."""
    set_fate(file, fate)
    file.save(update_fields=FATE)
