"""A frame shows exactly the pixels that the scanner stored, whatever they were packed in."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from imaging.dicom import phantom
from imaging.dicom.errors import Undecodable
from imaging.dicom.frames import RLE, decode, encode_frame, is_lossy, stream_doubts
from imaging.dicom.intake import Verdict, examine
from imaging.dicom.reader import read
from tests.imaging.dicom_files import bundled_files, changed, one_slice, parsed, small_phantom

J2K = "1.2.840.10008.1.2.4."


def compressed(stream: bytes, syntax: str) -> bytes:
    def edit(dataset: pydicom.FileDataset) -> None:
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        dataset.PixelData = encapsulate([stream])
        dataset["PixelData"].is_undefined_length = True
        dataset["PixelData"].VR = "OB"

    return changed(one_slice(), edit)


def pixels() -> np.ndarray:
    return phantom.stored_pixels(small_phantom(), 2)


@pytest.mark.parametrize(
    ("syntax", "stream"),
    [
        (J2K + "57", imagecodecs.ljpeg_encode(pixels(), bitspersample=12)),
        (J2K + "70", imagecodecs.ljpeg_encode(pixels(), bitspersample=12)),
        (J2K + "80", imagecodecs.jpegls_encode(pixels())),
        (J2K + "90", imagecodecs.jpeg2k_encode(pixels(), reversible=True, codecformat="J2K")),
        (J2K + "201", imagecodecs.htj2k_encode(pixels(), reversible=True)),
        (J2K + "202", imagecodecs.htj2k_encode(pixels(), reversible=True)),
    ],
    ids=["jpeg lossless 57", "jpeg lossless 70", "jpeg-ls", "jpeg 2000", "htj2k 201", "htj2k 202"],
)
def test_every_lossless_codec_gives_the_stored_pixels_back(syntax: str, stream: bytes) -> None:
    file = read(compressed(stream, syntax))

    assert np.array_equal(decode(file), pixels())
    assert not is_lossy(file)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("path", bundled_files(), ids=lambda path: path.name)
def test_accepted_real_files_decode_as_pydicom_decodes_them(path) -> None:
    examined = examine(path.read_bytes(), path.name)
    if examined.verdict is not Verdict.ACCEPTED:
        return
    assert examined.file is not None

    decoded = decode(examined.file)

    assert np.array_equal(decoded, pydicom.dcmread(path).pixel_array)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int8, np.uint8])
def test_a_frame_for_the_viewer_is_bit_exact(dtype: type) -> None:
    limits = np.iinfo(dtype)
    image = np.random.default_rng(3).integers(limits.min, limits.max, (61, 47), endpoint=True).astype(dtype)

    back = imagecodecs.htj2k_decode(encode_frame(image))

    assert np.array_equal(back, image)
    assert back.dtype == image.dtype


@pytest.mark.parametrize(
    ("signed", "stored", "raw", "expected"),
    [
        (0, 12, 0xF123, 0x123),
        (1, 12, 0x0FFF, -1),
        (1, 12, 0x07FF, 2047),
        (0, 16, 0xFFFF, 65535),
        (1, 16, 0xFFFF, -1),
    ],
)
def test_bits_outside_the_stored_ones_do_not_count(signed: int, stored: int, raw: int, expected: int) -> None:
    data = changed(
        one_slice(),
        PixelRepresentation=signed,
        BitsStored=stored,
        HighBit=stored - 1,
        PixelData=np.full((64, 64), raw, "<u2").tobytes(),
    )

    assert np.unique(decode(read(data))).tolist() == [expected]


def test_a_broken_code_stream_is_refused_with_a_reason() -> None:
    stream = imagecodecs.jpeg2k_encode(pixels(), reversible=True, codecformat="J2K")

    assert examine(compressed(b"\xff\x4f\xff\x51" + b"\0" * 500, J2K + "90")).verdict is Verdict.REJECTED
    assert examine(compressed(stream, J2K + "90")).verdict is Verdict.ACCEPTED


def test_an_unknown_codec_and_a_frame_of_another_size_are_refused() -> None:
    with pytest.raises(Undecodable, match="cannot be decoded here"):
        decode(read(compressed(b"\0" * 100, J2K + "53")))
    other = imagecodecs.jpegls_encode(np.zeros((32, 32), np.uint16))
    with pytest.raises(Undecodable, match="another size"):
        decode(read(compressed(other, J2K + "80")))


def test_loss_is_seen_by_flag_by_codec_and_by_wavelet() -> None:
    irreversible = imagecodecs.jpeg2k_encode(pixels(), reversible=False, level=40, codecformat="J2K")
    reversible = imagecodecs.jpeg2k_encode(pixels(), reversible=True, codecformat="J2K")

    assert is_lossy(read(compressed(irreversible, J2K + "91")))
    assert not is_lossy(read(compressed(reversible, J2K + "91")))
    assert is_lossy(read(changed(one_slice(), LossyImageCompression="01")))


def test_a_name_in_a_jpeg_comment_is_noticed_and_an_encoders_mark_is_not() -> None:
    stream = imagecodecs.jpegls_encode(pixels())
    with_name = stream[:2] + b"\xff\xfe\x00\x0bKari Anne" + stream[2:]
    with_mark = stream[:2] + b"\xff\xfe\x00\x0eDCMTK 3.6.7\0" + stream[2:]

    assert list(stream_doubts(read(compressed(with_name, J2K + "80"))))
    assert not list(stream_doubts(read(compressed(with_mark, J2K + "80"))))
    assert examine(compressed(with_name, J2K + "80")).code == "comment_in_pixels"


def test_the_phantom_is_the_same_every_time_and_its_lesions_have_their_size() -> None:
    made = small_phantom(size=256, slices=5, noise_hu=0.0)
    lesion = made.lesions[0]

    first, again = (list(phantom.series(made)) for _ in range(2))

    assert first == again
    hu = phantom.stored_pixels(made, 2).astype(int) - 1024
    row = round((lesion.centre[1] / made.spacing_mm) + 127.5)
    column = round((lesion.centre[0] / made.spacing_mm) + 127.5)
    assert hu[row, column] == 45
    assert parsed(first[2][1]).ImagePositionPatient[2] == 0
    long_mm, short_mm = phantom.diameters_on_slice(made, lesion, 2)
    inside = (hu[row - 15 : row + 16, column - 20 : column + 21] < 78).sum() * made.spacing_mm**2
    assert inside == pytest.approx(np.pi / 4 * long_mm * short_mm, rel=0.04)


WORDS = b"Hildegard Zimmermann 12041958 "


def packed(stream: bytes, syntax: str, table: bytes = b"") -> bytes:
    """A slice with its pixel data written by hand: offset table, one fragment, and the delimiter."""
    plain = changed(
        one_slice(),
        lambda dataset: setattr(dataset.file_meta, "TransferSyntaxUID", UID(syntax)),
        PixelData=None,
    )
    items = b"".join(
        struct.pack("<HHL", 0xFFFE, 0xE000, len(each)) + each
        for each in (table, stream + b"\0" * (len(stream) % 2))
    )
    head = struct.pack("<HH", 0x7FE0, 0x10) + b"OB\0\0\xff\xff\xff\xff"
    return plain + head + items + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def run_length(surplus: bytes = b"") -> bytes:
    """DICOM RLE of the phantom, literally, with something behind the last segment."""
    segments = [
        b"".join(bytes([127]) + plane[at : at + 128] for at in range(0, len(plane), 128))
        for plane in ((pixels() >> 8).astype("u1").tobytes(), (pixels() & 255).astype("u1").tobytes())
    ]
    head = struct.pack("<16L", 2, 64, 64 + len(segments[0]), *[0] * 13)
    return head + b"".join(segments) + surplus


STREAMS = {
    J2K + "57": imagecodecs.ljpeg_encode(pixels(), bitspersample=12),
    J2K + "70": imagecodecs.ljpeg_encode(pixels(), bitspersample=12),
    J2K + "80": imagecodecs.jpegls_encode(pixels()),
    J2K + "90": imagecodecs.jpeg2k_encode(pixels(), reversible=True, codecformat="J2K"),
    J2K + "201": imagecodecs.htj2k_encode(pixels(), reversible=True),
    RLE: run_length(),
}


@pytest.mark.parametrize("syntax", STREAMS)
def test_words_behind_the_end_of_a_compressed_image_are_noticed(syntax: str) -> None:
    behind = run_length(bytes([len(WORDS) - 1]) + WORDS) if syntax == RLE else STREAMS[syntax] + WORDS
    twice = behind if syntax == RLE else behind + b"\xff\xd9"

    assert examine(packed(STREAMS[syntax], syntax)).code == "ok"
    assert examine(packed(behind, syntax)).code == "behind_pixels"
    assert examine(packed(twice, syntax)).code == "behind_pixels"


@pytest.mark.parametrize("syntax", STREAMS)
@pytest.mark.parametrize("padding", [b"\0" * 4, b"\0" * 6])
def test_a_few_bytes_of_padding_are_none(syntax: str, padding: bytes) -> None:
    assert examine(packed(STREAMS[syntax] + padding, syntax)).code == "ok"


@pytest.mark.parametrize("syntax", STREAMS)
def test_an_offset_table_holds_offsets(syntax: str) -> None:
    stream = STREAMS[syntax]
    for table in (b"", bytes(4)):
        assert examine(packed(stream, syntax, table)).code == "ok"
    for table in (WORDS + b"12", b"Zimm", bytes(4) + b"Zimm", bytes(8), struct.pack("<LL", 0, 10), b"\0\0"):
        assert examine(packed(stream, syntax, table)).code == "offset_table", table


def test_an_image_wrapped_in_something_else_waits() -> None:
    boxes = imagecodecs.jpeg2k_encode(pixels(), reversible=True, codecformat="JP2")
    assert examine(packed(boxes, J2K + "90")).code == "odd_stream"


@pytest.mark.parametrize("mark", [b"software scanner: Hildegard", b"Kakadu-v7 19581204", b"JFIF Hildegard"])
def test_an_encoders_name_does_not_excuse_a_comment(mark: bytes) -> None:
    for syntax, marker, start in ((J2K + "70", b"\xff\xfe", 2), (J2K + "70", b"\xff\xe0", 2)):
        stream = STREAMS[syntax]
        made = stream[:start] + marker + struct.pack(">H", len(mark) + 2) + mark + stream[start:]
        assert examine(packed(made, syntax)).code == "comment_in_pixels"
    stream = STREAMS[J2K + "90"]
    comment = b"\xff\x64" + struct.pack(">HH", len(mark) + 4, 1) + mark
    tile = stream.index(b"\xff\x90")
    assert examine(packed(stream[:tile] + comment + stream[tile:], J2K + "90")).code == "comment_in_pixels"


def test_what_stands_behind_an_image_is_found_though_its_comment_was_passed_over() -> None:
    mark = b"Hildegard"
    stream = STREAMS[J2K + "70"]
    made = stream[:2] + b"\xff\xfe" + struct.pack(">H", len(mark) + 2) + mark + stream[2:] + WORDS
    assert examine(packed(made, J2K + "70"), "", frozenset({"comment_in_pixels"})).code == "behind_pixels"


def test_fragments_under_a_syntax_without_any_are_refused() -> None:
    made = packed(pixels().tobytes() + WORDS, "1.2.840.10008.1.2.1")
    assert examine(made).code == "broken_pixels"
    assert examine(compressed(STREAMS[RLE], RLE)[:-12]).verdict is Verdict.REJECTED
