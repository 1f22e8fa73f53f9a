"""DICOMweb: searched, fetched and sent to as other viewers and archives do."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from django.test import Client
from pydicom.uid import JPEG2000Lossless

from imaging.dicom.errors import Malformed
from imaging.dicom.frames import decode
from imaging.dicom.multipart import joined, media_type, parts_of
from imaging.dicom.reader import read
from imaging.models import Batch, InboxItem, Instance, Origin, Series, Study, StudyState
from imaging.services import withdraw_study
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import bundled_files, changed, one_slice, parsed, saved

pytestmark = pytest.mark.django_db
ROOT = "/dicomweb/"


@pytest.fixture
def kept(desk: Desk) -> Desk:
    """A study with two series."""
    desk.send(desk.slices("M1"))
    desk.send(desk.slices("M4"), "M4")
    return desk


def get(desk: Desk, address: str, accept: str = "", role: str = "coordinator", **query: object) -> Any:
    headers = {"Accept": accept} if accept else {}
    return desk.cast.client(role).get(ROOT + address, query, headers=headers)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def parts(answer: Any) -> list[tuple[str, bytes]]:
    content = body(answer)
    boundary = media_type(answer.headers["Content-Type"]).parameters["boundary"]
    return [(part.media_type, content[part.start : part.end]) for part in parts_of(content, boundary)]


def value(document: dict[str, Any], tag: str) -> Any:
    return document[tag]["Value"][0]


def place(study: str) -> tuple[str, str, str]:
    """Identifiers of the first instance of a visit's study."""
    instance = Instance.objects.filter(series__study__visit__code=study).select_related("series__study")[0]
    return instance.series.study.uid, instance.series.uid, instance.uid


# QIDO-RS ------------------------------------------------------------------------------------------------------------


def test_studies_series_and_instances_are_found_by_their_keys(
    kept: Desk, statements: Callable[[], Any]
) -> None:
    study, series, instance = place("M1")

    found = get(kept, "studies", PatientID=kept.subject.number)
    assert found.headers["Content-Type"] == "application/dicom+json"
    assert [value(each, "00201208") for each in found.json()] == [5, 5]
    assert [each["00080061"]["Value"] for each in found.json()] == [["CT"], ["CT"]]
    (only,) = get(kept, "studies", **{"0020000D": study}).json()
    day = value(only, "00080020")
    assert get(kept, "studies", StudyDate=f"{day}-{day}").json() == [only]
    assert get(kept, "studies", StudyDate=f"-{int(day) - 10000}").json() == []
    assert get(kept, "studies", ModalitiesInStudy="MR").json() == []
    assert len(get(kept, "studies", ModalitiesInStudy="CT", limit=1, offset=1).json()) == 1

    (shown,) = get(kept, f"studies/{study}/series", Modality="CT").json()
    assert (value(shown, "0020000E"), value(shown, "00201209")) == (series, 5)
    assert len(get(kept, f"studies/{study}/series/{series}/instances").json()) == 5
    assert len(get(kept, f"studies/{study}/instances", InstanceNumber="2").json()) == 1
    assert len(get(kept, "instances").json()) == 10
    (one,) = get(kept, "instances", SOPInstanceUID=instance).json()
    assert value(one, "00280010") == 64
    assert len(get(kept, "series").json()) == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"PatientBirthDate": "19500101"}, "not searched by PatientBirthDate"),
        ({"StudyDate": "20251"}, "YYYYMMDD"),
        ({"StudyDate": "20251340"}, "YYYYMMDD"),
        ({"limit": "many"}, "limit is a whole number"),
    ],
)
def test_a_question_that_is_not_understood_is_refused_instead_of_matching_everything(
    kept: Desk, query: dict[str, str], words: str
) -> None:
    answer = get(kept, "studies", **query)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_what_was_taken_out_is_not_there_and_neither_are_images_of_other_sites(kept: Desk) -> None:
    study, _, _ = place("M1")
    assert get(kept, f"studies/{study}", role="coordinator2").status_code == 404
    assert get(kept, "studies", role="coordinator2").json() == []
    assert get(kept, "studies", role="radiologist").status_code == 404
    assert Client().get(f"{ROOT}studies").status_code == 401

    with kept.committing():
        withdraw_study(
            actor=kept.cast.actor("datamanager"), study=Study.objects.get(uid=study), reason="Another person"
        )
    assert get(kept, f"studies/{study}").status_code == 404
    assert get(kept, f"studies/{study}/series").status_code == 404
    assert len(get(kept, "studies").json()) == 1


def test_searching_and_headers_cost_the_same_for_a_study_of_many_slices(
    desk: Desk, statements: Callable[[], Any]
) -> None:
    desk.send(desk.slices("M1", slices=3))
    study, series, _ = place("M1")
    client = desk.cast.client("coordinator")
    addresses = [f"studies/{study}/metadata", f"studies/{study}/series/{series}/instances", "studies"]
    first = [_counted(statements, client, each) for each in addresses]
    desk.send(desk.slices("M1", slices=9))
    assert [_counted(statements, client, each) for each in addresses] == first


