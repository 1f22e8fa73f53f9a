"""The short way to a frame: only what was allowed a moment ago, to whom it was allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import Client

from imaging import gate
from imaging.gate import FrameGate, Grants
from imaging.models import Instance
from tests.imaging.conftest import Desk

SENT_ON = b"Django was asked"


class Door:
    """A gate in front of something that always answers the same."""

    def __init__(self, grants: Grants) -> None:
        self._gate = FrameGate(self._behind, grants)
        self.headers: dict[str, str] = {}

    def _behind(self, environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [SENT_ON]

    def get(self, address: str, session: str = "", method: str = "GET") -> bytes:
        environ: dict[str, Any] = {"PATH_INFO": address, "REQUEST_METHOD": method}
        setup_testing_defaults(environ)
        if session:
            environ["HTTP_COOKIE"] = f"other=1; {settings.SESSION_COOKIE_NAME}={session}; more=2"

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            assert status == "200 OK"
            self.headers = dict(headers)

        sent: Any = self._gate(environ, start_response)
        content = b"".join(sent)
        getattr(sent, "close", lambda: None)()  # as every server does
        return content


def test_a_grant_is_for_one_session_one_address_and_some_seconds(tmp_path: Path) -> None:
    moment = [0.0]
    grants = Grants(lambda: moment[0])
    file = tmp_path / "frame.jhc"
    file.write_bytes(b"a frame")
    grants.add("mine", {"/reading/1/frames/2/": str(file)})
    door = Door(grants)

    assert door.get("/reading/1/frames/2/", "mine") == b"a frame"
    assert door.headers["Content-Type"].startswith("image/jphc")
    assert door.headers["Content-Length"] == "7"
    assert door.headers["Cache-Control"].startswith("private")
    assert door.get("/reading/1/frames/2/", "other") == SENT_ON
    assert door.get("/reading/1/frames/2/") == SENT_ON
    assert door.get("/reading/1/frames/3/", "mine") == SENT_ON
    assert door.get("/reading/1/frames/2/", "mine", "POST") == SENT_ON
    moment[0] = gate.SECONDS
    assert door.get("/reading/1/frames/2/", "mine") == SENT_ON


def test_a_file_that_went_away_goes_the_long_way(tmp_path: Path) -> None:
    grants = Grants()
    grants.add("mine", {"/reading/1/frames/2/": str(tmp_path / "gone.jhc")})
    assert Door(grants).get("/reading/1/frames/2/", "mine") == SENT_ON


def test_grants_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST", 10)
    moment = [0.0]
    grants = Grants(lambda: moment[0])
    grants.add("old", {f"/frames/{n}": "x" for n in range(8)})
    moment[0] = gate.SECONDS + 1
    grants.add("new", {f"/frames/{n}": "x" for n in range(8)})
    assert grants.find("new", "/frames/1") == "x"
    grants.add("newer", {f"/frames/{n}": "x" for n in range(8)})
    assert grants.find("new", "/frames/1") is None
    assert grants.find("newer", "/frames/1") == "x"


@pytest.mark.django_db
def test_one_frame_that_is_allowed_opens_its_series_to_that_session_alone(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statements: Callable[[], Any]
) -> None:
    grants = Grants()
    monkeypatch.setattr("imaging.views.viewer.GRANTS", grants)
    monkeypatch.setattr(default_storage, "_wrapped", FileSystemStorage(location=tmp_path))
    desk.send(desk.slices("M1"))
    read = desk.read()
    reader = Client()
    reader.force_login(read.reader)
    frames = _frames(reader, read.opaque)
    session = reader.cookies[settings.SESSION_COOKIE_NAME].value

    assert Door(grants).get(frames[0], session) == SENT_ON, "nothing was allowed yet"
    first = reader.get(frames[0])

    door = Door(grants)
    assert door.get(frames[0], session) == first.content
    sent = {door.get(frame, session) for frame in frames}
    assert len(sent) == Instance.objects.count()
    assert SENT_ON not in sent
    assert door.get(frames[0], "another") == SENT_ON
    for name in (
        "X-Content-Type-Options",
        "Cross-Origin-Resource-Policy",
        "Referrer-Policy",
        "Cache-Control",
    ):
        assert door.headers.get(name, "") == "" or door.headers[name] == first.headers[name]


@pytest.mark.django_db
def test_what_is_refused_grants_nothing(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grants = Grants()
    monkeypatch.setattr("imaging.views.viewer.GRANTS", grants)
    monkeypatch.setattr(default_storage, "_wrapped", FileSystemStorage(location=tmp_path))
    desk.send(desk.slices("M1"))
    read = desk.read()
    reader = Client()
    reader.force_login(read.reader)
    (first, *_) = _frames(reader, read.opaque)
    stranger = desk.cast.client("coordinator")

    assert stranger.get(first).status_code == 404
    session = stranger.cookies[settings.SESSION_COOKIE_NAME].value
    assert Door(grants).get(first, session) == SENT_ON


def _frames(reader: Client, opaque: object) -> list[str]:
    shown = reader.get(f"/reading/{opaque}/images/").json()["series"]
    return [instance["frame"] for series in shown for instance in series["instances"]]
