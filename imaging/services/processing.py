"""From a received batch to stored, de-identified images. Runs in the background, may run twice, may be killed.

Each file is one transaction, and what is written to storage has a name that follows from its content, so whatever was
done before an interruption is found done when the batch is taken up again.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import IO, Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q

from audit.context import acting
from foundation import clock
from imaging.dicom.intake import Arrived, Verdict, examine, is_archive, unpack
from imaging.models import Batch, BatchFile, BatchState, FileState, Study
from imaging.services.keeping import INTAKE, Fate, Keeper
from imaging.services.quality import check_quality

logger = logging.getLogger(__name__)

STALE = timedelta(minutes=15)
RETRY = timedelta(minutes=1)
MAX_ATTEMPTS = 5
_SIGN_OF_LIFE = 100
_PATH_LENGTH = 400


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
    except OSError:
        _note(
            batch,
            state=BatchState.RECEIVED,
            problem="The storage did not take the images. They are tried again.",
        )
        raise
    _note(batch, state=BatchState.DONE, problem="", done_at=clock.now())
    for study in Study.objects.filter(pk__in=run.studies_touched):
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
    moment = clock.now()
    untouched = Q(claimed_at=None) | Q(claimed_at__lt=moment - RETRY)
    died = Q(state=BatchState.PROCESSING, claimed_at__lt=moment - STALE)
    return Q(state=BatchState.RECEIVED) & untouched | died


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
    """One pass over the files of one batch."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.studies_touched: set[int] = set()
        self._keeper = Keeper(batch.visit)

    def all_files(self) -> None:
        """Every file that waits; those that were settled before an interruption are left alone."""
        waiting = BatchFile.objects.filter(batch=self.batch, state=FileState.RECEIVED)
        for number, file in enumerate(waiting.exclude(stored_key="").order_by("index")):
            self._sign_of_life(number)
            self._file(file)

    def _sign_of_life(self, number: int) -> None:
        """Say now and then that the batch is being worked on, or a sweep takes it for abandoned."""
        if number % _SIGN_OF_LIFE == _SIGN_OF_LIFE - 1:
            _note(self.batch, claimed_at=clock.now())

    def _file(self, file: BatchFile) -> None:
        with default_storage.open(file.stored_key) as stored:
            if is_archive(file.path, stored.read(4)):
                stored.seek(0)
                self._archive(file, stored)
                return
            stored.seek(0)
            data = stored.read()
        self._settle(file, Arrived(file.path, data))

    def _archive(self, file: BatchFile, stored: IO[bytes]) -> None:
        count = 0
        for count, arrived in enumerate(unpack(stored, file.path), start=1):
            self._sign_of_life(count)
            self._settle(self._member(file, count, arrived), arrived)
        with acting(INTAKE):
            _let_go(file)
            BatchFile.objects.filter(pk=file.pk).update(
                state=FileState.UNPACKED,
                code="archive",
                reason=f"An archive of {count} files.",
                stored_key="",
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
                    "path": arrived.path[-_PATH_LENGTH:],
                    "size": len(data),
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "state": FileState.RECEIVED,
                },
            )
        return member

    def _settle(self, file: BatchFile, arrived: Arrived) -> None:
        """Decide the fate of one file and write it down, once."""
        with acting(INTAKE):
            held = BatchFile.objects.select_for_update().get(pk=file.pk)
            if held.state != FileState.RECEIVED:
                return
            fate = self._fate(arrived, frozenset(held.overruled))
            if fate.state == FileState.QUARANTINED:
                held.stored_key = held.stored_key or _kept(self.batch, held, arrived.data or b"")
            else:
                _let_go(held)
                held.stored_key = ""
            write_fate(held, fate)
        if fate.instance is not None:
            self.studies_touched.add(fate.instance.series.study_id)

    def _fate(self, arrived: Arrived, overruled: frozenset[str]) -> Fate:
        if arrived.data is None:
            return Fate(FileState.REJECTED, arrived.code, arrived.reason)
        return judge(self._keeper, arrived.data, arrived.path, overruled)


def judge(keeper: Keeper, data: bytes, path: str, overruled: frozenset[str]) -> Fate:
    """What becomes of one file: examined, and kept where nothing stands against it but what a person overruled."""
    examined = examine(data, path, overruled)
    if examined.verdict is not Verdict.ACCEPTED or examined.file is None:
        return Fate(FileState(examined.verdict.value), examined.code, examined.reason)
    return keeper.keep(examined.file, overruled)


def write_fate(file: BatchFile, fate: Fate) -> None:
    """Write what became of a file. The path of an accepted file is forgotten: it may hold a name."""
    file.state, file.code, file.reason, file.instance = fate.state, fate.code, fate.reason, fate.instance
    if fate.state in (FileState.ACCEPTED, FileState.DUPLICATE):
        file.path = ""
    file.save(update_fields=["state", "code", "reason", "instance", "path", "stored_key"])


def _kept(batch: Batch, file: BatchFile, data: bytes) -> str:
    """A quarantined member of an archive gets a file of its own, for the person who decides."""
    return default_storage.save(f"incoming/{batch.opaque}/member-{file.pk}", ContentFile(data))


def _let_go(file: BatchFile) -> None:
    """The original is destroyed once its fate is written."""
    key = file.stored_key
    if key:
        transaction.on_commit(lambda: default_storage.delete(key))
