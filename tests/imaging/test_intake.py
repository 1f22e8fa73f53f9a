"""Whatever is sent in ends as accepted, quarantined, rejected or skipped, with a reason, and costs bounded effort."""

from __future__ import annotations

import errno
import io
import stat
import struct
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.dicom import intake, phantom
from imaging.dicom.elements import EXPLICIT_LITTLE, MAX_DEPTH, Element
from imaging.dicom.intake import Arrived, Verdict, examine, list_files, unpack
from imaging.dicom.reader import Values
from tests.imaging.dicom_files import bundled_files, changed, one_slice, small_phantom

ACCEPTED, QUARANTINED, REJECTED, SKIPPED = Verdict


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    buffer.seek(0)
    return buffer


def verdict(data: bytes, name: str = "IM1") -> tuple[Verdict, str]:
    examined = examine(data, name)
    assert bool(examined.reason) == (examined.verdict is not ACCEPTED)
    return examined.verdict, examined.code


def test_a_ct_slice_is_accepted() -> None:
    assert verdict(one_slice()) == (ACCEPTED, "ok")


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"", "IM1", (REJECTED, "empty")),
        (b"Dear colleague, please find enclosed", "letter.txt", (REJECTED, "not_dicom")),
        (b"\0" * 127 + b"DICM", "IM1", (REJECTED, "not_dicom")),
        (b"\0" * 128 + b"DICM", "IM1", (REJECTED, "no_transfer_syntax")),
        (b"PK\x03\x04rest", "inner.zip", (REJECTED, "nested_archive")),
        (b"anything", "Thumbs.db", (SKIPPED, "system_file")),
    ],
)
def test_what_is_no_image_is_named_with_its_reason(
    data: bytes, name: str, expected: tuple[Verdict, str]
) -> None:
    assert verdict(data, name) == expected


@pytest.mark.parametrize("share", [0.001, 0.05, 0.2, 0.5, 0.9, 0.9999])
def test_a_truncated_file_is_rejected_wherever_it_ends(share: float) -> None:
    data = one_slice()
    cut = data[: max(140, int(len(data) * share))]

    assert examine(cut).verdict is REJECTED


def test_the_last_byte_of_the_pixels_counts() -> None:
    data = one_slice()

    assert verdict(data[:-1]) == (REJECTED, "truncated")
    assert verdict(data) == (ACCEPTED, "ok")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"BurnedInAnnotation": "YES"}, (QUARANTINED, "burned_in")),
        ({"BurnedInAnnotation": "NO"}, (ACCEPTED, "ok")),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, (QUARANTINED, "screen_capture")),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, (ACCEPTED, "ok")),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, (QUARANTINED, "screen_capture")),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.6.1"}, (QUARANTINED, "screen_capture")),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.12.1"}, (QUARANTINED, "other_class")),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1"}, (QUARANTINED, "multi_frame")),
        ({"SOPClassUID": "1.2.3.4"}, (QUARANTINED, "other_class")),
        ({"ImagePositionPatient": None}, (QUARANTINED, "no_geometry")),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, (QUARANTINED, "no_geometry")),
        ({"PixelSpacing": [0, 1]}, (QUARANTINED, "no_geometry")),
        ({"LossyImageCompression": "01"}, (QUARANTINED, "lossy")),
        ({"LossyImageCompression": "00"}, (ACCEPTED, "ok")),
        ({"Rows": 65}, (REJECTED, "short_pixels")),
        ({"Rows": 60}, (QUARANTINED, "surplus_pixels")),
        ({"PixelData": None}, (REJECTED, "no_pixels")),
        ({"SOPInstanceUID": ""}, (REJECTED, "no_sop_uid")),
        ({"OverlayBit": 12}, (QUARANTINED, "embedded_overlay")),
    ],
    ids=lambda value: str(value)[:60],
)
def test_images_that_need_a_person_are_quarantined(
    changes: dict[str, object], expected: tuple[Verdict, str]
) -> None:
    bit = changes.pop("OverlayBit", None)

    def edit(dataset: object) -> None:
        if bit is not None:
            dataset[0x60000102].value = bit  # type: ignore[index]
        if "SOPClassUID" in changes:
            dataset.file_meta.MediaStorageSOPClassUID = changes["SOPClassUID"]  # type: ignore[attr-defined]

    changes = dict(changes)
    if changes.get("SOPInstanceUID") == "":
        data = one_slice()
        uid = examine(data).file.by_tag[0x00080018]  # type: ignore[union-attr]
        made = data[: uid.value] + b" " * uid.length + data[uid.value_end :]
    else:
        made = changed(one_slice(), edit, **changes)
    assert verdict(made) == expected


