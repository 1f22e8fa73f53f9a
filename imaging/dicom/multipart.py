"""The body of a DICOMweb message: parts between boundaries.

References
----------
.. [1] DICOM PS3.18 2026c, section 8.6.1.2 "Multipart Payloads".
.. [2] RFC 2046, section 5.1; RFC 2387.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from mmap import mmap

from imaging.dicom.errors import Malformed

MAX_HEADER = 8192


@dataclass(frozen=True)
class MediaType:
    """A media type with its parameters, names in small letters."""

    name: str
    parameters: dict[str, str]


def media_type(header: str) -> MediaType:
    """Read a `Content-Type`, or one choice of an `Accept`."""
    message = Message()
    message["Content-Type"] = header
    found = message.get_params() or [("", "")]
    return MediaType(found[0][0].lower(), {name.lower(): value for name, value in found[1:]})


@dataclass(frozen=True)
class Part:
    """Where one part lies in the body, in bytes, and what it says that it is."""

    media_type: str
    start: int
    end: int


def parts_of(body: bytes | mmap, boundary: str) -> Iterator[Part]:
    """Parts of a body, in their order.

    Raises
    ------
    Malformed
        The body is cut off, or is not made of parts.
    """
    mark = b"--" + boundary.encode("latin-1", "replace")
    position = body.find(mark)
    if not boundary or position < 0:
        raise Malformed("no_parts", "The message has no parts.")
    while True:
        position += len(mark)
        if body[position : position + 2] == b"--":
            return
        head = body.find(b"\r\n\r\n", position)
        following = body.find(b"\r\n" + mark, position)
        if head < 0 or following < 0 or head - position > MAX_HEADER:
            raise Malformed("truncated", "The message ends in the middle of a part.")
        start = min(head + 4, following)
        yield Part(_type_of(body[position:head]), start, following)
        position = following + 2


def _type_of(head: bytes) -> str:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-type":
            return value.strip().decode("latin-1")
    return ""


def joined(parts: Iterable[tuple[str, bytes]], boundary: str) -> Iterator[bytes]:
    """The body that holds parts, each with its media type; piece by piece, so that none is copied."""
    for content_type, content in parts:
        yield f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode()
        yield content
    yield f"\r\n--{boundary}--\r\n".encode()
