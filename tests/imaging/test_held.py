"""What is written in a picture reaches nobody: it is held back, covered or let pass by the site, or destroyed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import imagecodecs
import numpy as np
import pydicom
import pytest
import time_machine
from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.urls import reverse

from audit.context import acting
from foundation import clock
from imaging.dicom.frames import decode
from imaging.dicom.reader import read
from imaging.dicom.writing import Box, from_text
from imaging.errors import CannotCoverError, ReasonMissingError
from imaging.models import Batch, BatchFile, Destruction, InboxItem, Instance, Read, Study, StudyState
from imaging.originals import keep_sealed, opened
from imaging.sealing import SealBroken
from imaging.services import destroy_expired, process_batch, receive_object, reject_held, release_held
from patients.models import Subject
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import changed
from tests.imaging.test_processing import states
from tests.imaging.test_writing import written

pytestmark = [pytest.mark.django_db, pytest.mark.req("DCM-08")]
NAME = "Eksempel Kari"
AT = (6, 6)
WHERE = Box(0, 2, 90, 24)
type_stored = Callable[[], dict[str, bytes]]


def with_writing(data: bytes) -> bytes:
    def write(dataset: pydicom.Dataset) -> None:
        dataset.PixelData = written(dataset.pixel_array, NAME, AT).tobytes()

    return changed(data, write)


def named(desk: Desk, **changes: object) -> dict[str, bytes]:
    """A series with a name burned into every slice."""
    files = desk.slices("M1", size=128, slices=6, **changes)
    return {path: with_writing(data) for path, data in files.items()}


def another_series(desk: Desk) -> dict[str, bytes]:
    """A second series of the same examination, with nothing written in it."""
    plain = desk.slices("M1", size=128, slices=6, seed=11)
    return {
        f"other/{path}": changed(data, SOPInstanceUID=f"1.2.3.{number}", SeriesInstanceUID="1.2.9")
        for number, (path, data) in enumerate(plain.items())
    }


def settle(desk: Desk, batch: Batch) -> None:
    with desk.committing():
        process_batch(batch.pk)


def test_a_series_with_a_name_in_it_is_held_back_whole(desk: Desk, stored: type_stored) -> None:
    batch = desk.send({**named(desk), **another_series(desk)})

    assert states(batch) == {"QUARANTINED": 6, "ACCEPTED": 6}
    held = BatchFile.objects.filter(batch=batch, code="writing")
    (marks,) = set(held.values_list("marks", flat=True))
    assert any(box.touches(WHERE) for box in from_text(marks))
    study = Study.objects.get()
    assert study.state == StudyState.QC_QUERY
    assert any("may be written" in finding["sentence"] for finding in study.findings)
    assert not Read.objects.exists(), "nobody reads half of an examination"


def test_areas_are_covered_in_every_slice_before_it_is_kept(desk: Desk, stored: type_stored) -> None:
    files = named(desk)
    batch = desk.send(files)
    first = BatchFile.objects.filter(batch=batch).first()
    assert first

    with desk.committing():
        number = release_held(actor=desk.cast.actor(), file=first, reason="The name", covers=[WHERE])
    settle(desk, batch)

    assert number == 6
    assert states(batch) == {"ACCEPTED": 6}
    for instance, (_path, original) in zip(Instance.objects.order_by("depth"), files.items(), strict=True):
        with default_storage.open(instance.file_key) as kept:
            pixels = decode(read(kept.read()))
        as_sent = decode(read(original))
        assert (pixels[WHERE.top : WHERE.bottom, WHERE.left : WHERE.right] == as_sent.min()).all()
        assert (pixels[WHERE.bottom :] == as_sent[WHERE.bottom :]).all()
        with default_storage.open(instance.frame_key) as kept:
            assert (np.asarray(imagecodecs.htj2k_decode(kept.read())) == pixels).all()
        assert instance.uncovered_sha256 not in ("", instance.pixel_sha256)
        assert instance.ledger.content["covered"] == [str(WHERE)]
    assert not [name for name in stored() if name.startswith("incoming/")]
    assert Study.objects.get().state == StudyState.QC_PASS
    page = desk.cast.client("coordinator").get(reverse("image-study", args=[Study.objects.get().opaque]))
    assert "In 6 slices areas of the picture were covered" in page.text


def test_the_same_slices_sent_again_are_known_though_they_were_covered(desk: Desk) -> None:
    batch = desk.send(named(desk))
    first = BatchFile.objects.filter(batch=batch).first()
    assert first
    release_held(actor=desk.cast.actor(), file=first, reason="The name", covers=[WHERE])
    settle(desk, batch)

    again = desk.send({f"b/{path}": data for path, data in named(desk).items()})
    once_more = BatchFile.objects.filter(batch=again).first()
    assert once_more
    release_held(actor=desk.cast.actor(), file=once_more, reason="The name", covers=[WHERE])
    settle(desk, again)

    assert states(again) == {"DUPLICATE": 6}


def test_what_names_nobody_passes_as_it_is(desk: Desk) -> None:
    batch = desk.send(named(desk))
    first = BatchFile.objects.filter(batch=batch).first()
    assert first
    release_held(actor=desk.cast.actor(), file=first, reason="A scale, no name")
    settle(desk, batch)
    assert states(batch) == {"ACCEPTED": 6}
    assert set(Instance.objects.values_list("uncovered_sha256", flat=True)) == {""}


def test_what_is_destroyed_frees_the_study(desk: Desk, stored: type_stored) -> None:
    batch = desk.send({**named(desk), **another_series(desk)})
    held = BatchFile.objects.filter(batch=batch, state="QUARANTINED").first()
    assert held
    with desk.committing():
        assert reject_held(actor=desk.cast.actor(), file=held, reason="Sent by mistake") == 6
    assert not [name for name in stored() if name.startswith("incoming/")]
    assert Study.objects.get().state == StudyState.QC_PASS
    gone = Destruction.objects.filter(batch=batch, reason="Sent by mistake").get()
    assert (gone.files, gone.by) == (6, desk.cast.actor().name)


def test_an_area_beyond_the_picture_destroys_nothing(desk: Desk) -> None:
    batch = desk.send(named(desk))
    first = BatchFile.objects.filter(batch=batch).first()
    assert first
    release_held(actor=desk.cast.actor(), file=first, reason="The name", covers=[Box(100, 0, 400, 20)])
    settle(desk, batch)
    assert states(batch) == {"QUARANTINED": 6}
    held = BatchFile.objects.filter(batch=batch)
    assert {"out of the picture" in file.reason for file in held} == {True}
    assert all(default_storage.exists(file.stored_key) for file in held)
    again = held.first()
    assert again
    release_held(actor=desk.cast.actor(), file=again, reason="The name", covers=[WHERE])
    settle(desk, batch)
    assert states(batch) == {"ACCEPTED": 6}


def test_a_flag_of_the_scanner_is_answered_by_covering_too(desk: Desk) -> None:
    some = desk.slices("M1", size=128)["IM0001.dcm"]
    batch = desk.send({"a.dcm": changed(some, BurnedInAnnotation="YES")})
    file = BatchFile.objects.get(batch=batch)
    release_held(actor=desk.cast.actor(), file=file, reason="A name below", covers=[WHERE])
    settle(desk, batch)
    with default_storage.open(Instance.objects.get().file_key) as kept:
        assert pydicom.dcmread(kept).BurnedInAnnotation == "NO"


def test_only_what_lies_in_the_picture_is_covered(desk: Desk) -> None:
    some = desk.slices("M1", size=128)["IM0001.dcm"]
    batch = desk.send({"a.dcm": changed(some, LossyImageCompression="01")})
    file = BatchFile.objects.get(batch=batch)
    assert file.code == "lossy"
    with pytest.raises(CannotCoverError):
        release_held(actor=desk.cast.actor(), file=file, reason="because", covers=[WHERE])
    with pytest.raises(ReasonMissingError):
        release_held(actor=desk.cast.actor(), file=file, reason=" ", covers=[WHERE])


def test_slices_in_an_archive_are_held_and_covered_alike(desk: Desk) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in named(desk).items():
            archive.writestr(path, data)
    batch = desk.send({"scan.zip": buffer.getvalue()})
    assert states(batch) == {"UNPACKED": 1, "QUARANTINED": 6}
    first = BatchFile.objects.filter(batch=batch, state="QUARANTINED").first()
    assert first
    release_held(actor=desk.cast.actor(), file=first, reason="The name", covers=[WHERE])
    settle(desk, batch)
    assert states(batch) == {"UNPACKED": 1, "ACCEPTED": 6}


# Pages --------------------------------------------------------------------------------------------------------------


def test_the_site_looks_covers_and_lets_pass(desk: Desk) -> None:
    batch = desk.send(named(desk))
    client = desk.cast.client("coordinator")
    listed = client.get(reverse("image-batch", args=[batch.opaque])).text
    first = BatchFile.objects.filter(batch=batch).order_by("pk")[0]
    assert reverse("image-held", args=[first.pk]) in listed

    page = client.get(reverse("image-held", args=[first.pk]))
    picture = client.get(reverse("image-held-picture", args=[first.pk]))

    assert "What is written in the picture?" in page.text
    assert picture["Content-Type"] == "image/png"
    assert "no-store" in picture["Cache-Control"]
    assert np.asarray(imagecodecs.png_decode(picture.content)).shape == (128, 128)
    address = reverse("image-cover", args=[first.pk])
    wrong = client.post(address, {"decision": "cover", "area": "1,2,x,4", "reason": "The name"})
    assert wrong.status_code == 422
    assert "1,2,x,4" in wrong.text
    for unclear in ({"decision": "cover"}, {}, {"decision": "else", "area": str(WHERE)}):
        assert client.post(address, {**unclear, "reason": "The name"}).status_code == 422
    assert states(batch) == {"QUARANTINED": 6}
    answer = client.post(
        address, {"decision": "cover", "area": [str(WHERE)], "reason": "The name"}, follow=True
    )
    assert "6 files pass" in answer.text
    settle(desk, batch)
    assert states(batch) == {"ACCEPTED": 6}


def test_nobody_but_the_site_sees_the_picture(desk: Desk) -> None:
    batch = desk.send(named(desk))
    file = BatchFile.objects.filter(batch=batch)[0]
    for role in ("coordinator2", "datamanager", "monitor", "radiologist", "sponsor", "outsider"):
        client = desk.cast.client(role)
        for name in ("image-held", "image-held-picture"):
            assert client.get(reverse(name, args=[file.pk])).status_code == 404
        assert client.post(reverse("image-cover", args=[file.pk]), {"reason": "because"}).status_code == 404


# Originals ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("DCM-09")
def test_what_waits_for_a_person_is_sealed(desk: Desk, stored: type_stored) -> None:
    some = desk.slices("M1")["IM0001.dcm"]
    desk.send({"burned.dcm": changed(some, BurnedInAnnotation="YES")})
    receive_object(
        actor=desk.cast.actor(), content=BytesIO(some), origin="DICOMWEB", subjects=Subject.objects.none()
    )

    waiting = {name: data for name, data in stored().items() if name.startswith("incoming/")}

    assert len(waiting) == 2
    assert all(b"DICM" not in data and b"Eksempel" not in data for data in waiting.values())
    with opened(InboxItem.objects.get().stored_key) as plain:
        assert plain.read() == some


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024])
def test_an_original_comes_back_as_it_was(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    key = keep_sealed("test/a", BytesIO(content))
    with opened(key) as plain:
        assert plain.read() == content


@pytest.mark.parametrize("damage", ["cut", "flipped", "swapped"])
def test_a_sealed_original_that_was_altered_is_not_taken(damage: str) -> None:
    key = keep_sealed("test/a", BytesIO(bytes(3 * 1024 * 1024)))
    with default_storage.open(key) as stored:
        sealed = bytearray(stored.read())
    piece = 4 + 1024 * 1024 + 16
    if damage == "cut":
        sealed = sealed[: 8 + 2 * piece]
    elif damage == "flipped":
        sealed[5000] ^= 1
    else:
        sealed = (
            sealed[:8] + sealed[8 + piece : 8 + 2 * piece] + sealed[8 : 8 + piece] + sealed[8 + 2 * piece :]
        )
    default_storage.delete(key)
    default_storage.save(key, BytesIO(bytes(sealed)))  # type: ignore[arg-type]
    with pytest.raises(SealBroken), opened(key) as plain:
        plain.read()


@pytest.mark.req("DCM-09")
def test_what_nobody_decides_about_is_destroyed_in_time_and_said_so(desk: Desk, stored: type_stored) -> None:
    some = desk.slices("M1")["IM0001.dcm"]
    batch = desk.send({"burned.dcm": changed(some, BurnedInAnnotation="YES")})
    receive_object(
        actor=desk.cast.actor(), content=BytesIO(some), origin="DICOMWEB", subjects=Subject.objects.none()
    )
    with time_machine.travel(clock.now() + timedelta(days=29), tick=False):
        assert destroy_expired() == 0
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False), desk.committing():
        assert destroy_expired() == 2
        assert destroy_expired() == 0

    file, item = BatchFile.objects.get(batch=batch), InboxItem.objects.get()
    assert (file.state, item.state) == ("REJECTED", "REJECTED")
    assert "Send it again" in file.reason
    assert "Send it again" in item.decision_reason
    assert not [name for name in stored() if name.startswith("incoming/")]
    assert sorted(Destruction.objects.values_list("files", flat=True)) == [1, 1, 1]
    page = desk.cast.client("coordinator").get(reverse("image-inbox")).text
    assert "destroyed lately" in page


def test_the_record_of_a_destruction_stays(desk: Desk) -> None:
    desk.send(desk.slices("M1"))
    record = Destruction.objects.get()
    assert (record.files, record.reason) == (5, "They were processed.")
    with pytest.raises(IntegrityError, match="cannot be changed"), acting(SETUP):
        Destruction.objects.filter(pk=record.pk).update(files=1)