@pytest.mark.parametrize(
    "written",
    [
        "1E9999999",
        "1E999999999",
        "99999999999",
        "Infinity",
        "-NaN",
        "1_000",
        "9" * 5000,
        "1\\" * 9000,
        "\u00b2",
    ],
    ids=lambda written: written[:12],
)
def test_a_number_that_nobody_can_work_with_is_read_as_none(written: str) -> None:
    raw = written.encode("latin-1")
    values = Values(raw, {1: Element(1, "IS", 0, 0, len(raw), len(raw), False)}, EXPLICIT_LITTLE)

    assert values.integer(1) is None
    assert written == "99999999999" or values.decimals(1) is None


def test_numbers_of_real_scanners_are_read() -> None:
    raw = b"-0.12345678901234567890123\\6.123e-17\\ 5. \\.5"
    values = Values(raw, {1: Element(1, "DS", 0, 0, len(raw), len(raw), False)}, EXPLICIT_LITTLE)

    assert values.decimals(1) == [Decimal(part.strip()) for part in raw.decode().split("\\")]


def test_zeros_behind_the_image_are_padding() -> None:
    padded = changed(
        one_slice(), lambda dataset: setattr(dataset, "PixelData", dataset.PixelData + bytes(10))
    )

    assert verdict(padded) == (ACCEPTED, "ok")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_real_file_gets_a_verdict_and_a_reason() -> None:
    results = {path.name: examine(path.read_bytes(), path.name) for path in bundled_files()}

    assert results["CT_small.dcm"].verdict is ACCEPTED
    assert results["MR_small_bigendian.dcm"].verdict is ACCEPTED
    assert results["MR_truncated.dcm"].code == "truncated"
    assert results["rtplan.dcm"].code == "no_image"
    assert results["DICOMDIR"].code == "dicomdir"
    assert results["README.txt"].code == "not_dicom"
    assert results["JPEG-lossy.dcm"].verdict is QUARANTINED
    assert all(result.reason for result in results.values() if result.verdict is not ACCEPTED)
    assert Counter(result.verdict for result in results.values())[ACCEPTED] > 20


SLICE = one_slice()


@settings(max_examples=150)
@given(st.integers(132, 3200), st.binary(min_size=1, max_size=6))
def test_a_damaged_header_never_raises(offset: int, damage: bytes) -> None:
    verdict(SLICE[:offset] + damage + SLICE[offset + len(damage) :])


@settings(max_examples=100)
@given(st.binary(max_size=400))
def test_random_bytes_behind_a_dicom_prefix_never_raise(noise: bytes) -> None:
    verdict(bytes(128) + b"DICM" + noise)


def deep_sequence(depth: int) -> bytes:
    """A file whose only element is a sequence nested `depth` times, explicit little endian, undefined lengths."""
    meta = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"
    opening = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return bytes(128) + b"DICM" + meta + opening * depth + closing * depth


def test_sequences_nested_beyond_reason_are_rejected() -> None:
    assert verdict(deep_sequence(100_000)) == (REJECTED, "too_deep")
    assert examine(deep_sequence(MAX_DEPTH)).code == "no_sop_uid"


def test_a_header_of_very_many_elements_is_rejected() -> None:
    meta = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"
    many = b"".join(struct.pack("<HH", 9, number & 0xFFFF) + b"US\x02\x00\0\0" for number in range(300_000))

    assert verdict(bytes(128) + b"DICM" + meta + many) == (REJECTED, "too_many_elements")


