"""A frame shows exactly the pixels that the scanner stored, whatever they were packed in."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from imaging.dicom import phantom
from imaging.dicom.errors import Undecodable
from imaging.dicom.frames import carries_comment, decode, encode_frame, is_lossy
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

    assert carries_comment(read(compressed(with_name, J2K + "80")))
    assert not carries_comment(read(compressed(with_mark, J2K + "80")))
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
