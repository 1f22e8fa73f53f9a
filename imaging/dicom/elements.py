"""A tokenizer for encoded DICOM data sets.

It finds where each element starts and ends, and copies nothing. An element that is not touched is written back byte
for byte, so over-long values, odd characters and unusual lengths of real scanners pass through as they came; and every
bound (depth, count, length) is checked here, so that a hostile file costs bounded time and memory.

References
----------
.. [1] DICOM PS3.5 2026c, section 7 "The Data Set": 7.1 data elements, 7.5 nesting; section 6.2 value representations;
   Annex A.4 encapsulated pixel data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag

from imaging.dicom.errors import Malformed

ITEM = 0xFFFEE000
_ITEM_HEAD = struct.pack("<HH", ITEM >> 16, ITEM & 0xFFFF)
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

MAX_DEPTH = 12
MAX_ELEMENTS = 200_000

_LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_SHORT_VRS = frozenset(
    {
        "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO",
        "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a data set is encoded."""

    explicit: bool
    little: bool

    @property
    def endian(self) -> str:
        """Prefix for `struct`."""
        return "<" if self.little else ">"


IMPLICIT_LITTLE = Syntax(explicit=False, little=True)
EXPLICIT_LITTLE = Syntax(explicit=True, little=True)
EXPLICIT_BIG = Syntax(explicit=True, little=False)


@dataclass(frozen=True, slots=True)
class Element:
    """One element in a buffer: `data[start:end]` is all of it, `data[value:value_end]` its value.

    `unnamed` says that the file gives the VR as UN and the dictionary knows better (PS3.5 6.2.2): tools that once made
    an explicit file from an implicit one leave such elements behind.
    """

    tag: int
    vr: str
    start: int
    value: int
    value_end: int
    end: int
    undefined: bool
    unnamed: bool = False

    @property
    def length(self) -> int:
        """Bytes of the value."""
        return self.value_end - self.value


@lru_cache(maxsize=8192)
def public_vr(tag: int) -> str | None:
    """VR of a public element in the DICOM dictionary; None where the dictionary does not know the tag."""
    if (tag >> 16) & 1 or not dictionary_has_tag(tag):
        return None
    vr = dictionary_VR(tag)
    return "OW" if vr == "OB or OW" else "US" if vr.startswith("US or") else vr


@lru_cache(maxsize=8192)
def tag_name(tag: int) -> str:
    """`(0010,0010) PatientName`, or the number alone for tags that the dictionary does not know."""
    number = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    keyword = keyword_for_tag(tag)
    return f"{number} {keyword}" if keyword else number