def test_a_folder_is_read_with_the_paths_a_person_knows(tmp_path: Path) -> None:
    folder = tmp_path / "CD" / "series"
    folder.mkdir(parents=True)
    for name, content in phantom.series(small_phantom(slices=3)):
        (folder / name).write_bytes(content)
    (tmp_path / "CD" / "link").symlink_to("/etc/passwd")

    listed = list_files([tmp_path / "CD", folder / "IM0001.dcm"])

    assert [shown for shown, _ in listed] == [*(f"CD/series/IM000{n}.dcm" for n in (1, 2, 3)), "IM0001.dcm"]
    assert all(verdict(path.read_bytes())[0] is ACCEPTED for _, path in listed)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        list_files([tmp_path / "nothing"])


def test_an_archive_gives_its_files() -> None:
    archive = zipped(dict(phantom.series(small_phantom(slices=3))))

    assert [verdict(each.data or b"") for each in unpack(archive)] == [(ACCEPTED, "ok")] * 3


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..\\..\\x", "C:/x", "a/../../b"])
def test_a_path_that_climbs_out_of_the_archive_is_refused(name: str) -> None:
    assert [(each.data, each.code) for each in unpack(zipped({name: b"x"}))] == [(None, "traversal")]


def test_a_bomb_by_ratio_is_not_unpacked() -> None:
    (result,) = unpack(zipped({"big.dcm": bytes(300 * 1024**2)}))

    assert (result.data, result.code) == (None, "bomb")


def test_a_bomb_that_lies_about_its_size_is_stopped_while_unpacking() -> None:
    archive = bytearray(zipped({"big.dcm": bytes(40 * 1024**2)}).getvalue())
    directory = archive.rindex(b"PK\x01\x02")
    archive[directory + 24 : directory + 28] = struct.pack("<L", 1000)
    archive[22:26] = struct.pack("<L", 1000)

    (result,) = unpack(io.BytesIO(bytes(archive)))

    assert result.code in ("bomb", "bad_member") or len(result.data or b"") <= 1000


def test_a_bomb_by_total_size_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_ARCHIVE_BYTES", 2500)

    results = list(unpack(zipped({f"f{n}": bytes([n]) * 1000 for n in range(5)}, zipfile.ZIP_STORED)))

    assert [each.code for each in results] == ["", "", "archive_too_large"]


def test_an_archive_of_too_many_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_ARCHIVE_FILES", 3)

    assert [each.code for each in unpack(zipped({str(n): b"x" for n in range(4)}))] == ["too_many_files"]
    assert [each.code for each in unpack(zipped({str(n): b"x" for n in range(3)}))] == ["", "", ""]


def test_archives_in_archives_links_and_passwords_are_refused_one_by_one() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inner.zip", zipped({"a": b"x"}).getvalue())
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("IM1", one_slice())
    raw = buffer.getvalue()

    assert [each.code for each in unpack(io.BytesIO(raw))] == ["nested_archive", "link", ""]
    locked = bytearray(zipped({"a": b"secret"}, zipfile.ZIP_STORED).getvalue())
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert [each.code for each in unpack(io.BytesIO(bytes(locked)))] == ["encrypted"]


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"PK\x03\x04" + b"x" * 100])
def test_a_damaged_archive_is_named(damage: object) -> None:
    raw = damage(zipped({"a": b"x" * 1000}).getvalue())  # type: ignore[operator]

    assert [each.code for each in unpack(io.BytesIO(raw), "scan.zip")] == ["bad_archive"]


def test_a_damaged_member_spoils_only_itself() -> None:
    archive = bytearray(zipped({"a": b"x" * 1000, "b": b"good"}, zipfile.ZIP_STORED).getvalue())
    archive[100] ^= 0xFF

    results: list[Arrived] = list(unpack(io.BytesIO(bytes(archive))))

    assert [(each.code, each.data) for each in results] == [("bad_member", None), ("", b"good")]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_whatever_is_damaged_in_an_archive_is_named_and_nothing_else_happens(method: int) -> None:
    good = zipped({"a": bytes(range(256)) * 4}, method).getvalue()
    for place in range(len(good)):
        raw = bytearray(good)
        raw[place] ^= 0xFF

        for each in unpack(io.BytesIO(bytes(raw))):
            assert each.data in (None, bytes(range(256)) * 4), f"byte {place}"


def test_a_disk_that_fails_is_not_called_a_damaged_archive() -> None:
    class FailingDisk(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() == 0:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output"):
        list(unpack(FailingDisk(zipped({"a": b"x"}).getvalue())))
