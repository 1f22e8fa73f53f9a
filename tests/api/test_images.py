"""Images for programs: announced, sent, finished, seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from imaging.models import Batch, BatchFile
from imaging.services import process_batch
from tests.api.conftest import Program, problem, type_program
from tests.cast import Cast
from tests.imaging.conftest import Desk, desk  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db


def put(program: Program, upload: str, index: int, content: bytes) -> Any:
    return program.client.put(
        f"/api/v1/uploads/{upload}/files/{index}/",
        content,
        content_type="application/octet-stream",
        headers=program.headers,
    )


def manifest(files: dict[str, bytes]) -> dict[str, Any]:
    return {"files": [{"path": path, "size": len(content)} for path, content in files.items()]}


def test_images_are_announced_sent_resumed_finished_and_seen(
    desk: Desk,  # noqa: F811
    program: type_program,
    statements: Callable[[], Any],
) -> None:
    files = desk.slices()
    mine = program("coordinator")
    address = f"subjects/{desk.subject.number}/visits/M1/uploads/"
    started = mine.post(address, manifest(files))
    assert started.status_code == 201
    upload, missing = started.json()["upload"], started.json()["missing"]
    assert missing == list(range(len(files)))
    contents = list(files.values())
    assert put(mine, upload, 0, contents[0]).json() == {"index": 0, "state": "received", "reason": ""}
    assert put(mine, upload, 0, contents[0]).json()["state"] == "duplicate"
    assert put(mine, upload, 1, contents[1][:-1]).json()["state"] == "rejected"
    problem(put(mine, upload, 9999, b"x"), 422, "file_not_expected")
    problem(mine.post(f"uploads/{upload}/finish/"), 409, "batch_incomplete")
    resumed = mine.post(address, manifest(files)).json()
    assert (resumed["upload"], resumed["missing"]) == (upload, missing[1:])
    for index in resumed["missing"]:
        assert put(mine, upload, index, contents[index]).json()["state"] == "received"
    finished = mine.post(f"uploads/{upload}/finish/")
    assert (finished.status_code, finished.json()["state"]) == (202, "RECEIVED")
    with desk.committing():
        process_batch(Batch.objects.get().pk)
    shown = mine.get(f"uploads/{upload}/").json()
    assert (shown["state"], shown["counts"]) == ("DONE", {"ACCEPTED": len(files)})
    with statements() as done:
        [study] = mine.get("studies/", subject=desk.subject.number).json()["items"]
    assert len(done.counted) <= 3
    assert (study["subject"], study["visit"]) == (desk.subject.number, "M1")
    detail = mine.get(f"studies/{study['id']}/").json()
    assert detail["series"][0]["slices"] == len(files)
    assert isinstance(detail["series"][0]["thickness_mm"], str)
    for stranger in ("coordinator2", "radiologist", "sponsor", "monitor"):
        problem(program(stranger).get(f"studies/{study['id']}/"), 404, "not_found")
        problem(program(stranger).get(f"uploads/{upload}/"), 404, "not_found")
    problem(program("datamanager").post(f"uploads/{upload}/finish/"), 403, "forbidden")
    problem(put(program("datamanager"), upload, 0, b"x"), 403, "forbidden")
    problem(put(program("coordinator2"), upload, 0, b"x"), 404, "not_found")


def test_a_file_may_be_larger_than_a_form(desk: Desk, program: type_program) -> None:  # noqa: F811
    content = bytes(6 * 1024 * 1024)
    mine = program("coordinator")
    address = f"subjects/{desk.subject.number}/visits/M1/uploads/"
    upload = mine.post(address, manifest({"a.dcm": content, "empty": b""})).json()["upload"]
    assert put(mine, upload, 0, content).json()["state"] == "received"
    assert put(mine, upload, 1, b"").json()["state"] == "received"


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"files": []}, "files"),
        ({"files": [{"path": "a", "size": -1}]}, "files.0.size"),
        ({"files": [{"path": "a"}]}, "files.0.size"),
        ({"files": [{"path": "a", "size": 1, "name": "x"}]}, "files.0.name"),
        ({}, "files"),
    ],
)
def test_a_bad_list_of_files_is_refused(
    desk: Desk,  # noqa: F811
    program: type_program,
    sent: dict[str, Any],
    place: str,
) -> None:
    address = f"subjects/{desk.subject.number}/visits/M1/uploads/"
    found = problem(program("coordinator").post(address, sent), 422, "invalid")
    assert place in found["errors"]
    assert not BatchFile.objects.exists()


def test_images_are_sent_to_visits_that_take_them(cast: Cast, desk: Desk, program: type_program) -> None:  # noqa: F811
    mine, sent = program("coordinator"), manifest({"a": b"x"})
    base = f"subjects/{desk.subject.number}/visits/"
    problem(mine.post(f"{base}P1/uploads/", sent), 422, "visit_takes_no_images")
    problem(mine.post(f"{base}NOSUCH/uploads/", sent), 404, "not_found")
    problem(program("coordinator2").post(f"{base}M1/uploads/", sent), 404, "not_found")
    problem(program("datamanager").post(f"{base}M1/uploads/", sent), 403, "forbidden")
