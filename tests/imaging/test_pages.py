"""The pages of the room: who sees what, the upload as a browser does it, and a reader who learns nothing."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import imagecodecs
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from imaging.dicom import phantom
from imaging.dicom.frames import decode
from imaging.dicom.reader import read as read_file
from imaging.masking import SLICE, masked
from imaging.models import Batch, BatchFile, FileState, Instance, Measurement, Read, Series, Study
from imaging.services import process_batch
from tests.conftest import PASSWORD
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import changed
from tests.imaging.test_reading import Reader, mark_on, send

SITE_PEOPLE = ("coordinator", "investigator")
EVERYBODY = (
    "coordinator", "investigator", "datamanager", "monitor", "radiologist", "radiologist2", "adjudicator", "sponsor",
    "admin", "coordinator2", "investigator2", "outsider",
)  # fmt: skip


@pytest.fixture
def reader(desk: Desk) -> Reader:
    return Reader(desk)


def post_json(client: Client, url: str, document: object) -> Any:
    return client.post(
        url, json.dumps(document), content_type="application/json", headers={"accept": "application/json"}
    )


def addresses(desk: Desk) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Each page with the people who may see it."""
    number, study = desk.subject.number, Study.objects.get(visit=desk.visits["M1"])
    series, batch = Series.objects.get(study=study), desk.sent[0]
    read = desk.read("M1")
    viewers = dict.fromkeys(("coordinator", "investigator", "datamanager"), 200)
    senders = dict.fromkeys(SITE_PEOPLE, 200)
    own = {read.reader.username: 200}
    instance = Instance.objects.filter(series=series).first()
    assert instance is not None
    yield "GET", reverse("subject-images", args=[number]), viewers
    yield "GET", reverse("visit-images", args=[number, "M1"]), senders
    yield "GET", reverse("image-batch", args=[batch.opaque]), viewers
    yield "GET", reverse("image-status", args=[batch.opaque]), viewers
    yield "GET", reverse("image-study", args=[study.opaque]), viewers
    yield "GET", reverse("image-thumbnail", args=[series.opaque]), viewers
    yield "GET", reverse("reading-case", args=[read.opaque]), own
    yield "GET", reverse("reading-series", args=[read.opaque]), own
    yield "GET", reverse("reading-prior", args=[read.opaque]), own
    yield "GET", reverse("reading-frame", args=[read.opaque, masked(read.opaque, SLICE, instance.pk)]), own
    yield "POST", reverse("image-manifest", args=[number, "M1"]), dict.fromkeys(SITE_PEOPLE, 422)
    yield "POST", reverse("image-files", args=[batch.opaque]), dict.fromkeys(SITE_PEOPLE, 409)
    yield "POST", reverse("image-finish", args=[batch.opaque]), senders
    yield "POST", reverse("image-accept", args=[study.opaque]), {"datamanager": 422}
    yield "POST", reverse("reading-marks", args=[read.opaque]), {read.reader.username: 422}
    yield "POST", reverse("reading-outcome", args=[read.opaque]), {read.reader.username: 422}
    yield "POST", reverse("reading-findings", args=[read.opaque]), {read.reader.username: 302}
    yield "GET", reverse("reading-sign", args=[read.opaque]), {read.reader.username: 422}
    yield "POST", reverse("reading-correct", args=[read.opaque]), {read.reader.username: 422}


def test_everybody_else_is_told_that_nothing_is_there(desk: Desk) -> None:
    send(desk, "M1")
    wrong = []
    for method, url, allowed in addresses(desk):
        for role in EVERYBODY:
            answer = desk.cast.client(role).generic(method, url)
            expected = {allowed[role]} if role in allowed else {403, 404}
            if answer.status_code not in expected:
                wrong.append((method, url, role, answer.status_code, expected))
    assert wrong == []