def _counted(statements: Callable[[], Any], client: Client, address: str) -> int:
    client.get(ROOT + address)
    with statements() as asked:
        assert client.get(ROOT + address).status_code == 200
    return len(asked.counted)


# WADO-RS ------------------------------------------------------------------------------------------------------------


def test_headers_are_enough_for_a_viewer_and_name_the_subject_only(kept: Desk) -> None:
    study, series, instance = place("M1")

    (header,) = get(kept, f"studies/{study}/series/{series}/instances/{instance}/metadata").json()

    needed = "00080016 00080018 0020000D 0020000E 00200032 00200037 00280010 00280030 00281052 00200052"
    assert set(needed.split()) <= set(header)
    assert value(header, "00100020") == kept.subject.number
    assert len(get(kept, f"studies/{study}/metadata").json()) == 5
    assert list(header) == sorted(header)


@pytest.mark.req("DCM-10")
def test_files_come_as_they_are_stored_one_by_one_in_parts_or_as_an_archive(kept: Desk) -> None:
    study, series, instance = place("M1")
    one = Instance.objects.get(uid=instance)

    single = get(kept, f"studies/{study}/series/{series}/instances/{instance}", "application/dicom")
    assert parsed(body(single)).SOPInstanceUID == instance
    assert len(body(single)) == one.file_bytes

    answer = get(kept, f"studies/{study}", 'multipart/related; type="application/dicom"; transfer-syntax=*')
    found = parts(answer)
    assert len(found) == 5
    assert found[0][0] == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    assert {parsed(content).StudyInstanceUID for _, content in found} == {study}

    packed = get(kept, f"studies/{study}/series/{series}", "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(body(packed)))
    assert archive.testzip() is None
    assert len(archive.namelist()) == 5
    assert archive.read(f"{series}/{instance}.dcm") == body(single)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", 'multipart/related; type="application/octet-stream"'),
        ('multipart/related; type="application/octet-stream"; transfer-syntax=*', "multipart/related"),
        ("application/octet-stream", "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"),
        ("image/jphc", "image/jphc"),
        ('multipart/related; type="image/jphc"', "multipart/related"),
    ],
)
def test_a_frame_has_the_pixels_of_the_scanner_in_every_form(kept: Desk, accept: str, kind: str) -> None:
    study, series, instance = place("M1")
    one = Instance.objects.get(uid=instance)
    whole = get(kept, f"studies/{study}/series/{series}/instances/{instance}", "application/dicom")
    pixels = decode(read(body(whole)))

    answer = get(kept, f"studies/{study}/series/{series}/instances/{instance}/frames/1", accept)

    assert answer.headers["Content-Type"].startswith(kind)
    content = parts(answer)[0][1] if answer.headers["Content-Type"].startswith("multipart") else body(answer)
    raw = "jphc" not in accept
    shown = np.frombuffer(content, pixels.dtype).reshape(64, 64) if raw else imagecodecs.htj2k_decode(content)
    assert np.array_equal(shown, pixels)
    assert one.series.modality == "CT"


def test_a_compressed_file_gives_uncompressed_frames_and_its_own_file(desk: Desk) -> None:
    original = parsed(one_slice(subject=desk.subject.number))
    pixels = original.pixel_array.copy()
    stream = imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=True, level=0)
    from pydicom.encaps import encapsulate

    original.PixelData = encapsulate([bytes(stream)])
    original["PixelData"].is_undefined_length = True
    original.file_meta.TransferSyntaxUID = JPEG2000Lossless
    desk.send({"a.dcm": saved(original)})
    study, series, instance = place("M1")
    address = f"studies/{study}/series/{series}/instances/{instance}"

    raw = body(get(desk, f"{address}/frames/1", "application/octet-stream"))
    assert np.array_equal(np.frombuffer(raw, pixels.dtype).reshape(pixels.shape), pixels)
    (part,) = parts(get(desk, address))
    assert part[0].endswith(JPEG2000Lossless)


def test_what_is_not_there_or_not_given_in_that_form_is_said(kept: Desk) -> None:
    study, series, instance = place("M1")
    address = f"studies/{study}/series/{series}/instances/{instance}"
    assert get(kept, f"{address}/frames/2").status_code == 404
    assert get(kept, f"studies/{study}/series/1.2.3/metadata").status_code == 404
    assert get(kept, f"{address}/frames/1", "image/png").status_code == 406
    assert get(kept, address, "text/html").status_code == 406
    other, _, _ = place("M4")
    assert get(kept, f"studies/{other}/series/{series}").status_code == 404


# STOW-RS ------------------------------------------------------------------------------------------------------------


