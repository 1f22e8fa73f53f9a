"""What is written in pictures is found, anatomy is not taken for it, and covering takes it away and nothing else."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imaging.dicom import phantom
from imaging.dicom.covering import covered
from imaging.dicom.deidentify import deidentify
from imaging.dicom.errors import DicomFault
from imaging.dicom.frames import decode
from imaging.dicom.reader import read
from imaging.dicom.writing import Box, as_text, chosen, from_text, joined, signs_of_writing
from tests.imaging.dicom_files import bundled_files, identity, one_slice

MADE = phantom.Phantom(size=256, slices=31)
SLICES = [phantom.stored_pixels(MADE, place) for place in chosen(MADE.slices, 8)]
NAME = "Eksempel Kari"


def written(
    pixels: NDArray[np.uint16], text: str, at: tuple[int, int], *, size: int = 12, value: int = 4095
) -> NDArray[np.uint16]:
    """A picture with writing burned in, its edges blended as workstations do."""
    mask = Image.new("L", (pixels.shape[1], pixels.shape[0]), 0)
    ImageDraw.Draw(mask).text(at, text, fill=255, font=ImageFont.load_default(size))
    part = np.asarray(mask) / 255
    return np.rint(pixels * (1 - part) + value * part).astype(pixels.dtype)


def box_of(text: str, at: tuple[int, int], size: int = 12) -> Box:
    left, top, right, bottom = ImageFont.load_default(size).getbbox(text)
    return Box(at[0] + int(left), at[1] + int(top), at[0] + int(right), at[1] + int(bottom))


@pytest.mark.req("DCM-08")
@pytest.mark.parametrize(
    ("text", "at", "size", "value"),
    [
        (NAME, (6, 6), 12, 4095),
        (NAME, (6, 236), 12, 2000),
        ("12.04.1958", (170, 6), 11, 4095),
        ("MRN-0048213377", (100, 120), 14, 4095),  # in the middle of the liver
        (NAME, (90, 200), 12, 1150),  # as grey as the liver itself
        ("R", (4, 120), 16, 4095),
    ],
)
def test_writing_on_every_slice_is_found(text: str, at: tuple[int, int], size: int, value: int) -> None:
    found = signs_of_writing([written(each, text, at, size=size, value=value) for each in SLICES])
    assert any(box.touches(box_of(text, at, size)) for box in found), found


@pytest.mark.parametrize("at", [(6, 6), (6, 236), (100, 120)])
def test_writing_on_one_slice_is_found(at: tuple[int, int]) -> None:
    one = [written(SLICES[3], NAME, at), *SLICES[:3], *SLICES[4:]]
    found = signs_of_writing(one)
    assert any(box.touches(box_of(NAME, at)) for box in found), found


def test_grey_writing_on_a_single_slice_is_read_at_the_edge() -> None:
    assert signs_of_writing([written(SLICES[4], NAME, (6, 6), value=500)])
    assert signs_of_writing([written(SLICES[4], NAME, (6, 6), value=500)], words=False) == []


def test_anatomy_is_not_taken_for_writing() -> None:
    assert signs_of_writing(SLICES) == []
    assert signs_of_writing(SLICES[:1]) == []


def test_real_pictures_of_scanners_have_no_writing() -> None:
    seen = 0
    for path in bundled_files():
        try:
            file = read(path.read_bytes())
            pixels = decode(file)
        except (DicomFault, OSError):
            continue
        if b"CT" not in path.name.encode() or min(pixels.shape) < 128:
            continue
        seen += 1
        assert signs_of_writing([pixels]) == [], path.name
    assert seen


def test_noise_that_repeats_by_chance_and_padding_are_no_writing() -> None:
    random = np.random.default_rng(5)
    quiet = [random.integers(0, 6, (256, 256)).astype(np.uint16) for _ in range(8)]  # air of an MR
    assert signs_of_writing(quiet) == []
    padded = [np.where(np.hypot(*np.mgrid[-128:128, -128:128]) > 127, 0, each + 24) for each in SLICES]
    assert signs_of_writing([each.astype(np.uint16) for each in padded]) == []


@pytest.mark.parametrize(
    ("count", "of", "places"),
    [(0, 8, []), (3, 8, [0, 1, 2]), (8, 8, list(range(8))), (15, 8, [0, 2, 4, 6, 8, 10, 12, 14])],
)
def test_slices_are_chosen_evenly_with_both_ends(count: int, of: int, places: list[int]) -> None:
    assert chosen(count, of) == places


def test_boxes_that_touch_are_one() -> None:
    assert joined([Box(0, 0, 5, 5), Box(10, 0, 15, 5), Box(5, 0, 10, 5)]) == [Box(0, 0, 15, 5)]
    assert joined([Box(0, 0, 5, 5), Box(7, 0, 9, 5)]) == [Box(0, 0, 5, 5), Box(7, 0, 9, 5)]


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "5,0,5,9", "0,9,5,9", "-1,0,5,9", "0,0,9000,9"])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        from_text(text)


def test_boxes_survive_their_text() -> None:
    boxes = [Box(0, 0, 5, 5), Box(10, 0, 15, 5)]
    assert from_text(as_text(boxes)) == boxes


# Covering -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("DCM-10")
def test_covering_takes_the_area_and_leaves_every_other_pixel() -> None:
    original = one_slice(size=128)
    result = deidentify(read(original), identity())
    boxes = [Box(4, 6, 40, 18), Box(100, 120, 128, 128)]

    after = covered(result, boxes)

    before_pixels, pixels = decode(read(original)), decode(read(after.data))
    inside = np.zeros(pixels.shape, bool)
    for box in boxes:
        inside[box.top : box.bottom, box.left : box.right] = True
    assert (pixels[inside] == before_pixels.min()).all()
    assert (pixels[~inside] == before_pixels[~inside]).all()
    dataset = pydicom.dcmread(BytesIO(after.data))
    assert dataset.BurnedInAnnotation == "NO"
    assert [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence][-1] == "113101"
    assert dataset.SOPInstanceUID == result.sop_uid
    kept = pydicom.dcmread(BytesIO(result.data))
    changed = {"BurnedInAnnotation", "DeidentificationMethodCodeSequence", "PixelData"}
    for element in kept:
        assert element.keyword in changed or dataset[element.tag].value == element.value, element
    assert after.ledger.as_dict()["covered"] == ["4,6,40,18", "100,120,128,128"]
    assert after.pixel_sha256 != result.pixel_sha256
    start, end = after.pixel_offset, after.pixel_offset + after.pixel_length
    assert after.data[start:end] == pixels.tobytes()


def test_an_area_outside_of_the_picture_is_refused() -> None:
    result = deidentify(read(one_slice(size=128)), identity())
    with pytest.raises(DicomFault, match="out of the picture"):
        covered(result, [Box(100, 0, 129, 5)])