def test_a_quarantined_file_is_decided_by_its_site_only(desk: Desk) -> None:
    some = desk.slices("M1")["IM0001.dcm"]
    batch = desk.send({"burned.dcm": changed(some, BurnedInAnnotation="YES")})
    file = BatchFile.objects.get(batch=batch)
    for name in ("image-release", "image-reject"):
        url = reverse(name, args=[file.pk])
        for role in ("coordinator2", "datamanager", "radiologist", "sponsor", "outsider"):
            assert desk.cast.client(role).post(url, {"reason": "because"}).status_code == 404
    client = desk.cast.client("coordinator")
    assert client.post(reverse("image-release", args=[file.pk]), {"reason": ""}).status_code == 422

    answer = client.post(
        reverse("image-release", args=[file.pk]), {"reason": "Only a scale bar"}, follow=True
    )

    assert "Released" in answer.text
    file.refresh_from_db()
    assert file.state == "ACCEPTED"


def test_a_browser_sends_a_folder_breaks_off_and_goes_on(
    desk: Desk, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client, files = desk.cast.client("coordinator"), desk.slices("M1")
    names = list(files)
    manifest = {"files": [{"path": f"CT/{name}", "size": len(data)} for name, data in files.items()]}
    url = reverse("image-manifest", args=[desk.subject.number, "M1"])

    first = post_json(client, url, manifest).json()
    assert first["missing"] == [0, 1, 2, 3, 4]
    uploads = {f"file-{n}": SimpleUploadedFile(names[n], files[names[n]]) for n in (0, 1)}
    sent = client.post(reverse("image-files", args=[first["upload"]]), {"upload": first["upload"], **uploads})
    assert [(each["index"], each["state"]) for each in sent.json()["results"]] == [
        (0, "received"),
        (1, "received"),
    ]
    early = post_json(client, reverse("image-finish", args=[first["upload"]]), {})
    assert early.status_code == 409
    assert "3 of 5 files have not arrived" in early.json()["detail"]

    again = post_json(client, url, manifest).json()
    assert again == {"upload": first["upload"], "missing": [2, 3, 4], "refused": []}
    uploads = {f"file-{n}": SimpleUploadedFile(names[n], files[names[n]]) for n in (2, 3, 4)}
    client.post(reverse("image-files", args=[first["upload"]]), uploads)
    with django_capture_on_commit_callbacks(execute=True):
        done = post_json(client, reverse("image-finish", args=[first["upload"]]), {})

    assert done.json()["redirect"] == reverse("image-batch", args=[first["upload"]])
    page = client.get(done.json()["redirect"])
    assert page.status_code == 200
    status = client.get(reverse("image-status", args=[first["upload"]])).json()
    assert (status["state"], status["done"], status["total"]) == ("done", 5, 5)
    assert Instance.objects.count() == 5


@pytest.mark.req("DCM-11")
@pytest.mark.parametrize("on_its_way", [False, True])
def test_what_arrives_is_what_the_sender_hashed(desk: Desk, *, on_its_way: bool) -> None:
    client, (name, data) = desk.cast.client("coordinator"), next(iter(desk.slices("M1").items()))
    url = reverse("image-manifest", args=[desk.subject.number, "M1"])
    started = post_json(client, url, {"files": [{"path": name, "size": len(data)}]}).json()
    arrived = data[:-1] + b"?" if on_its_way else data
    sent = {"file-0": SimpleUploadedFile(name, arrived), "sha256-0": hashlib.sha256(data).hexdigest()}

    [receipt] = client.post(reverse("image-files", args=[started["upload"]]), sent).json()["results"]

    file = BatchFile.objects.get()
    if on_its_way:
        assert (receipt["state"], receipt["reason"]) == (
            "rejected",
            "The file changed on its way. Start again.",
        )
        assert (file.state, file.stored_key) == (FileState.EXPECTED, "")
    else:
        assert (receipt["state"], file.state) == ("received", FileState.RECEIVED)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"files": "all"},
        {"files": [{"path": 3, "size": 1}]},
        {"files": [{"path": "a"}]},
        {"files": []},
    ],
)
def test_a_list_that_is_none_is_refused(desk: Desk, document: object) -> None:
    url = reverse("image-manifest", args=[desk.subject.number, "M1"])

    answer = post_json(desk.cast.client("coordinator"), url, document)

    assert (answer.status_code, Batch.objects.count()) == (422, 0)


def test_the_site_sees_what_was_done_to_its_files(desk: Desk) -> None:
    send(desk, "M1")
    study = Study.objects.get()

    page = desk.cast.client("coordinator").get(reverse("image-study", args=[study.opaque])).text

    assert "(0010,0010) PatientName" in page
    assert "private elements of the manufacturer" in page
    assert "Portal venous phase" in page


