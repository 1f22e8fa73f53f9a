"""`manage.py publish_protocol PATH [--effective DATE]`: an immutable version in the database."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.context import service_actor
from foundation.errors import DomainError
from trials.errors import PackHasFaults
from trials.services import publish_protocol


class Command(BaseCommand):
    """Publish a protocol pack; the same content twice is one version."""

    help = "Make an immutable version of a protocol pack; the same content twice is one version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder of the pack and the first day in force."""
        parser.add_argument("path", type=Path, help="folder of the pack")
        parser.add_argument("--effective", type=date.fromisoformat, help="first day in force, as 2025-03-04")

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish, and say what was published."""
        actor = service_actor("publish_protocol")
        try:
            version = publish_protocol(actor=actor, pack=options["path"], effective=options["effective"])
        except PackHasFaults as error:
            for fault in error.data["faults"]:
                self.stderr.write(str(fault))
            raise CommandError(error.message) from error
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{version.trial.code} {version.label}, in force from {version.effective_from}, {version.sha256}"
        )
