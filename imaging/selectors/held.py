"""Pictures that are held back because something may be written in them, for the person who decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import imagecodecs
import numpy as np
from django.conf import settings

from accounts.access import Access
from foundation.errors import NotFound
from imaging.dicom.errors import DicomFault
from imaging.dicom.frames import Pixels, decode
from imaging.dicom.reader import read
from imaging.dicom.writing import Box, from_text
from imaging.models import BatchFile, FileState
from imaging.originals import opened
from imaging.policies import may_cover
from imaging.sealing import SealBroken
from imaging.selectors.studies import get_quarantined

_PERCENTILES = (1, 99.5)


@dataclass(frozen=True)
class Held:
    """A picture with those that are held back for the same reason and with the same marks.

    Attributes
    ----------
    rows, columns
        Size of the picture; 0 where it cannot be shown.
    until
        When the files are destroyed if nobody decides.
    """

    files: Sequence[BatchFile]
    boxes: Sequence[Box]
    rows: int
    columns: int
    until: datetime | None

    @property
    def size(self) -> bool:
        """Whether it can be shown."""
        return bool(self.rows)


@dataclass(frozen=True)
class Decidable:
    """A file with what a person may do about it, and until when."""

    file: BatchFile
    coverable: bool
    until: datetime | None


def decidable(files: Iterable[BatchFile]) -> list[Decidable]:
    """Files for a list, with what may be done about those that are held back."""
    days = timedelta(days=settings.ORIGINALS_KEPT_DAYS)
    return [
        Decidable(each, may_cover(each.code), each.held_since + days if each.held_since else None)
        for each in files
    ]


def get_coverable(access: Access, file_id: int) -> BatchFile:
    """A file that is held back for something in the picture, which this person may decide about.

    Raises
    ------
    NotFound
    """
    file = get_quarantined(access, file_id)
    if not may_cover(file.code):
        raise NotFound(what="file", name=str(file_id))
    return file


def held_with(file: BatchFile) -> Held:
    """A file and those with the same marks; one without marks stands alone, for it may be of any size."""
    alike = BatchFile.objects.filter(
        batch=file.batch_id, code=file.code, marks=file.marks, state=FileState.QUARANTINED
    )
    files = list(alike.order_by("index", "pk")) if file.marks else [file]
    files.sort(key=lambda each: each.pk != file.pk)
    pixels = _pixels_of(file)
    rows, columns = pixels.shape if pixels is not None else (0, 0)
    (shown,) = decidable([file])
    return Held(files, from_text(file.marks), rows, columns, shown.until)


def picture_of(file: BatchFile) -> bytes:
    """A PNG of a picture as it was sent, in its full size; it may name somebody.

    Raises
    ------
    NotFound
        It cannot be shown.
    """
    pixels = _pixels_of(file)
    if pixels is None:
        raise NotFound(what="picture", name=str(file.pk))
    low, high = np.percentile(pixels, _PERCENTILES)
    grey = np.clip((pixels.astype(np.float32) - low) / max(high - low, 1), 0, 1) * 255
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(grey.astype(np.uint8))))


def _pixels_of(file: BatchFile) -> Pixels | None:
    try:
        with opened(file.stored_key) as stored:
            return decode(read(stored.read()))
    except (DicomFault, SealBroken, OSError):
        return None
