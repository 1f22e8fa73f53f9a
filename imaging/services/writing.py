"""Whether something is written in the pixels of what was sent, looked for series by series."""

from __future__ import annotations

from collections.abc import Sequence

from imaging.dicom.errors import DicomFault
from imaging.dicom.frames import Pixels, decode
from imaging.dicom.reader import DicomFile, values_of
from imaging.dicom.writing import LOOKED_AT, Box, chosen, signs_of_writing

REASON = "Something may be written in the picture. Somebody must look."
CODE = "writing"
_LATER = 2
_SERIES_UID = 0x0020000E


class Look:
    """Looks through the files of one upload, some at a time.

    The first files of a series are looked at closely, since what is written on one slice is written on nearly all;
    of every later lot a few are looked at for strokes, which costs little.
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
                self._known[uid] = _seen(own, closely=uid not in self._known)
        return [self._known[_series_of(file)] for file in files]


def _seen(files: Sequence[DicomFile], *, closely: bool) -> tuple[Box, ...]:
    places = chosen(len(files), LOOKED_AT if closely else _LATER)
    slices = [pixels for place in places for pixels in _pixels(files[place])]
    return tuple(signs_of_writing(slices, words=closely))


def _pixels(file: DicomFile) -> list[Pixels]:
    """The picture; none where it cannot be decoded, of which somebody else speaks."""
    try:
        return [decode(file)]
    except DicomFault:
        return []


def _series_of(file: DicomFile) -> str:
    return values_of(file).text(_SERIES_UID)
