"""Whether something is written in the pixels of what was sent, looked for series by series."""

from __future__ import annotations

from collections.abc import Sequence

from imaging.dicom.errors import DicomFault
from imaging.dicom.frames import Pixels, decode
from imaging.dicom.reader import DicomFile, values_of
from imaging.dicom.writing import LOOKED_AT, Box, chosen, signs_of_writing

REASON = "Something may be written in the picture. Somebody must look."
CODE = "writing"
_SERIES_UID = 0x0020000E


class Look:
    """Looks through the files of one upload, some at a time.

    Words are read on the first files of a series only, since that costs most; strokes and marks are looked for on
    slices of every lot.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Box, ...]] = {}

    def at(self, files: Sequence[DicomFile]) -> list[tuple[Box, ...]]:
        """Where something may be written on each file: what was seen on its series, here or in an earlier lot."""
        by_series: dict[str, list[DicomFile]] = {}
        for file in files:
            by_series.setdefault(_series_of(file), []).append(file)
        for uid, own in by_series.items():
            if not self._known.get(uid):
                self._known[uid] = _seen(own, words=uid not in self._known)
        return [self._known[_series_of(file)] for file in files]


def _seen(files: Sequence[DicomFile], *, words: bool) -> tuple[Box, ...]:
    slices = [pixels for place in chosen(len(files), LOOKED_AT) for pixels in _pixels(files[place])]
    return tuple(signs_of_writing(slices, words=words))


def _pixels(file: DicomFile) -> list[Pixels]:
    """The picture; none where it cannot be decoded, of which somebody else speaks."""
    try:
        return [decode(file)]
    except DicomFault:
        return []


def _series_of(file: DicomFile) -> str:
    return values_of(file).text(_SERIES_UID)