class Tokenizer:
    """Walks one encoded data set.

    Parameters
    ----------
    data
        The bytes in which offsets count.
    syntax
        How they are encoded.
    """

    def __init__(self, data: bytes, syntax: Syntax) -> None:
        self.data = data
        self.syntax = syntax
        self._budget = MAX_ELEMENTS
        self._tag = struct.Struct(syntax.endian + "HH")
        self._u16 = struct.Struct(syntax.endian + "H")
        self._u32 = struct.Struct(syntax.endian + "L")

    def dataset(self, start: int, stop: int) -> Iterator[Element]:
        """Top-level elements of `data[start:stop]`; pixel data is the last one given, whatever follows it."""
        position = start
        while position < stop:
            element = self.element(position, stop, 0)
            yield element
            if element.tag in PIXEL_TAGS:
                return
            position = element.end

    def items(self, sequence: Element, depth: int) -> Iterator[list[Element]]:
        """The items of a sequence, each as the list of its elements."""
        position = sequence.value
        while position < sequence.value_end:
            tag, length, position = self._item_head(position, sequence.value_end)
            if tag != ITEM:
                raise Malformed("bad_item", f"A sequence holds {tag_name(tag)} where an item should be.")
            elements, position = self._item(position, length, sequence.value_end, depth + 1)
            yield elements

    def element(self, position: int, stop: int, depth: int) -> Element:
        """The element that starts at `position`."""
        self._budget -= 1
        if self._budget < 0:
            raise Malformed("too_many_elements", f"The header has more than {MAX_ELEMENTS:,} elements.")
        tag, vr, length, value = self._head(position, stop)
        if length == UNDEFINED:
            end, value_end = self._skip_undefined(tag, vr, value, stop, depth)
            return Element(tag, vr, position, value, value_end, end, True)
        end = value + length
        if end > stop:
            raise Malformed("truncated", f"The file is cut off inside {tag_name(tag)}. Send it again.")
        known = public_vr(tag) if vr == "UN" and self.syntax == EXPLICIT_LITTLE else None
        if known is not None and known != "SQ" and (known in _LONG_VRS or length <= 0xFFFE):
            return Element(tag, known, position, value, end, end, False, unnamed=True)
        return Element(tag, vr, position, value, end, end, False)

    def _head(self, position: int, stop: int) -> tuple[int, str, int, int]:
        if position + 8 > stop:
            raise Malformed("truncated", "The file is cut off inside the head of an element. Send it again.")
        group, number = self._tag.unpack_from(self.data, position)
        tag = group << 16 | number
        if not self.syntax.explicit:
            vr = public_vr(tag) or "UN"
            return tag, vr, self._u32.unpack_from(self.data, position + 4)[0], position + 8
        vr = self.data[position + 4 : position + 6].decode("latin-1")
        if vr in _SHORT_VRS:
            return tag, vr, self._u16.unpack_from(self.data, position + 6)[0], position + 8
        if vr not in _LONG_VRS:
            raise Malformed("bad_vr", f"{tag_name(tag)} has a value representation that DICOM does not know.")
        if position + 12 > stop:
            raise Malformed("truncated", "The file is cut off inside the head of an element. Send it again.")
        return tag, vr, self._u32.unpack_from(self.data, position + 8)[0], position + 12

    def _item_head(self, position: int, stop: int) -> tuple[int, int, int]:
        if position + 8 > stop:
            raise Malformed("truncated", "The file is cut off inside a sequence. Send it again.")
        group, number = self._tag.unpack_from(self.data, position)
        return group << 16 | number, self._u32.unpack_from(self.data, position + 4)[0], position + 8

    def _item(self, position: int, length: int, stop: int, depth: int) -> tuple[list[Element], int]:
        """Elements of an item whose content starts at `position`, and where the next item starts."""
        if depth > MAX_DEPTH:
            raise Malformed("too_deep", f"Sequences are nested more than {MAX_DEPTH} deep.")
        if length == UNDEFINED:
            return self._open_item(position, stop, depth)
        end = position + length
        if end > stop:
            raise Malformed("truncated", "The file is cut off inside an item of a sequence. Send it again.")
        elements: list[Element] = []
        while position < end:
            element = self.element(position, end, depth)
            elements.append(element)
            position = element.end
        return elements, end

    def _open_item(self, position: int, stop: int, depth: int) -> tuple[list[Element], int]:
        elements: list[Element] = []
        while True:
            tag, _length, after = self._item_head(position, stop)
            if tag == ITEM_END:
                return elements, after
            element = self.element(position, stop, depth)
            elements.append(element)
            position = element.end

    def _skip_undefined(self, tag: int, vr: str, position: int, stop: int, depth: int) -> tuple[int, int]:
        """End of an element of undefined length, and end of its value."""
        if vr in ("OB", "OW") or tag in PIXEL_TAGS:
            return self._skip_fragments(position, stop)
        walker = self
        if vr == "UN" and self.syntax != IMPLICIT_LITTLE:
            # PS3.5 6.2.2 note 2: such a value is implicit little endian
            walker = Tokenizer(self.data, IMPLICIT_LITTLE)
            walker._budget = self._budget
        while True:
            tag, length, after = walker._item_head(position, stop)
            if tag == SEQUENCE_END:
                self._budget = walker._budget
                return after, position
            if tag != ITEM:
                raise Malformed("bad_item", f"A sequence holds {tag_name(tag)} where an item should be.")
            _elements, position = walker._item(after, length, stop, depth + 1)

    def _skip_fragments(self, position: int, stop: int) -> tuple[int, int]:
        while True:
            tag, length, after = self._item_head(position, stop)
            if tag == SEQUENCE_END:
                return after, position
            if tag != ITEM or length == UNDEFINED:
                raise Malformed("bad_fragment", "The compressed pixel data are not a list of fragments.")
            position = after + length
            if position > stop:
                raise Malformed("truncated", "The file is cut off inside the pixel data. Send it again.")


def fragments(data: bytes, pixel: Element, *, table: bool = False) -> list[bytes]:
    """Fragments of encapsulated pixel data, always little endian; with the offset table (the first item) or without.

    Raises
    ------
    Malformed
        The pixel data are no list of fragments.
    """
    found = []
    position = pixel.value
    while position < pixel.value_end:
        if data[position : position + 4] != _ITEM_HEAD or position + 8 > pixel.value_end:
            raise Malformed("bad_fragment", "The compressed pixel data are not a list of fragments.")
        length = struct.unpack_from("<L", data, position + 4)[0]
        found.append(bytes(data[position + 8 : position + 8 + length]))
        position += 8 + length
    return found if table else found[1:]


def encode_element(tag: int, vr: str, value: bytes, syntax: Syntax) -> bytes:
    """One element of defined length, its value padded to an even length."""
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    head = struct.pack(syntax.endian + "HH", tag >> 16, tag & 0xFFFF)
    if not syntax.explicit:
        return head + struct.pack("<L", len(value)) + value
    if vr in _LONG_VRS:
        return head + vr.encode() + b"\0\0" + struct.pack(syntax.endian + "L", len(value)) + value
    if len(value) > 0xFFFE:
        raise Malformed("value_too_long", f"The value of {tag_name(tag)} is too long to be written.")
    return head + vr.encode() + struct.pack(syntax.endian + "H", len(value)) + value


def encode_items(items: list[bytes], syntax: Syntax) -> bytes:
    """Value of a sequence from its encoded items, with explicit lengths."""
    head = struct.pack(syntax.endian + "HH", ITEM >> 16, ITEM & 0xFFFF)
    return b"".join(head + struct.pack(syntax.endian + "L", len(item)) + item for item in items)
