"""Writing that may be burned into the pixels of a series: where it stands, never what it says.

Three looks, because each misses what another one finds: letters that a recogniser reads at the upper and lower edge,
where scanners and workstations write; marks that stand at the same place with the same value on every slice, which no
anatomy does; and thin strokes of one value far brighter than everything else.

References
----------
.. [1] DICOM PS3.15 2026c, Annex E.3.1 "Clean Pixel Data Option".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from imaging.dicom.frames import Pixels

MOST_PIXELS = 8192
LOOKED_AT = 8
"""Slices of a series that are looked at, evenly spread: what is written on one slice is written on all, or nearly."""

_SMALLEST = 128
_EDGE_PART = 5
_ENLARGED = 2
_PERCENTILES = (2, 99)
_MIN_SCORE = 0.6
_MIN_LETTERS = 3
_SAME_ON = 5
_MIN_MARK = 12
_COMMON = 0.02
_STROKE = 7
_STANDS_OUT = 0.45
_MIN_GROUP = 4
_REACH = 7
_MARGIN = 2

type_mask = NDArray[np.bool_]


@dataclass(frozen=True, order=True)
class Box:
    """A part of a picture, in pixels: columns `left` to `right` and rows `top` to `bottom`, the last not included."""

    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        return f"{self.left},{self.top},{self.right},{self.bottom}"

    @classmethod
    def parsed(cls, text: str) -> Box:
        """A box from its text.

        Raises
        ------
        ValueError
            Not four whole numbers of pixels, or no pixel between them.
        """
        left, top, right, bottom = map(int, text.split(","))
        if not (0 <= left < right <= MOST_PIXELS and 0 <= top < bottom <= MOST_PIXELS):
            raise ValueError(f"{text} is no part of a picture.")
        return cls(left, top, right, bottom)

    def touches(self, other: Box) -> bool:
        """Whether the two share pixels, or an edge."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )

    def joined(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def chosen(count: int, of: int) -> list[int]:
    """Places of at most `of` slices among `count`, first and last among them."""
    if count <= of:
        return list(range(count))
    return sorted({round(place * (count - 1) / (of - 1)) for place in range(of)})


def signs_of_writing(slices: Sequence[Pixels], *, words: bool = True) -> list[Box]:
    """Where something may be written on slices of a series.

    Parameters
    ----------
    slices
        Stored values, each of shape (rows, columns); those of another shape than the first are compared with nothing,
        but read like the others.
    words
        Whether letters are read too, on the middle slice; it takes longer than all the rest.

    Returns
    -------
    list of Box
        Empty where nothing was found, which is no proof that there is nothing.
    """
    if not slices or min(slices[0].shape) < _SMALLEST:
        return []  # no letter could be made out
    found = [box for each in slices for box in _boxes_of(_ink(each))]
    found += _boxes_of(_same_everywhere(slices))
    if words:
        found += _read(slices[len(slices) // 2])
    return joined(found)


def joined(boxes: Iterable[Box]) -> list[Box]:
    """Boxes that touch each other made one, in reading order."""
    apart: list[Box] = []
    for box in boxes:
        whole = box
        while near := [other for other in apart if other.touches(whole)]:
            for other in near:
                apart.remove(other)
                whole = whole.joined(other)
        apart.append(whole)
    return sorted(apart, key=lambda each: (each.top, each.left))


def _ink(pixels: Pixels) -> type_mask:
    """Thin strokes that stand out by half of all that the picture spans; ribs and vessels do not, metal is thick."""
    values = pixels.astype(np.float32)
    span = float(values.max() - values.min())
    strokes: type_mask = ndimage.white_tophat(values, _STROKE) > max(span * _STANDS_OUT, 1)
    few = _MIN_MARK <= int(strokes.sum()) <= pixels.size * _COMMON
    return strokes if few else np.zeros_like(strokes)


def _same_everywhere(slices: Sequence[Pixels]) -> type_mask:
    """Pixels with one value on all slices, which is not that of a background; single ones are noise."""
    alike = [each for each in slices if each.shape == slices[0].shape]
    if len(alike) < _SAME_ON:
        return np.zeros(slices[0].shape, bool)
    first = alike[0]
    same: type_mask = np.logical_and.reduce([each == first for each in alike[1:]])
    values, counts = np.unique(first, return_counts=True)
    backgrounds = {int(values[0]), *values[counts > first.size * _COMMON].tolist()}
    same &= ~np.isin(first, list(backgrounds))
    neighbours = ndimage.convolve(same.astype(np.uint8), np.ones((3, 3), np.uint8), mode="constant")
    lines: type_mask = same & (neighbours >= 3)
    return lines if int(lines.sum()) >= _MIN_MARK else np.zeros_like(lines)


def _boxes_of(mask: type_mask) -> Iterator[Box]:
    """Boxes around marks; what lies close together, as letters of a word do, is one."""
    if not mask.any():
        return
    groups, _count = ndimage.label(ndimage.binary_dilation(mask, iterations=_REACH))
    rows, columns = mask.shape
    for place, (down, across) in enumerate(ndimage.find_objects(groups), start=1):
        if int((mask[down, across] & (groups[down, across] == place)).sum()) < _MIN_GROUP:
            continue
        shrink = _REACH - _MARGIN
        yield Box(
            max(0, across.start + shrink if across.start else 0),
            max(0, down.start + shrink if down.start else 0),
            across.stop - shrink if across.stop < columns else columns,
            down.stop - shrink if down.stop < rows else rows,
        )


def _read(pixels: Pixels) -> Iterator[Box]:
    """Boxes around words at the upper and lower edge."""
    low, high = np.percentile(pixels, _PERCENTILES)
    grey = np.clip((pixels.astype(np.float32) - low) / max(high - low, 1), 0, 1) * 255
    rows, columns = grey.shape
    edge = max(1, rows // _EDGE_PART)
    strip = np.vstack([grey[:edge], grey[rows - edge :]]).astype(np.uint8)
    size = (columns * _ENLARGED, 2 * edge * _ENLARGED)
    enlarged = np.asarray(Image.fromarray(strip).resize(size, Image.Resampling.BICUBIC))
    result = _recogniser()(np.stack([enlarged] * 3, axis=-1))
    if result.boxes is None:
        return
    for corners, text, score in zip(result.boxes, result.txts, result.scores, strict=True):
        if score < _MIN_SCORE or sum(letter.isalnum() for letter in text) < _MIN_LETTERS:
            continue
        (left, top), (right, bottom) = corners.min(axis=0) / _ENLARGED, corners.max(axis=0) / _ENLARGED
        below = 0 if (top + bottom) / 2 < edge else rows - 2 * edge
        yield Box(
            max(0, int(left) - _MARGIN),
            max(0, int(top) + below - _MARGIN),
            min(columns, int(right) + 1 + _MARGIN),
            min(rows, int(bottom) + 1 + below + _MARGIN),
        )


@lru_cache(maxsize=1)
def _recogniser() -> Any:
    """Made once for a process that looks, and loaded by no other; it writes no log, for words would stand in it."""
    from rapidocr import RapidOCR  # noqa: PLC0415  300 MB that only a process which looks should load

    return RapidOCR(
        params={
            "Global.use_cls": False,
            "Global.log_level": "critical",
            "Global.text_score": _MIN_SCORE,
            "Det.limit_side_len": 2048,
            "Det.limit_type": "max",
            "Det.box_thresh": 0.4,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def as_text(boxes: Iterable[Box]) -> str:
    """Boxes as one text for a row."""
    return " ".join(str(box) for box in boxes)


def from_text(text: str) -> list[Box]:
    """The boxes of a text again.

    Raises
    ------
    ValueError
    """
    return [Box.parsed(part) for part in text.split()]
