"""The short way to a frame: what a person was just allowed to see is sent before Django is asked again.

A reader fetches five hundred frames of a series within seconds. The first of them passes every check; with it, the
other slices of that series are granted to that session at that address for ten seconds, in this process. The gate
stands before Django, knows grants only, and sends the file from the disc. Whoever is signed out or loses a right is
refused by Django as before, ten seconds later at most. Where files do not lie on this machine's disc, nothing is
granted and everything goes the long way.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings

from imaging.dicom.frames import FRAME_TYPE

FOREVER = "private, max-age=31536000, immutable"
SECONDS = 10.0
MOST = 20_000
_CHUNK = 256 * 1024

type_key = tuple[str, str]


@dataclass
class Grants:
    """Files by session and address, each until a moment.

    Attributes
    ----------
    clock
        Seconds that only grow.
    """

    clock: Callable[[], float] = time.monotonic
    _files: dict[type_key, tuple[str, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, session: str, files: Mapping[str, str]) -> None:
        """Grant files to a session, by the address under which each is asked for."""
        until = self.clock() + SECONDS
        with self._lock:
            if len(self._files) + len(files) > MOST:
                moment = self.clock()
                self._files = {key: file for key, file in self._files.items() if file[1] > moment}
            if len(self._files) + len(files) > MOST:
                self._files = {}
            self._files.update({(session, address): (path, until) for address, path in files.items()})

    def find(self, session: str, address: str) -> str | None:
        """The file, if it is granted now."""
        found = self._files.get((session, address))
        return found[0] if found is not None and found[1] > self.clock() else None


GRANTS = Grants()


class FrameGate:
    """A WSGI application before another one."""

    def __init__(self, application: WSGIApplication, grants: Grants = GRANTS) -> None:
        self._application = application
        self._grants = grants
        self._cookie = re.compile(rf"(?:^|; ?){re.escape(settings.SESSION_COOKIE_NAME)}=([^;]+)")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = self._granted(environ)
        if path is not None:
            try:
                file = Path(path).open("rb")  # noqa: SIM115 - the server closes it
            except OSError:
                return self._application(environ, start_response)
            start_response("200 OK", _headers(os.fstat(file.fileno()).st_size))
            wrapper = environ.get("wsgi.file_wrapper", _Pieces)
            sent: Iterable[bytes] = wrapper(file, _CHUNK)
            return sent
        return self._application(environ, start_response)

    def _granted(self, environ: WSGIEnvironment) -> str | None:
        address = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") != "GET" or "/frames/" not in address:
            return None
        cookie = self._cookie.search(environ.get("HTTP_COOKIE", ""))
        return self._grants.find(cookie[1], address) if cookie else None


class _Pieces:
    """A file in pieces, for servers without a way of their own."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._size = file, size
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(self._size):
            yield piece


def _headers(size: int) -> list[tuple[str, str]]:
    """What Django's middleware says of a frame as well."""
    return [
        ("Content-Type", FRAME_TYPE),
        ("Content-Length", str(size)),
        ("Cache-Control", FOREVER),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "same-origin"),
    ]
