"""Reading one DICOM file: its header as elements, its pixel data as a place in the file.

References
----------
.. [1] DICOM PS3.10 2026c, section 7.1 "DICOM File Meta Information".
.. [2] DICOM PS3.5 2026c, Annex A "Transfer Syntax Specifications".
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from imaging.dicom.elements import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    PIXEL_TAGS,
    Element,
    Syntax,
    Tokenizer,
)
from imaging.dicom.errors import Malformed, NotDicom

NOT_DICOM = "This is not a DICOM file: it has no DICOM prefix."
MAX_OBJECT_BYTES = 512 * 1024 * 1024

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

# Real scanners write decimal strings of more than the 16 characters of the standard; nobody needs more than these.
_NUMBER = re.compile(r"(?=.{1,64}$)[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MAX_NUMBERS_BYTES = 4096
_MAX_DECIMAL = Decimal(10) ** 12
_INTEGERS = range(-(2**31), 2**31)
_BINARY = {"US": ("H", 2), "SS": ("h", 2), "UL": ("L", 4), "SL": ("l", 4)}


@dataclass(frozen=True)
class DicomFile:
    """A file that was read.

    Attributes
    ----------
    data
        The bytes in which all offsets count. For a deflated file these are the inflated ones.
    transfer_syntax
        UID by which `data` are encoded (explicit little endian for a file that was deflated).
    meta
        File meta elements (group 0002) by tag.
    elements
        Top-level elements in the order of the file, pixel data excluded.
    pixel
        The pixel data element, or None.
    after_pixel
        Bytes that follow the pixel data in the file; they are never kept.
    """

    data: bytes
    transfer_syntax: str
    syntax: Syntax
    meta: Mapping[int, Element]
    elements: tuple[Element, ...]
    pixel: Element | None
    after_pixel: int

    @property
    def by_tag(self) -> dict[int, Element]:
        """Top-level elements by tag."""
        return {element.tag: element for element in self.elements}

    def raw(self, element: Element) -> bytes:
        """Value of an element as it stands in the file."""
        return bytes(self.data[element.value : element.value_end])


class Values:
    """Values of a list of elements, decoded when asked for.

    Parameters
    ----------
    data
        Bytes in which the elements lie.
    elements
        Elements by tag.
    syntax
        Byte order for binary numbers.
    """

    def __init__(self, data: bytes, elements: Mapping[int, Element], syntax: Syntax) -> None:
        self._data = data
        self._elements = elements
        self._syntax = syntax

    def __contains__(self, tag: int) -> bool:
        return tag in self._elements

    def raw(self, tag: int) -> bytes:
        """The value's bytes, empty where the element is absent."""
        element = self._elements.get(tag)
        return b"" if element is None else bytes(self._data[element.value : element.value_end])

    def text(self, tag: int) -> str:
        """The value as text without padding, undecodable characters replaced; empty where absent."""
        return self.raw(tag).decode("latin-1").strip("\0 \r\n\t")

    def texts(self, tag: int) -> list[str]:
        """The parts of a value of several."""
        text = self.text(tag)
        return [part.strip("\0 ") for part in text.split("\\")] if text else []

    def decimals(self, tag: int) -> list[Decimal] | None:
        """Decimal strings (DS, IS) as numbers; None where absent, empty, or not all numbers below 10^12.

        An exponent without bounds would cost time and memory without bounds as soon as the number is worked with.
        """
        if len(self.raw(tag)) > _MAX_NUMBERS_BYTES:
            return None
        parts = self.texts(tag)
        if not parts or not all(_NUMBER.fullmatch(part) for part in parts):
            return None
        found = [Decimal(part) for part in parts]
        return found if all(abs(number) < _MAX_DECIMAL for number in found) else None

    def integer(self, tag: int) -> int | None:
        """An integer of 32 bits, binary (US, SS, UL, SL) or as text (IS); None where absent or not one."""
        element = self._elements.get(tag)
        if element is None or not element.length:
            return None
        number = self._binary(element) if element.vr in _BINARY else self._written(tag)
        return number if number is not None and number in _INTEGERS else None

    def _binary(self, element: Element) -> int | None:
        code, size = _BINARY[element.vr]
        if element.length < size:
            return None
        return int(struct.unpack_from(self._syntax.endian + code, self._data, element.value)[0])

    def _written(self, tag: int) -> int | None:
        numbers = self.decimals(tag)
        return int(numbers[0]) if numbers and numbers[0] == int(numbers[0]) else None


