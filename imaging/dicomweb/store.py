"""STOW-RS: objects sent by another system, kept in the inbox until they belong to a visit.

References
----------
.. [1] DICOM PS3.18 2026c, section 10.5 "Store Transaction".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from mmap import ACCESS_READ, mmap
from typing import IO, Any, cast

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.access import Access
from foundation.tasks import enqueue
from imaging.api import AnyBytes
from imaging.dicom.errors import DicomFault, Malformed
from imaging.dicom.multipart import media_type, parts_of
from imaging.dicom.opening import opening_of
from imaging.dicom.reader import MAX_OBJECT_BYTES
from imaging.dicomweb.endpoints import Images, told
from imaging.errors import MessageBrokenError, NotDicomMessageError
from imaging.models import InboxItem, Origin
from imaging.selectors import dicomweb
from imaging.selectors.dicomweb import Json
from imaging.services import place_items, receive_object
from imaging.tasks import process_batch
from patients.selectors import subjects_visible_to
from trials.models import Site

DICOM = "application/dicom"
CANNOT_UNDERSTAND, OUT_OF_RESOURCES, TOO_LARGE = 0xC000, 0xA700, 0xC122
UPLOAD = "image.upload"


class StudiesStored(Images):
    """Studies: searched, and added to."""

    does = {"POST": UPLOAD}
    parser_classes = (AnyBytes,)

    def get(self, request: Request) -> HttpResponse:
        """Search studies."""
        return told(dicomweb.search_studies(self.access, request.query_params.dict()))

    def post(self, request: Request) -> HttpResponse:
        """Send objects: each is answered for by itself, and what cannot be kept is named with its reason."""
        boundary = _boundary(request.content_type or "")
        run = _Run(self.access)
        with _mapped(request) as body:
            try:
                for part in parts_of(body, boundary):
                    run.take(body, part.start, part.end)
            except Malformed as fault:
                run.broken(fault)
        run.place()
        return told(run.answer(), run.status)


def _boundary(content_type: str) -> str:
    """The boundary between parts.

    Raises
    ------
    NotDicomMessageError
    """
    sent = media_type(content_type)
    if sent.name != "multipart/related" or sent.parameters.get("type", DICOM).lower() != DICOM:
        raise NotDicomMessageError
    return sent.parameters.get("boundary", "")


@contextmanager
def _mapped(request: Request) -> Iterator[bytes | mmap]:
    """The body, on disc."""
    content = cast("dict[str, IO[bytes]]", request.data).get("content")
    if content is None:
        yield b""
        return
    with content:
        content.flush()
        size = content.seek(0, 2)
        if not size:
            yield b""
            return
        with mmap(content.fileno(), 0, access=ACCESS_READ) as body:
            yield body


class _Run:
    """One message: what was kept, and what not."""

    def __init__(self, access: Access) -> None:
        self._subjects = subjects_visible_to(access, UPLOAD)
        self._site = _only_site(access)
        self._actor = access.actor(None, self._site.code if self._site else None)
        self._items: list[InboxItem] = []
        self._kept: list[Json] = []
        self._failed: list[Json] = []

    def take(self, body: bytes | mmap, start: int, end: int) -> None:
        """Keep one object."""
        if end - start > MAX_OBJECT_BYTES:
            self._fail({}, TOO_LARGE)
            return
        content = BytesIO(body[start:end])
        named: Json = {}
        try:
            opening = opening_of(content)
            named = {
                "00081150": {"vr": "UI", "Value": [opening.sop_class]},
                "00081155": {"vr": "UI", "Value": [opening.sop_uid]},
            }
            item = receive_object(
                actor=self._actor,
                content=content,
                origin=Origin.DICOMWEB,
                subjects=self._subjects,
                site=self._site,
            )
        except DicomFault:
            self._fail(named, CANNOT_UNDERSTAND)
        except OSError:
            self._fail(named, OUT_OF_RESOURCES)
        else:
            self._items.append(item)
            self._kept.append(named)

    def broken(self, fault: Malformed) -> None:
        """The message ends early: what came before it is kept and answered for.

        Raises
        ------
        MessageBrokenError
            Nothing came before.
        """
        if not self._kept:
            raise MessageBrokenError(message=fault.message) from fault
        self._fail({}, CANNOT_UNDERSTAND)

    def place(self) -> None:
        """Give what names its visit to it."""
        for batch in place_items(actor=self._actor, items=self._items):
            enqueue(process_batch, batch.pk)

    @property
    def status(self) -> int:
        """200 where all was kept, 202 where some was, 409 where nothing was."""
        if not self._failed:
            return 200
        return 202 if self._kept else 409

    def answer(self) -> Json:
        """The Store Instances Response Module."""
        found: dict[str, Any] = {}
        if self._failed:
            found["00081198"] = {"vr": "SQ", "Value": self._failed}
        if self._kept:
            found["00081199"] = {"vr": "SQ", "Value": self._kept}
        return found

    def _fail(self, named: Json, reason: int) -> None:
        self._failed.append({**named, "00081197": {"vr": "US", "Value": [reason]}})


def _only_site(access: Access) -> Site | None:
    """The site of somebody who sends for one alone; its objects wait in that site's inbox."""
    codes = {site for _, site in access.scopes(UPLOAD)}
    return Site.objects.filter(code=codes.pop()).first() if len(codes) == 1 else None
