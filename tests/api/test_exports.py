"""Exports for programs: only of what one may export, and only one's own."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from foundation.clock import now
from reports.models import Export, ExportTaken
from reports.services import make_export
from tests.api.conftest import problem, type_program
from tests.cast import Cast
from tests.imaging.conftest import Desk, desk  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db


def test_an_export_is_asked_for_watched_and_fetched(cast: Cast, program: type_program) -> None:
    cast.subject()
    mine = program("sponsor", ["export.run"])
    asked = mine.post("exports/", {"trial": "EXCALIBUR"})
    assert (asked.status_code, asked.json()["state"]) == (202, "WAITING")
    address = f"exports/{asked.json()['id']}/"
    problem(mine.get(f"{address}file/"), 409, "export_not_ready")
    make_export(asked.json()["id"])
    shown = mine.get(address).json()
    assert shown["state"] == "DONE"
    assert shown["manifest"]["files"]
    answer: Any = mine.get(f"{address}file/")
    content = b"".join(answer.streaming_content)
    assert answer.headers["Content-Type"] == "application/zip"
    assert hashlib.sha256(content).hexdigest() == shown["sha256"]
    assert "DM.csv" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    [row] = mine.get("exports/").json()["items"]
    assert "manifest" not in row
    for other in ("datamanager", "coordinator", "outsider"):
        for path in (address, f"{address}file/"):
            problem(program(other).get(path), 404, "not_found")
    assert program("datamanager").get("exports/").json()["items"] == []


@pytest.mark.parametrize(
    ("wanted", "status", "place"),
    [
        ({"trial": "NOSUCH"}, 404, None),
        ({}, 422, "trial"),
        ({"trial": "EXCALIBUR", "sites": ["XX-99"]}, 422, "sites"),
        ({"trial": "EXCALIBUR", "format": "doc"}, 422, "format"),
        ({"trial": "EXCALIBUR", "asof": None}, 422, "asof"),
    ],
)
def test_a_bad_wish_is_refused_at_its_place(
    program: type_program, wanted: dict[str, Any], status: int, place: str | None
) -> None:
    answer: Any = program("sponsor").post("exports/", wanted)
    assert answer.status_code == status
    if place:
        assert place in answer.json()["errors"]
    assert not Export.objects.exists()


def test_images_and_reads_are_an_export_of_their_own(desk: Desk, program: type_program) -> None:  # noqa: F811
    desk.send(desk.slices("M1"), "M1")
    wanted = {"trial": "THERMODOX", "format": "dicom", "subject": desk.subject.number}
    mine = program("datamanager", ["export.run", "image.view", "read.oversee"])
    asked = mine.post("exports/", wanted)
    assert (asked.status_code, asked.json()["format"], asked.json()["subject"]) == (
        202,
        "dicom",
        desk.subject.number,
    )
    make_export(asked.json()["id"])
    address = f"exports/{asked.json()['id']}/"
    assert mine.get(address).json()["manifest"]["counts"]["images"] == 5
    answer: Any = mine.get(f"{address}file/")
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest() == mine.get(address).json()["sha256"]
    assert ExportTaken.objects.get().export_id == asked.json()["id"]
    problem(program("sponsor").post("exports/", wanted), 403, "forbidden")
    narrow = program("datamanager", ["export.run"])
    assert narrow.post("exports/", wanted).status_code == 403
    problem(narrow.get(address), 404, "not_found")
    assert (
        "subject"
        in problem(mine.post("exports/", {**wanted, "format": "csv"}), 422, "whole_sites_only")["errors"]
    )
    assert (
        "as_of"
        in problem(mine.post("exports/", {**wanted, "as_of": now().isoformat()}), 422, "only_as_it_is")[
            "errors"
        ]
    )


def test_the_future_cannot_be_exported(program: type_program) -> None:
    wanted = {"trial": "EXCALIBUR", "as_of": (now() + timedelta(hours=1)).isoformat()}
    assert "as_of" in problem(program("sponsor").post("exports/", wanted), 422, "future_moment")["errors"]
