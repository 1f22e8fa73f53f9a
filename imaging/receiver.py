"""The DICOM receiver: takes what a site's scanner or archive sends by C-STORE, and gives it to its visit.

One receiver serves one site, so the sender needs no account: it is let in by its name (AE title), its network, and
where a certificate is asked for, by that. "Success" is answered only once the object is on disk and in the database.

References
----------
.. [1] DICOM PS3.4 2026c, Annex B "Storage Service Class", table B.2-1 (status codes).
.. [2] DICOM PS3.15 2026c, Annex B.12 "Secure Transport Connection Profiles".
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from django.db import close_old_connections, connections
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, _config, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from audit.context import Actor, origin, service_actor
from foundation.tasks import enqueue
from imaging.dicom.errors import DicomFault
from imaging.models import InboxItem, Origin
from imaging.services import place_items, receive_object
from imaging.tasks import process_batch
from patients.models import Subject
from trials.models import Site

logger = logging.getLogger(__name__)

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
NETWORK_TIMEOUT = 120
ACSE_TIMEOUT = 30


@dataclass(frozen=True)
class Listening:
    """Where a receiver listens, and whom it lets in.

    Attributes
    ----------
    senders
        AE titles that may send; nobody else is let in.
    certificate, key, authority
        Files in PEM: our certificate and its key for TLS, and the authority whose certificates senders must show.
    """

    title: str
    host: str
    port: int
    senders: Sequence[str]
    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None

    def tls(self) -> ssl.SSLContext | None:
        """How to speak TLS; None for a plain connection.

        Raises
        ------
        OSError
            A file is not there, or is no certificate (`ssl.SSLError`).
        """
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        context.verify_mode = ssl.CERT_REQUIRED if self.authority else ssl.CERT_NONE
        return context


@dataclass
class Receiver:
    """Takes objects for one site; each association is a thread of its own."""

    site: Site
    listening: Listening
    _entity: AE | None = None
    _open: dict[int, list[int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def start(self) -> int:
        """Listen in the background until `stop`.

        Returns
        -------
        int
            The port, which the system chose where 0 was asked for.

        Raises
        ------
        OSError
            The port is taken, or a certificate cannot be read.
        """
        _config.STORE_RECV_CHUNKED_DATASET = True  # large objects go to the disc, not to memory
        entity = AE(ae_title=self.listening.title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(self.listening.senders)
        entity.maximum_pdu_size = 0
        entity.network_timeout, entity.acse_timeout = NETWORK_TIMEOUT, ACSE_TIMEOUT
        entity.add_supported_context(Verification)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)  # type: ignore[arg-type]
        server: Any = entity.start_server(
            (self.listening.host, self.listening.port),
            block=False,
            ssl_context=self.listening.tls(),
            evt_handlers=[
                (evt.EVT_C_ECHO, lambda _: SUCCESS),
                (evt.EVT_C_STORE, self._store),
                (evt.EVT_RELEASED, self._released),
                (evt.EVT_ABORTED, self._broken_off),
            ],
        )
        self._entity = entity
        return int(server.server_address[1])

    def stop(self) -> None:
        """Listen no more, and end what is under way; objects that were answered for are kept."""
        if self._entity is None:
            return
        under_way = self._entity.active_associations
        self._entity.shutdown()
        for association in under_way:
            association.join(NETWORK_TIMEOUT)

    def _store(self, event: Event) -> int:
        """Keep one object; the answer tells the sender whether it may forget it.

        pynetdicom logs any other error and answers with a failure, so that the sender keeps the object.
        """
        close_old_connections()
        sender = _sender(event)
        try:
            with origin("dicom"), event.dataset_path.open("rb") as content:
                item = receive_object(
                    actor=self._actor(sender),
                    content=content,
                    origin=Origin.DICOM,
                    subjects=Subject.objects.filter(site=self.site),
                    site=self.site,
                )
        except DicomFault as fault:
            logger.warning("Refused an object from %s: %s", sender, fault.message)
            return CANNOT_UNDERSTAND
        except OSError:
            logger.exception("The storage did not take an object from %s", sender)
            return OUT_OF_RESOURCES
        with self._lock:
            self._open.setdefault(id(event.assoc), []).append(item.pk)
        return SUCCESS

    def _released(self, event: Event) -> None:
        """The sender is done: what it sent goes to its visits; where that fails, they wait for the next sweep."""
        kept = self._taken_from(event)
        try:
            if kept:
                self._place(_sender(event), kept)
        finally:
            connections.close_all()

    def _place(self, sender: str, kept: Sequence[int]) -> None:
        with origin("dicom"):
            items = InboxItem.objects.select_related("site").filter(pk__in=kept)
            batches = place_items(actor=self._actor(sender), items=items)
        for batch in batches:
            enqueue(process_batch, batch.pk)
        logger.info("%s objects from %s, for %s visits", len(kept), sender, len(batches))

    def _broken_off(self, event: Event) -> None:
        """The connection broke: what came is kept, and the sweep places it if nothing more comes."""
        kept = self._taken_from(event)
        logger.warning("%s broke off after %s objects; they are kept", _sender(event), len(kept))
        connections.close_all()

    def _taken_from(self, event: Event) -> list[int]:
        with self._lock:
            return self._open.pop(id(event.assoc), [])

    def _actor(self, sender: str) -> Actor:
        return service_actor(f"DICOM receiver {self.site.code}, {sender}")


def _sender(event: Event) -> str:
    """AE title of who sends, for the record."""
    title: Any = event.assoc.requestor.ae_title
    return str(title).strip()