def send(desk: Desk, contents: list[bytes], role: str = "coordinator", kind: str = "") -> Any:
    boundary = "a1b2c3"
    content = b"".join(joined([("application/dicom", each) for each in contents], boundary))
    kind = kind or f'multipart/related; type="application/dicom"; boundary={boundary}'
    return desk.cast.client(role).post(f"{ROOT}studies", content, content_type=kind)


def test_objects_that_name_their_visit_become_a_study(desk: Desk) -> None:
    tags = {"ClinicalTrialSubjectID": desk.subject.number, "ClinicalTrialTimePointID": "M1"}
    contents = [changed(data, **tags) for data in desk.slices("M1").values()]

    with desk.committing():
        answer = send(desk, contents)

    assert answer.status_code == 200
    kept = answer.json()["00081199"]["Value"]
    assert [value(each, "00081155") for each in kept] == [parsed(each).SOPInstanceUID for each in contents]
    assert Batch.objects.get().origin == Origin.DICOMWEB
    assert Series.objects.get().instances.count() == 5
    assert Study.objects.get().state == StudyState.QC_PASS


def test_what_names_nobody_waits_and_sending_again_changes_nothing(desk: Desk) -> None:
    contents = list(desk.slices("M1").values())
    assert send(desk, contents).status_code == 200
    assert send(desk, contents).status_code == 200
    assert InboxItem.objects.filter(site=desk.cast.home, origin=Origin.DICOMWEB).count() == 5


def test_each_object_is_answered_for_by_itself(desk: Desk) -> None:
    good = desk.slices("M1")["IM0001.dcm"]

    some = send(desk, [good, b"no image", good[:140]])
    assert some.status_code == 202
    assert [value(each, "00081197") for each in some.json()["00081198"]["Value"]] == [0xC000, 0xC000]
    assert len(some.json()["00081199"]["Value"]) == 1
    assert send(desk, [b"no image"]).status_code == 409
    assert InboxItem.objects.count() == 1


def test_a_message_that_is_cut_off_or_is_none_is_refused_with_a_sentence(desk: Desk) -> None:
    kind = 'multipart/related; type="application/dicom"; boundary=x'
    client = desk.cast.client("coordinator")
    cut = client.post(f"{ROOT}studies", b"--x\r\n\r\nDICM", content_type=kind)
    assert (cut.status_code, cut.json()["detail"]) == (400, "The message ends in the middle of a part.")
    assert client.post(f"{ROOT}studies", b"", content_type=kind).status_code == 415
    assert send(desk, [b"x"], kind="application/json").status_code == 415
    assert send(desk, [b"x"], role="datamanager").status_code == 403
    assert InboxItem.objects.count() == 0

    good = desk.slices("M1")["IM0001.dcm"]
    half = b"".join(joined([("application/dicom", good)] * 2, "x"))[:-200]
    assert client.post(f"{ROOT}studies", half, content_type=kind).status_code == 202
    assert InboxItem.objects.count() == 1


def test_a_full_storage_is_told_to_the_sender(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError("No space left on device")

    monkeypatch.setattr("imaging.originals.default_storage.save", full)
    answer = send(desk, [desk.slices("M1")["IM0001.dcm"]])
    assert answer.status_code == 409
    assert value(answer.json()["00081198"]["Value"][0], "00081197") == 0xA700


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"--b", b"--b\r\nX: y\r\n\r\nno end", b"--b\r\n" + b"x" * 9000 + b"\r\n\r\n\r\n--b--"],
)
def test_parts_that_never_end_are_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        list(parts_of(content, "b"))


def test_what_was_joined_is_taken_apart_again() -> None:
    contents = [(f"application/dicom; n={n}", bytes([n]) * n) for n in range(4)]
    whole = b"preamble" + b"".join(joined(contents, "b0undary"))
    assert [(p.media_type, whole[p.start : p.end]) for p in parts_of(whole, "b0undary")] == contents


def test_other_viewers_get_pixels_of_every_bundled_codec(desk: Desk) -> None:
    """Whatever of pydicom's files is accepted gives its frame uncompressed."""
    for path in bundled_files():
        data = path.read_bytes()
        if b"DICM" in data[128:132] and path.name in (
            "CT_small.dcm",
            "MR_small_RLE.dcm",
            "MR_small_bigendian.dcm",
        ):
            desk.send({path.name: changed(data, PatientID="one")})
    assert Instance.objects.count() >= 2
    for instance in Instance.objects.select_related("series__study"):
        address = f"studies/{instance.series.study.uid}/series/{instance.series.uid}/instances/{instance.uid}"
        raw = body(get(desk, f"{address}/frames/1", "application/octet-stream"))
        pixels = parsed(body(get(desk, address, "application/dicom"))).pixel_array
        assert np.array_equal(
            np.frombuffer(raw, pixels.dtype.newbyteorder("<")).reshape(pixels.shape), pixels
        )
