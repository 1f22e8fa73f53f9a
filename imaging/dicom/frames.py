"""Frames: decode whatever a scanner sent, and keep it as one lossless HTJ2K code stream for the viewer.

The viewer meets a single codec; the de-identified file stays the record, a frame can be made again from it at any time.

References
----------
.. [1] DICOM PS3.5 2026c, section 8.2 and Annex A (transfer syntaxes), Annex G (RLE).
.. [2] ISO/IEC 15444-15 (HTJ2K).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imaging.dicom.elements import fragments
from imaging.dicom.errors import Undecodable
from imaging.dicom.reader import BIG_ENDIAN, EXPLICIT, IMPLICIT, DicomFile, values_of
from imaging.dicom.streams import Doubt, doubts_about

FRAME_SYNTAX = "1.2.840.10008.1.2.4.202"
FRAME_TYPE = f"image/jphc; transfer-syntax={FRAME_SYNTAX}"

_ROOT = "1.2.840.10008.1.2."
RLE = _ROOT + "5"
NATIVE = frozenset({IMPLICIT, EXPLICIT, BIG_ENDIAN})
ALWAYS_LOSSY = frozenset({_ROOT + "4.50", _ROOT + "4.51", _ROOT + "4.81"})
JPEG_2000 = frozenset({_ROOT + "4.90", _ROOT + "4.91", _ROOT + "4.201", _ROOT + "4.202", _ROOT + "4.203"})
JPEG_FAMILY = frozenset({_ROOT + f"4.{number}" for number in (50, 51, 57, 70, 80, 81)})
_KINDS = dict.fromkeys(JPEG_FAMILY, "jpeg") | dict.fromkeys(JPEG_2000, "j2k") | {RLE: "rle"}

_CODECS: dict[str, Callable[[bytes], Any]] = {
    _ROOT + "4.50": imagecodecs.jpeg8_decode,
    _ROOT + "4.51": imagecodecs.jpeg8_decode,
    _ROOT + "4.57": imagecodecs.ljpeg_decode,
    _ROOT + "4.70": imagecodecs.ljpeg_decode,
    _ROOT + "4.80": imagecodecs.jpegls_decode,
    _ROOT + "4.81": imagecodecs.jpegls_decode,
    _ROOT + "4.90": imagecodecs.jpeg2k_decode,
    _ROOT + "4.91": imagecodecs.jpeg2k_decode,
    _ROOT + "4.201": imagecodecs.htj2k_decode,
    _ROOT + "4.202": imagecodecs.htj2k_decode,
    _ROOT + "4.203": imagecodecs.htj2k_decode,
}
_CODEC_ERRORS = (
    imagecodecs.Jpeg8Error,
    imagecodecs.LjpegError,
    imagecodecs.JpeglsError,
    imagecodecs.Jpeg2kError,
    imagecodecs.Htj2kError,
    imagecodecs.PackbitsError,
    RuntimeError,
    ValueError,
)

Pixels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class PixelFormat:
    """How one grey frame is stored."""

    rows: int
    columns: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame, uncompressed."""
        return self.rows * self.columns * self.allocated // 8

    def dtype(self, endian: str = "<") -> np.dtype[Any]:
        """Type of a stored pixel."""
        return np.dtype(f"{endian}{'i' if self.signed else 'u'}{self.allocated // 8}")


def pixel_format(file: DicomFile) -> PixelFormat:
    """Read the image pixel module of a single-frame grey image.

    Raises
    ------
    Undecodable
        Not a single grey frame of 8 or 16 bits, or a size is missing or impossible.
    """
    values = values_of(file)
    if (values.integer(0x00280002) or 1) != 1:
        raise Undecodable("colour", "Colour images are not read centrally.")
    if (values.integer(0x00280008) or 1) != 1:
        raise Undecodable("multi_frame", "Objects of several frames are not taken yet; send single slices.")
    numbers = [values.integer(tag) for tag in (0x00280010, 0x00280011, 0x00280100)]
    rows, columns, allocated = (number or 0 for number in numbers)
    if not (0 < rows <= 8192 and 0 < columns <= 8192 and allocated in (8, 16)):
        raise Undecodable(
            "bad_pixel_format", "Rows, columns or bits of the image are missing or not supported."
        )
    stored = values.integer(0x00280101) or allocated
    high_bit = values.integer(0x00280102)
    high_bit = stored - 1 if high_bit is None else high_bit
    if not stored <= high_bit + 1 <= allocated:
        raise Undecodable("bad_pixel_format", "Bits stored and high bit of the image contradict each other.")
    return PixelFormat(rows, columns, allocated, stored, high_bit, values.integer(0x00280103) == 1)


