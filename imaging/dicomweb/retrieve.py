"""WADO-RS: the files as they are stored, and single frames.

References
----------
.. [1] DICOM PS3.18 2026c, section 10.4 "Retrieve Transaction".
"""

from __future__ import annotations

import secrets
import zipfile
from collections.abc import Iterable, Iterator

from django.core.files.storage import default_storage
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from foundation.errors import NotFound
from imaging.dicom.frames import FRAME_TYPE
from imaging.dicom.multipart import MediaType, joined, media_type
from imaging.dicom.reader import EXPLICIT, transfer_syntax_of
from imaging.dicomweb.endpoints import Images
from imaging.errors import NotAcceptableError
from imaging.models import Instance
from imaging.selectors import dicomweb
from imaging.selectors.pictures import frame_of, raw_frame_of

DICOM, OCTETS, ZIP, JPHC = "application/dicom", "application/octet-stream", "application/zip", "image/jphc"
RAW_TYPE = f"{OCTETS}; transfer-syntax={EXPLICIT}"
FOREVER = "private, max-age=31536000, immutable"
_HEAD = 2048


class Files(Images):
    """The stored files of a study, a series or an instance."""

    def get(
        self, request: Request, study_uid: str, series_uid: str = "", instance_uid: str = ""
    ) -> HttpResponseBase:
        """Files as they are stored: as parts of one message, as one file, or as a zip archive."""
        found = dicomweb.instances_of(self.access, study_uid, series_uid, instance_uid)
        for choice in _choices(request):
            if choice.name == ZIP:
                return _archive(found, series_uid or study_uid)
            if choice.name == DICOM and instance_uid:
                return HttpResponse(_file(found[0]), content_type=DICOM)
            if _is_parts(choice, DICOM):
                return _parts(_dicom_parts(found), DICOM)
        raise NotAcceptableError(offered=f'multipart/related; type="{DICOM}", or {ZIP}')


class Frame(Images):
    """One frame of an instance."""

    def get(
        self, request: Request, study_uid: str, series_uid: str, instance_uid: str, frame: int
    ) -> HttpResponseBase:
        """A frame, uncompressed or as lossless HTJ2K, as the client prefers."""
        found = dicomweb.instances_of(self.access, study_uid, series_uid, instance_uid)[0]
        if frame != 1:
            raise NotFound
        for choice in _choices(request):
            if choice.name == JPHC:
                return _single(frame_of(found), FRAME_TYPE)
            if choice.name == OCTETS:
                return _single(raw_frame_of(found), RAW_TYPE)
            if _is_parts(choice, OCTETS):
                return _parts([(RAW_TYPE, raw_frame_of(found))], OCTETS)
            if _is_parts(choice, JPHC):
                return _parts([(FRAME_TYPE, frame_of(found))], JPHC)
        raise NotAcceptableError(offered=f"{OCTETS}, {JPHC} or multipart/related of them")


def _choices(request: Request) -> list[MediaType]:
    """What the client takes, in its order; anything where it says nothing."""
    header = request.headers.get("Accept", "") or "*/*"
    return [media_type(choice) for choice in header.split(",")]


def _is_parts(choice: MediaType, wanted: str) -> bool:
    if choice.name in ("*/*", ""):
        return True
    return choice.name == "multipart/related" and choice.parameters.get("type", wanted).lower() in (
        wanted,
        "*/*",
    )


def _single(content: bytes, content_type: str) -> HttpResponse:
    headers = {"Cache-Control": FOREVER, "Content-Length": str(len(content)), "Vary": "Accept, Cookie"}
    return HttpResponse(content, content_type=content_type, headers=headers)


def _parts(parts: Iterable[tuple[str, bytes]], kind: str) -> StreamingHttpResponse:
    boundary = secrets.token_hex(16)
    content_type = f'multipart/related; type="{kind}"; boundary={boundary}'
    return StreamingHttpResponse(joined(parts, boundary), content_type=content_type)


def _file(instance: Instance) -> bytes:
    with default_storage.open(instance.file_key) as stored:
        return bytes(stored.read())


def _dicom_parts(instances: Iterable[Instance]) -> Iterator[tuple[str, bytes]]:
    for instance in instances:
        content = _file(instance)
        yield f"{DICOM}; transfer-syntax={transfer_syntax_of(content[:_HEAD])}", content


def _archive(instances: Iterable[Instance], name: str) -> StreamingHttpResponse:
    disposition = f'attachment; filename="{name}.zip"'
    return StreamingHttpResponse(
        _zipped(instances), content_type=ZIP, headers={"Content-Disposition": disposition}
    )


def _zipped(instances: Iterable[Instance]) -> Iterator[bytes]:
    """An archive while it is made, one file in memory at a time."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for instance in instances:
            archive.writestr(f"{instance.series.uid}/{instance.uid}.dcm", _file(instance))
            yield pipe.taken()
    yield pipe.taken()


class _Pipe:
    """A file that is only written on, and what was written is taken away meanwhile."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        """Take a piece."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is held open."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
