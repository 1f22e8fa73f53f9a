"""A subject with visits, and images sent for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import default_storage

from audit.context import acting
from casebook.models import Entry
from imaging.dicom import phantom
from imaging.models import Batch, Read
from imaging.services import finish_batch, process_batch, receive_file, start_batch
from imaging.services.receiving import Announced
from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.imaging.dicom_files import small_phantom
from trials.models import Site
from visits.models import Visit, VisitState

PROCEDURE = date(2025, 2, 3)
VISITS = (("BL", date(2025, 1, 20)), ("P1", PROCEDURE), ("M1", date(2025, 3, 4)), ("M4", date(2025, 6, 3)))


@dataclass
class Desk:
    """A ThermoDox subject with three scans to come, two lesions, and hands to send images."""

    cast: Cast
    subject: Subject
    visits: dict[str, Visit]
    committing: Callable[[], Any]
    sent: list[Batch] = field(default_factory=list)

    def slices(self, visit: str = "M1", **changes: Any) -> dict[str, bytes]:
        """Files of a phantom as the scanner would have made them at a visit."""
        day = self.visits[visit].happened_on or date(2025, 3, 4)
        changes = {"subject": self.subject.number, "study_date": day, **changes}
        return dict(phantom.series(small_phantom(**changes)))

    def send(self, files: dict[str, bytes], visit: str = "M1", *, role: str = "coordinator") -> Batch:
        """Send files for a visit and let the worker do its work."""
        batch = self.deliver(files, visit, role=role)
        with self.committing():
            process_batch(batch.pk)
        batch.refresh_from_db()
        self.sent.append(batch)
        return batch

    def deliver(self, files: dict[str, bytes], visit: str = "M1", *, role: str = "coordinator") -> Batch:
        """Send files for a visit; no worker yet."""
        actor = self.cast.actor(role)
        announced = [Announced(path, len(data)) for path, data in files.items()]
        batch, missing = start_batch(actor=actor, visit=self.visits[visit], files=announced)
        for index in missing:
            data = list(files.values())[index]
            receive_file(actor=actor, batch=batch, index=index, content=BytesIO(data), size=len(data))
        return finish_batch(actor=actor, batch=batch)

    def read(self, visit: str = "M1") -> Read:
        """The latest read of a visit."""
        return (
            Read.objects.select_related("visit", "subject__version", "reader")
            .filter(visit=self.visits[visit])
            .latest("version")
        )


@pytest.fixture
def desk(cast: Cast, django_capture_on_commit_callbacks: Any) -> Desk:
    """A subject after its first procedure, without images yet."""
    return desk_of(cast, lambda: django_capture_on_commit_callbacks(execute=True))


def desk_of(cast: Cast, committing: Callable[[], Any], site: Site | None = None) -> Desk:
    """One more subject after its first procedure."""
    subject = cast.subject("THERMODOX", site)
    codes = [plan.code for plan in subject.version.protocol.visits]
    with acting(SETUP):
        visits = {}
        for code, day in VISITS:
            planned = {
                "ordinal": codes.index(code),
                "happened_on": day,
                "target": day,
                "state": VisitState.DONE,
            }
            visits[code], _ = Visit.objects.update_or_create(
                subject=subject, code=code, sequence=1, defaults=planned
            )
        for name, place in (("T01", "LIVER"), ("T02", "LIVER")):
            Entry.objects.create(
                subject=subject,
                visit=visits["BL"],
                form="TU",
                repeat=int(name[1:]),
                values={
                    "TULNKID": {"value": name},
                    "TULOC": {"value": place},
                    "TUSEG": {"value": ["V", "VI"]},
                    "TUORRES": {"value": "TARGET"},
                },
            )
    return Desk(cast, subject, visits, committing)


@pytest.fixture(autouse=True)
def _empty_storage() -> Iterator[None]:
    """Files in memory do not outlive a test."""
    yield
    inner: Any = default_storage
    if hasattr(inner, "_root"):
        inner._root._children.clear()


def stored_names(folder: str = "") -> Iterator[str]:
    """Every name in the storage."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        yield f"{folder}/{name}".lstrip("/")
    for name in folders:
        yield from stored_names(f"{folder}/{name}".lstrip("/"))


@pytest.fixture
def stored() -> Callable[[], dict[str, bytes]]:
    """Everything that lies in the storage, by name."""

    def look() -> dict[str, bytes]:
        found = {}
        for name in stored_names():
            with default_storage.open(name) as file:
                found[name] = file.read()
        return found

    return look
