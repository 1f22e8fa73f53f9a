"""`manage.py receive_dicom PATH… --subject NUMBER --visit CODE`: files of this machine through the usual door."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.context import service_actor
from foundation.errors import DomainError
from imaging.dicom.intake import list_files
from imaging.models import BatchFile, FileState, Origin
from imaging.selectors.studies import file_counts, files_with_a_reason
from imaging.services import process_batch, receive_files
from imaging.services.names import name_without_names
from patients.models import Subject
from visits.models import Visit
from visits.selectors import get_visit


class Command(BaseCommand):
    """Take files, folders or zip archives for a visit, and tell what became of each."""

    help = "Receive DICOM files, folders or zip archives for a visit of a subject."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the paths, the subject and the visit."""
        parser.add_argument("paths", nargs="+", type=Path, help="files, folders or zip archives")
        parser.add_argument("--subject", required=True, help="number of the subject, such as TDX-001-003")
        parser.add_argument("--visit", required=True, help="code of the visit, such as M4")

    def handle(self, *args: Any, **options: Any) -> None:
        """Receive, process, and tell; fails where no image was accepted."""
        try:
            visit = _visit(options["subject"], options["visit"])
            files = list_files(options["paths"])
            actor = service_actor("receive_dicom")
            batch = receive_files(actor=actor, visit=visit, files=files, origin=Origin.COMMAND)
        except (DomainError, FileNotFoundError) as error:
            raise CommandError(getattr(error, "message", str(error))) from error
        process_batch(batch.pk)
        for file in files_with_a_reason(batch):
            self.stdout.write(f"{file.state}  {_shown(file, files)}  {file.reason}")
        counts = file_counts(batch)
        summary = ", ".join(
            f"{number} {FileState(state).label.lower()}" for state, number in sorted(counts.items())
        )
        self.stdout.write(f"{options['subject']} {visit}: {summary}")
        if not counts.get(FileState.ACCEPTED) and not counts.get(FileState.DUPLICATE):
            raise CommandError("No image was accepted.")


def _shown(file: BatchFile, files: Sequence[tuple[str, Path]]) -> str:
    """The path on this machine, which no row keeps; of a file in an archive, its number there."""
    if file.archive is None:
        return files[file.index][0]
    return f"{files[file.archive.index][0]}, {file.path or name_without_names(file.index, '')}"


def _visit(number: str, code: str) -> Visit:
    subject = Subject.objects.select_related("trial", "site", "version").filter(number=number).first()
    if subject is None:
        raise CommandError(f"There is no subject {number}.")
    try:
        return get_visit(subject, code)
    except DomainError as error:
        raise CommandError(f"{number} has no visit {code}.") from error
