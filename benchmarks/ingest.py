"""A CT series taken in (received, de-identified, stored, written down) against reading, hashing and writing its files.

`.venv/bin/python -m benchmarks.ingest [--slices 500] [--rounds 3]`

Both ways work on the same files in the same folder, in turn, in one process; PostgreSQL's share is counted. The frames
that viewers fetch are made from the stored files in a step of their own and are told by themselves: they are a cache.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import resource
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.common import SETUP, Way, app_backend, open_trial, print_ways, scratch_database, screened

# isort: split
import pydicom
from django.core.files.storage import FileSystemStorage, default_storage

from audit.context import acting
from foundation import clock
from imaging.dicom import phantom
from imaging.models import BatchFile, FileState, Instance, Origin
from imaging.services import receive_files
from imaging.services.frames import make_frames
from imaging.services.processing import Run
from patients.models import Subject
from visits.models import Visit

MADE = 8
"""Slices with pixels of their own; the others repeat these under other identifiers and positions."""


def series(folder: Path, slices: int, number: int) -> list[Path]:
    """Files of one series of 512 by 512 pixels, as a scanner would write them."""
    folder.mkdir()
    made = [data for _, data in phantom.series(phantom.Phantom(size=512, slices=MADE, subject=f"B-{number}"))]
    paths = []
    for index in range(slices):
        dataset = pydicom.dcmread(BytesIO(made[index % MADE]))
        dataset.PatientID = f"B-{number}"
        dataset.InstanceNumber = index + 1
        dataset.SOPInstanceUID = f"2.25.{number}{index:06d}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.ImagePositionPatient = [-200, -200, index * 2]
        paths.append(folder / f"IM{index:04d}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def copied(paths: list[Path], folder: Path) -> Callable[[], None]:
    """Read, hash and write every file."""
    rounds = itertools.count()

    def work() -> None:
        place = folder / f"floor-{next(rounds)}"
        place.mkdir()
        for path in paths:
            data = path.read_bytes()
            hashlib.sha256(data).hexdigest()
            (place / path.name).write_bytes(data)

    return work


class Intake:
    """The series of several subjects, taken in one after the other."""

    def __init__(self, series_of: Sequence[tuple[Visit, list[Path]]]) -> None:
        self._series = iter(series_of)
        self.run: Run | None = None

    def work(self) -> None:
        """Receive, de-identify and store one series."""
        visit, paths = next(self._series)
        files = [(path.name, path) for path in paths]
        batch = receive_files(actor=SETUP, visit=visit, files=files, origin=Origin.COMMAND)
        self.run = Run(batch)
        self.run.all_files()
        fates = BatchFile.objects.filter(batch=batch, state=FileState.ACCEPTED).count()
        assert fates == len(files), fates

    def frames(self) -> None:
        """Make what viewers fetch of the series that was taken in last."""
        assert self.run is not None
        images = self.run.images()
        assert make_frames(images) == images.count()


def visits_of(subjects: list[Subject]) -> list[Visit]:
    """A visit for each subject at which images are planned."""
    with acting(SETUP):
        return [
            Visit.objects.update_or_create(
                subject=subject,
                code="BL",
                sequence=1,
                defaults={"ordinal": 1, "happened_on": clock.today() - timedelta(days=1), "state": "DONE"},
            )[0]
            for subject in subjects
        ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    with scratch_database(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        storage: Any = default_storage
        storage._wrapped = FileSystemStorage(location=folder / "files")  # noqa: SLF001
        trial = open_trial("THERMODOX")
        visits = visits_of([screened(trial, f"B-{number}") for number in range(wanted.rounds + 1)])
        sent = [series(folder / f"scanner-{n}", wanted.slices, n + 1) for n in range(len(visits))]
        paths = sent[0]
        size = sum(path.stat().st_size for path in paths)
        print(f"{len(paths)} slices, {size / 1e6:.0f} MB")
        intake = Intake(list(zip(visits, sent, strict=True)))
        ways = [
            Way("read, hash and write", copied(paths, folder), app_backend),
            Way("receive, de-identify, store", intake.work, app_backend),
            Way("make frames for viewers", intake.frames, app_backend),
        ]
        for way in ways:
            way.work()
        for _ in range(wanted.rounds):
            for way in ways:
                way.round(1)
        print_ways(ways)
        print(f"{Instance.objects.count()} images kept; a slice:")
        for way in ways:
            least = min(cost.processor for cost in way.costs)
            print(f"  {way.name:32}{least / len(paths):6.2f} ms of processor time")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
