"""Exports for programs: only of what one may export, and only one's own."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from foundation.clock import now
from reports.models import Export
from reports.services import make_export
from tests.api.conftest import problem, type_program
from tests.cast import Cast

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


def test_the_future_cannot_be_exported(program: type_program) -> None:
    wanted = {"trial": "EXCALIBUR", "as_of": (now() + timedelta(hours=1)).isoformat()}
    assert "as_of" in problem(program("sponsor").post("exports/", wanted), 422, "future_moment")["errors"]