def test_rejected_files_stand_on_the_page_with_their_reason(desk: Desk) -> None:
    batch = desk.send({**desk.slices("M1"), "letter.txt": b"Dear colleague"})

    page = desk.cast.client("coordinator").get(reverse("image-batch", args=[batch.opaque])).text

    assert "(.txt)" in page
    assert "letter.txt" not in page
    assert "This is not a DICOM file" in page


def test_a_thumbnail_is_a_small_picture(desk: Desk) -> None:
    send(desk, "M1")
    answer = desk.cast.client("coordinator").get(
        reverse("image-thumbnail", args=[Series.objects.get().opaque])
    )

    picture = imagecodecs.png_decode(answer.content)
    assert picture.shape == (64, 64)
    assert picture.std() > 20
    assert "private" in answer["Cache-Control"]


# Readers --------------------------------------------------------------------------------------------------------------


def test_the_viewer_gets_its_series_and_frames_bit_by_bit(desk: Desk) -> None:
    files = desk.slices("M1")
    desk.send(files, "M1")
    read = desk.read("M1")
    client = desk.cast.client(read.reader.username)

    (series,) = client.get(reverse("reading-series", args=[read.opaque])).json()["series"]

    assert (series["modality"], series["name"]) == ("CT", "Portal venous phase, 5 mm")
    depths = [each["metadata"]["00200032"]["Value"][2] for each in series["instances"]]
    assert depths == [-10.0, -5.0, 0.0, 5.0, 10.0]
    tags = set(series["instances"][0]["metadata"])
    assert {
        "00280010",
        "00280011",
        "00280100",
        "00280101",
        "00280103",
        "00280030",
        "00281052",
        "00281053",
    } <= tags
    assert not tags & {
        "00080020",
        "00080021",
        "00080022",
        "00100010",
        "00100020",
        "0020000D",
        "00080018",
        "0008103E",
    }
    frame = client.get(series["instances"][2]["frame"])
    assert frame["Content-Type"] == "image/jphc; transfer-syntax=1.2.840.10008.1.2.4.202"
    assert frame["Cache-Control"] == "private, max-age=31536000, immutable"
    assert int(frame["Content-Length"]) == len(frame.content)
    assert np.array_equal(imagecodecs.htj2k_decode(frame.content), decode(read_file(files["IM0003.dcm"])))


def test_frames_of_other_cases_and_of_later_time_points_are_not_there(desk: Desk, reader: Reader) -> None:
    send(desk, "M1", "M4")
    first, second = desk.read("M1"), desk.read("M4")
    later = Instance.objects.filter(series__study__visit=second.visit).first()
    earlier = Instance.objects.filter(series__study__visit=first.visit).first()
    client = desk.cast.client(first.reader.username)
    assert later is not None
    assert earlier is not None

    def status(read: Read, instance: Instance) -> int:
        return client.get(
            reverse("reading-frame", args=[read.opaque, masked(read.opaque, SLICE, instance.pk)])
        ).status_code

    assert status(first, earlier) == 200
    assert status(first, later) == 404
    assert status(second, earlier) == 404, "the earlier time point is not signed"
    reader.sign(reader.fill("M1"))
    assert status(second, earlier) == 200
    assert client.get(reverse("reading-prior", args=[second.opaque])).json()["series"]


def test_marks_are_saved_moved_and_taken_away_over_http(desk: Desk) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    client, mark = desk.cast.client(read.reader.username), str(uuid.uuid4())
    url = reverse("reading-marks", args=[read.opaque])

    saved = post_json(client, url, {"action": "save", "id": mark, **mark_on(read, length=20.0)})
    assert saved.status_code == 200
    assert (saved.json()["id"], saved.json()["length_mm"]) == (mark, "20.00")
    refused = post_json(
        client, url, {"action": "save", "id": mark, **mark_on(read, length=20.0), "length_mm": 25}
    )
    assert refused.status_code == 422
    assert "it is 20.00 mm" in refused.json()["detail"]
    (series,) = client.get(reverse("reading-series", args=[read.opaque])).json()["series"]
    assert [each["id"] for each in series["marks"]] == [mark]
    assert post_json(client, url, {"action": "delete", "id": mark}).status_code == 200
    assert Measurement.objects.count() == 2
    for nonsense in (
        {},
        {"action": "save"},
        {"action": "save", "id": "x"},
        {"action": "explode", "id": mark},
        "text",
    ):
        assert post_json(client, url, nonsense).status_code == 422


