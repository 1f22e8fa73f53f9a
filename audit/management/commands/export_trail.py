"""Write the whole trail, with its seals and signatures, into a bundle that anybody can check without Hilum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.bundle.writing import WHOLE, bundle
from audit.context import service_actor
from audit.services import record_bundle


class Command(BaseCommand):
    """Refuses to write over a file."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        with path.open("xb") as out:
            record_bundle(actor=service_actor("operator"), whole=True)
            for block in bundle(WHOLE, "operator"):
                out.write(block)
        self.stdout.write(f"{path}: check it with python verify.py {path.name}, which is inside.")
