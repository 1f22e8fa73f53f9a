"""Scans of the demonstration: phantoms, sent through the same door as a site's."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from audit.context import Actor
from imaging.dicom.phantom import Person, Phantom, series
from imaging.models import Batch, Origin
from imaging.services import receive_files
from patients.models import Subject
from visits.models import Visit

SIZE, SLICES = 192, 25


def send_scan(actor: Actor, subject: Subject, visit: Visit, on: date) -> Batch:
    """Send a phantom CT of one visit; a worker de-identifies it and asks for the read."""
    phantom = Phantom(
        subject=subject.number, study_date=on, size=SIZE, slices=SLICES, thickness_mm=5.0,
        person=Person(record=f"MRN-{subject.number}"),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        return receive_files(
            actor=actor, visit=visit, files=_written(phantom, Path(folder)), origin=Origin.COMMAND
        )


def _written(phantom: Phantom, folder: Path) -> Sequence[tuple[str, Path]]:
    files = []
    for name, content in series(phantom):
        path = folder / Path(name).name
        path.write_bytes(content)
        files.append((name, path))
    return files