def test_a_reader_judges_signs_and_goes_on_in_the_browser(desk: Desk) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    client = desk.cast.client(read.reader.username)
    assert reverse("reading-case", args=[read.opaque]) in client.get(reverse("reading-queue")).text
    page = client.get(reverse("reading-next"), follow=True)
    assert "<edc-viewer" in page.text
    for lesion in ("T01", "T02"):
        url = reverse("reading-outcome", args=[read.opaque])
        answer = client.post(
            url, {"lesion": lesion, f"outcome-{lesion}": "COMPLETE"}, headers={"HX-Request": "true"}
        )
        assert 'id="judgement"' in answer.text
    client.post(
        reverse("reading-findings", args=[read.opaque]), {"image_quality": "OPTIMAL", "new_lesion": "N"}
    )

    dialog = client.get(reverse("reading-sign", args=[read.opaque])).text
    assert "I have read these images myself" in dialog
    wrong = client.post(
        reverse("reading-sign", args=[read.opaque]), {"username": read.reader.username, "password": "wrong"}
    )
    assert (wrong.status_code, "nothing was signed" in wrong.text) == (422, True)
    client.post(
        reverse("reading-sign", args=[read.opaque]), {"username": read.reader.username, "password": PASSWORD}
    )

    read.refresh_from_db()
    assert read.state == "SIGNED"
    assert "No case waits for you" in client.get(reverse("reading-next"), follow=True).text
    assert "Signed by" in client.get(reverse("reading-case", args=[read.opaque])).text


def test_only_the_reading_page_may_compile_wasm(desk: Desk) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    client = desk.cast.client(read.reader.username)

    case = client.get(reverse("reading-case", args=[read.opaque]))["Content-Security-Policy"]
    queue = client.get(reverse("reading-queue"))["Content-Security-Policy"]

    assert "script-src 'self' 'wasm-unsafe-eval';" in f"{case};"
    assert "img-src 'self' data: blob:;" in f"{case};"
    assert "unsafe" not in queue
    assert "blob:" not in queue


def test_the_queue_costs_the_same_for_one_case_and_for_many(
    desk: Desk, statements: Callable[[], Any]
) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    client = desk.cast.client(read.reader.username)
    client.get(reverse("reading-queue"))
    with statements() as one:
        client.get(reverse("reading-queue"))
    for number in range(4):
        another = Desk(desk.cast, desk.cast.subject("THERMODOX"), dict(desk.visits), desk.committing)
        visit = another.visits["M1"]
        from audit.context import acting
        from tests.cast import SETUP

        with acting(SETUP):
            visit.pk, visit.subject = None, another.subject
            visit.save(force_insert=True)
        another.send(another.slices("M1", person=phantom.Person(record=f"MRN-{number}")))

    with statements() as many:
        page = client.get(reverse("reading-queue"))

    assert page.text.count("time point 1") >= 2
    assert len(many.counted) == len(one.counted)


def test_a_frame_that_nobody_granted_costs_few_statements(desk: Desk, statements: Callable[[], Any]) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    client = desk.cast.client(read.reader.username)
    instance = Instance.objects.first()
    assert instance is not None
    url = reverse("reading-frame", args=[read.opaque, masked(read.opaque, SLICE, instance.pk)])
    client.get(url)

    with statements() as done:
        client.get(url)

    assert len(done.counted) <= 4, done.counted


def test_a_batch_that_nobody_took_up_is_processed_by_the_sweep(desk: Desk) -> None:
    batch = desk.deliver(desk.slices("M1"))
    page = desk.cast.client("coordinator").get(reverse("image-batch", args=[batch.opaque])).text
    assert "edc-progress" in page

    process_batch(batch.pk)

    assert (
        "edc-progress"
        not in desk.cast.client("coordinator").get(reverse("image-batch", args=[batch.opaque])).text
    )