def values_of(file: DicomFile) -> Values:
    """Values of a file's top-level elements."""
    return Values(file.data, file.by_tag, file.syntax)


def read(data: bytes) -> DicomFile:
    """Read a DICOM file.

    Parameters
    ----------
    data
        The whole file.

    Returns
    -------
    DicomFile

    Raises
    ------
    NotDicom
        No DICOM prefix: the file is something else.
    Malformed
        Truncated, or against the rules of the encoding.
    """
    if len(data) < 132 or data[128:132] != b"DICM":
        raise NotDicom("not_dicom", NOT_DICOM)
    if len(data) > MAX_OBJECT_BYTES:
        raise Malformed("too_large", f"The object is larger than {MAX_OBJECT_BYTES // 1024**2} MB.")
    meta, start = _read_meta(data)
    if 0x00020010 not in meta:
        raise Malformed("no_transfer_syntax", "The file does not say how it is encoded (transfer syntax).")
    transfer_syntax = Values(data, meta, EXPLICIT_LITTLE).text(0x00020010)
    if transfer_syntax == DEFLATED:
        data = data[:start] + _inflate(data[start:])
        transfer_syntax = EXPLICIT
    syntax = syntax_of(transfer_syntax)
    elements = list(Tokenizer(data, syntax).dataset(start, len(data)))
    if not elements:
        raise Malformed("truncated", "The file ends after its file meta information.")
    pixel = elements.pop() if elements[-1].tag in PIXEL_TAGS else None
    after = len(data) - pixel.end if pixel else 0
    if len({element.tag for element in elements}) != len(elements):
        raise Malformed("element_twice", "The same element stands in the file twice.")
    return DicomFile(data, transfer_syntax, syntax, meta, tuple(elements), pixel, after)


def syntax_of(transfer_syntax: str) -> Syntax:
    """Encoding of the data set under a transfer syntax."""
    if transfer_syntax == IMPLICIT:
        return IMPLICIT_LITTLE
    return EXPLICIT_BIG if transfer_syntax == BIG_ENDIAN else EXPLICIT_LITTLE


def transfer_syntax_of(head: bytes) -> str:
    """How a file is encoded, from its first bytes; empty where these do not say."""
    try:
        meta, _ = _read_meta(head)
    except Malformed:
        return ""
    return Values(head, meta, EXPLICIT_LITTLE).text(0x00020010)


def _read_meta(data: bytes) -> tuple[dict[int, Element], int]:
    """File meta elements, and where the data set starts."""
    tokenizer = Tokenizer(data, EXPLICIT_LITTLE)
    meta: dict[int, Element] = {}
    position = 132
    while position + 4 <= len(data) and data[position : position + 2] == b"\x02\x00":
        element = tokenizer.element(position, len(data), 0)
        meta[element.tag] = element
        position = element.end
    return meta, position


def _inflate(data: bytes) -> bytes:
    """Inflate a deflated data set, up to the largest object that is taken at all."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(data, MAX_OBJECT_BYTES)
    except zlib.error as error:
        raise Malformed("bad_deflate", "The deflated data set cannot be inflated.") from error
    if stream.unconsumed_tail:
        raise Malformed("too_large", f"The inflated object is larger than {MAX_OBJECT_BYTES // 1024**2} MB.")
    if not stream.eof:
        raise Malformed("truncated", "The file is cut off inside the deflated data set. Send it again.")
    return inflated
