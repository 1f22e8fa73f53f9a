"""What a compressed image carries beside its pixels: comments, and whatever stands behind its end.

Text in a code stream is out of reach of the table of header elements, so nothing may stand there but the image itself.
Headers are walked segment by segment; the rest is only searched for its end.

References
----------
.. [1] DICOM PS3.5 2026c, Annex A.4 "Transfer Syntaxes for Encapsulation of Encoded Pixel Data", Annex G (RLE).
.. [2] ISO/IEC 10918-1, Annex B (JPEG); ISO/IEC 14495-1, Annex C (JPEG-LS); ISO/IEC 15444-1, Annex A (JPEG 2000).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import imagecodecs

from imaging.dicom.elements import Element, fragments

MAX_PADDING = 16
"""Bytes; a fragment is padded to an even length, and some encoders fill up to a word."""
_MAX_SEGMENTS = 100_000

_END = b"\xff\xd9"
_JPEG_START = b"\xff\xd8"
_J2K_START = b"\xff\x4f\xff\x51"
_JPEG_SCAN = 0xDA
_JPEG_TABLES = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xF7, 0xF8})
_JPEG_TEXT_IN_SCAN = re.compile(rb"\xff[\xe0-\xef\xfe]")
_KNOWN_SEGMENT = re.compile(rb"JFIF\x00|Adobe|mrfx|SPIFF\x00|\x00\x00\x00\x01\xff\xd8$")
"""How application segments begin that hold numbers alone, and the last entry of a SPIFF directory."""
_J2K_TILE, _J2K_DATA, _J2K_COMMENT = 0x90, 0x93, 0x64
_J2K_HEADER = frozenset({*range(0x50, 0x64)})
_ENCODER_WORDS = frozenset(
    b"accusoft aware by bytes codec corp corporation created creator dcmtk default delta encoder error gd gdcm ijg"
    b" imaging inc info intel ipp jasper jj jpeg kakadu kdu layer lead leadtools libjpeg log lossless ls offis openjpeg"
    b" openjph pegasus quality squared technologies turbo using ver version".split()
)
_WORDS = re.compile(rb"[A-Za-z\x80-\xff]{2,}")
_LONG_NUMBER = re.compile(rb"\d{6}")


@dataclass(frozen=True)
class Doubt:
    """What stands in a compressed image that is no image."""

    code: str
    reason: str


_COMMENT = Doubt("comment_in_pixels", "The compressed image carries a comment.")
_BEHIND = Doubt("behind_pixels", "There are data behind the end of the compressed image.")
_OFFSETS = Doubt("offset_table", "The offset table of the compressed image is no list of offsets.")
_ODD = Doubt(
    "odd_stream", "The compressed image is wrapped in something else, or is not built as it should be."
)


def doubts_about(data: bytes, pixel: Element, kind: str, segment_bytes: int = 0) -> Iterator[Doubt]:
    """Everything that speaks against the pixel data of a compressed single frame, the gravest first.

    Parameters
    ----------
    kind
        `jpeg` (with JPEG-LS), `j2k` or `rle`.
    segment_bytes
        Bytes of one segment when unpacked, for `rle`.
    """
    pieces = fragments(data, pixel, table=True)
    if not pieces or not _is_offset_table(pieces[0], [len(piece) + 8 for piece in pieces[1:]]):
        yield _OFFSETS
    stream = b"".join(pieces[1:])
    if kind == "rle":
        yield from _rle_doubts(stream, segment_bytes)
        return
    position, texts = _jpeg_end(stream) if kind == "jpeg" else _j2k_end(stream)
    if position is None:
        yield _ODD
    elif not _only_padding(stream[position:]):
        yield _BEHIND
    if any(_foreign(text) for text in texts):
        yield _COMMENT


def _is_offset_table(table: bytes, lengths: list[int]) -> bool:
    """Whether each number is where a fragment starts, the first being 0."""
    if len(table) % 4:
        return False
    starts, position = [], 0
    for length in lengths:
        starts.append(position)
        position += length
    offsets = list(struct.unpack(f"<{len(table) // 4}L", table))
    return not offsets or (offsets[0] == 0 and offsets == sorted(set(offsets)) and {*offsets} <= {*starts})


def _only_padding(rest: bytes) -> bool:
    return len(rest) <= MAX_PADDING and not rest.strip(b"\0\xff")


def _segments(stream: bytes, position: int) -> Iterator[tuple[int, int, bytes]]:
    """Marker segments as (marker, where the next one starts, content); ends where there is none."""
    for _ in range(_MAX_SEGMENTS):
        while stream[position : position + 2] == b"\xff\xff":
            position += 1
        if position + 4 > len(stream) or stream[position] != 0xFF:
            return
        marker, length = stream[position + 1], struct.unpack_from(">H", stream, position + 2)[0]
        if marker in (_JPEG_SCAN, _J2K_TILE, _J2K_DATA):
            yield marker, position, b""
            return
        if length < 2 or position + 2 + length > len(stream):
            return
        yield marker, position + 2 + length, stream[position + 4 : position + 2 + length]
        position += 2 + length


type_end = tuple[int | None, list[bytes]]


def _jpeg_end(stream: bytes) -> type_end:
    """Where a JPEG or JPEG-LS stream ends (None: nowhere), and what may be text in it."""
    texts: list[bytes] = []
    if not stream.startswith(_JPEG_START):
        return None, texts
    for marker, position, content in _segments(stream, 2):
        if marker == _JPEG_SCAN:
            # within a scan no two bytes of the image look like the end, or like the head of a segment of text
            end = stream.find(_END, position)
            texts += [
                stream[found.end() :][:64] for found in _JPEG_TEXT_IN_SCAN.finditer(stream, position, end)
            ]
            return (end + 2, texts) if end > 0 else (None, texts)
        if marker not in _JPEG_TABLES:
            known = _KNOWN_SEGMENT.match(content)
            texts.append(content[known.end() :] if known else content)
    return None, texts


def _j2k_end(stream: bytes) -> type_end:
    """Where a JPEG 2000 code stream ends (None: nowhere), and the comments in its headers."""
    texts: list[bytes] = []
    position, tile_end = 2, 0
    if not stream.startswith(_J2K_START):
        return None, texts
    for _ in range(_MAX_SEGMENTS):
        marker = 0
        for marker, position, content in _segments(stream, position):  # noqa: B007, B020
            if marker == _J2K_COMMENT:
                texts.append(content[2:])
            elif marker not in _J2K_HEADER | {_J2K_TILE, _J2K_DATA}:
                return None, texts
        if marker == _J2K_TILE:
            tile_end = _tile_end(stream, position)
            position += 12
            continue
        if marker != _J2K_DATA or not position < tile_end <= len(stream):
            return None, texts
        position = tile_end
        if stream[position : position + 2] == _END or position == len(stream):
            return min(position + 2, len(stream)), texts
    return None, texts


def _tile_end(stream: bytes, position: int) -> int:
    """Where the part of a tile ends whose head is at `position`; the last one may leave its length open."""
    if position + 12 > len(stream):
        return 0
    length = int(struct.unpack_from(">L", stream, position + 6)[0])
    return position + length if length else stream.find(_END, position)


def _rle_doubts(stream: bytes, segment_bytes: int) -> Iterator[Doubt]:
    """DICOM RLE: a head of 64 bytes, then segments one behind the other, each as long as the image when unpacked."""
    count, *starts = struct.unpack("<16L", stream[:64])
    used, unused = starts[:count], starts[count:]
    if any(unused) or not used or used[0] != 64 or used != sorted(used):
        yield _ODD
    for start, end in pairwise([*used, len(stream)]):
        surplus = imagecodecs.packbits_decode(stream[start:end])[segment_bytes:]
        if not _only_padding(bytes(surplus)):
            yield _BEHIND
            return


def _foreign(text: bytes) -> bool:
    """Whether a comment is more than an encoder's own mark: has another word, or a number as long as a date."""
    words = {word.lower() for word in _WORDS.findall(text)}
    return not words <= _ENCODER_WORDS or _LONG_NUMBER.search(text) is not None
