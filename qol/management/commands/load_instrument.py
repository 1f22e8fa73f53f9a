"""`manage.py load_instrument FILE --trial T`: the licensed wording of a questionnaire."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.context import service_actor
from foundation.errors import DomainError
from qol.instrument_file import read_instrument_file
from qol.services import load_instrument
from trials.models import Trial


class Command(BaseCommand):
    """Load the wording that a licence holder supplies; nothing is loaded without a licence reference."""

    help = "Load the licensed wording of a questionnaire (JSON or YAML) for a trial."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file and the trial."""
        parser.add_argument("file", type=Path, help="JSON or YAML, as in docs/questionnaires.md")
        parser.add_argument("--trial", required=True, help="code of the trial")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say what is new."""
        trial = Trial.objects.filter(code=options["trial"]).first()
        if trial is None:
            raise CommandError(f"There is no trial {options['trial']}.")
        try:
            content = read_instrument_file(options["file"])
            loaded = load_instrument(actor=service_actor("load_instrument"), trial=trial, content=content)
        except DomainError as error:
            raise CommandError(error.message) from error
        for language, version in sorted(loaded.versions.items()):
            state = "new" if language in loaded.new else "unchanged"
            self.stdout.write(f"{loaded.licence}, {language}: version {version}, {state}")