def decode(file: DicomFile) -> Pixels:
    """Stored pixel values of a single-frame grey image.

    Parameters
    ----------
    file
        Original or de-identified; the result is the same.

    Returns
    -------
    ndarray
        Shape (rows, columns); `int8`, `int16`, `uint8` or `uint16` by bits allocated and pixel representation. Bits
        outside "bits stored" are cleared (sign-extended for signed pixels). No rescale is applied.

    Raises
    ------
    Undecodable
        Unknown transfer syntax, broken stream, or a frame of another size than the header says.
    """
    shape = pixel_format(file)
    if file.pixel is None or file.pixel.tag != 0x7FE00010:
        raise Undecodable("no_pixels", "The image has no pixel data.")
    if file.transfer_syntax in NATIVE:
        pixels = _native(file, shape)
    else:
        stream = b"".join(fragments(file.data, file.pixel))
        pixels = (
            _rle(stream, shape) if file.transfer_syntax == RLE else _decompress(stream, file.transfer_syntax)
        )
    if pixels.shape != (shape.rows, shape.columns):
        raise Undecodable("wrong_size", "The decoded image has another size than its header says.")
    return _meaningful_bits(pixels, shape)


def check_pixels(file: DicomFile) -> None:
    """Whether the pixels of a single-frame grey image are all there; what is compressed is decoded for it.

    Raises
    ------
    Undecodable
    """
    if file.transfer_syntax in NATIVE and file.pixel is not None and file.pixel.tag == 0x7FE00010:
        _native(file, pixel_format(file))
    else:
        decode(file)


def _native(file: DicomFile, shape: PixelFormat) -> Pixels:
    pixel = file.pixel
    if pixel is not None and pixel.undefined:
        raise Undecodable("broken_pixels", "The image is packed like a compressed one, and said to be none.")
    if pixel is None or pixel.length < shape.frame_bytes:
        raise Undecodable("short_pixels", "The pixel data are shorter than the image.")
    count = shape.rows * shape.columns
    flat = np.frombuffer(file.data, shape.dtype(file.syntax.endian), count, pixel.value)
    return flat.reshape(shape.rows, shape.columns)


def _decompress(stream: bytes, transfer_syntax: str) -> Pixels:
    codec = _CODECS.get(transfer_syntax)
    if codec is None:
        raise Undecodable("unknown_syntax", "The images are compressed in a way that cannot be decoded here.")
    try:
        decoded: Pixels = np.asarray(codec(stream))
    except _CODEC_ERRORS as error:
        raise Undecodable("broken_pixels", "The compressed image cannot be decoded.") from error
    return decoded


def _rle(stream: bytes, shape: PixelFormat) -> Pixels:
    """DICOM RLE: one PackBits segment for each byte of a pixel, most significant first."""
    planes = shape.allocated // 8
    if len(stream) < 64 or struct.unpack_from("<L", stream)[0] != planes:
        raise Undecodable("broken_pixels", "The compressed image cannot be decoded.")
    starts = [*struct.unpack_from(f"<{planes}L", stream, 4), len(stream)]
    count = shape.rows * shape.columns
    joined = np.zeros((count, planes), np.uint8)
    for plane in range(planes):
        try:
            segment = imagecodecs.packbits_decode(stream[starts[plane] : starts[plane + 1]])
        except _CODEC_ERRORS as error:
            raise Undecodable("broken_pixels", "The compressed image cannot be decoded.") from error
        if len(segment) < count:
            raise Undecodable("broken_pixels", "The compressed image cannot be decoded.")
        joined[:, planes - 1 - plane] = np.frombuffer(segment, np.uint8, count)
    pixels: Pixels = np.frombuffer(joined.tobytes(), shape.dtype()).reshape(shape.rows, shape.columns)
    return pixels


def _meaningful_bits(pixels: Pixels, shape: PixelFormat) -> Pixels:
    """The bits that hold the value, moved down, sign-extended or cleared above; in native byte order."""
    unsigned = pixels.astype(np.dtype(f"u{shape.allocated // 8}"), copy=False)
    surplus = shape.allocated - shape.stored
    if not surplus:
        whole: Pixels = np.ascontiguousarray(unsigned).view(shape.dtype("="))
        return whole
    raised = np.left_shift(unsigned, shape.allocated - 1 - shape.high_bit)
    meaningful: Pixels = np.right_shift(np.ascontiguousarray(raised).view(shape.dtype("=")), surplus)
    return meaningful


def encode_frame(pixels: Pixels) -> bytes:
    """A frame as a lossless HTJ2K code stream, decoded again and compared before it is returned.

    Raises
    ------
    Undecodable
        The code stream does not give back the same pixels.
    """
    stream = bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    if not np.array_equal(imagecodecs.htj2k_decode(stream), pixels):
        raise Undecodable("not_lossless", "The image could not be stored without loss.")
    return stream


def is_lossy(file: DicomFile) -> bool:
    """Whether the pixels were ever compressed with loss, by flag, transfer syntax or wavelet."""
    if values_of(file).text(0x00282110) == "01" or file.transfer_syntax in ALWAYS_LOSSY:
        return True
    if file.transfer_syntax not in JPEG_2000 or file.pixel is None:
        return False
    stream = file.data[file.pixel.value : file.pixel.value + 4096]
    marker = stream.find(b"\xff\x52\x00")
    return 0 <= marker < len(stream) - 13 and stream[marker + 13] == 0  # 0: the irreversible 9-7 wavelet


def stream_doubts(file: DicomFile) -> Iterator[Doubt]:
    """What stands in a compressed stream beside the image; nothing for pixels that are not compressed."""
    kind = _KINDS.get(file.transfer_syntax)
    if kind and file.pixel is not None:
        shape = pixel_format(file)
        yield from doubts_about(file.data, file.pixel, kind, shape.rows * shape.columns)
