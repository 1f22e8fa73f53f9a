"""Check that nobody has altered the trail, its seals or what was signed; in the database, or in a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.bundle.verify import Count, NoBundle, bundle_faults, read_anchors, summary
from audit.services import every_fault


class Command(BaseCommand):
    """Exit 1 and the first broken place where there is one."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bundle", type=Path, help="check this bundle instead of the database")
        parser.add_argument(
            "--anchors",
            type=Path,
            help="folder of anchors that was kept elsewhere; without it those in the storage (none for a bundle)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count = Count()
        try:
            anchors = read_anchors([options["anchors"]]) if options["anchors"] else None
            if options["bundle"]:
                fault = next(
                    (str(each) for each in bundle_faults(options["bundle"], anchors or [], count)), None
                )
            else:
                fault = next(every_fault(count, anchors), None)
        except NoBundle as error:
            raise CommandError(str(error), returncode=2) from error
        if fault:
            raise CommandError(f"The trail was altered. First broken place: {fault}", returncode=1)
        self.stdout.write(summary(count))
