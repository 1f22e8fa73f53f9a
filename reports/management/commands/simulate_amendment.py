"""`manage.py simulate_amendment PATH` or `TRIAL LABEL`: what a version would do to the subjects, as JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from foundation.errors import DomainError
from patients.models import Subject
from reports.impact.candidates import candidate_from_pack, candidate_of, compared_with
from reports.impact.simulation import simulate
from trials.models import Trial


class Command(BaseCommand):
    """Try an amendment on the subjects of its trial; nothing is written."""

    help = "What a protocol pack, or a published version, would do to the subjects of its trial, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a folder, or a trial and a label."""
        parser.add_argument("what", help="folder of a pack, or code of a trial")
        parser.add_argument("label", nargs="?", default="", help="label of a published version of that trial")
        parser.add_argument(
            "--site", action="append", default=[], help="code of a site; all where none is given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the document."""
        try:
            candidate = (
                candidate_of(options["what"], options["label"])
                if options["label"]
                else candidate_from_pack(Path(options["what"]))
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        trial = Trial.objects.filter(code=candidate.trial.code).first()
        if trial is None:
            raise CommandError(f"There is no trial {candidate.trial.code} here, so nobody would be affected.")
        subjects = Subject.objects.all()
        if options["site"]:
            subjects = subjects.filter(site__code__in=options["site"])
        impact = simulate(trial, compared_with(trial, candidate), candidate, subjects=subjects)
        self.stdout.write(json.dumps(impact.document, indent=2, ensure_ascii=False))
