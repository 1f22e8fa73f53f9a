"""Check that nobody has altered the trail, its seals or what was signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.registry import registered_checks
from audit.services import read_anchors
from audit.verification import Count, anchor_faults, faults


class Command(BaseCommand):
    """Exit 1 and the first broken place where there is one."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchors",
            type=Path,
            help="folder of anchors that was kept elsewhere; without it those in the storage",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count = Count()
        for fault in _all_faults(count, options["anchors"]):
            raise CommandError(f"The trail was altered. First broken place: {fault}", returncode=1)
        self.stdout.write(
            f"The trail is intact: {count.events} events, {count.seals} seals, {count.unsealed} events not sealed yet."
        )


def _all_faults(count: Count, folder: Path | None) -> Iterator[str]:
    yield from map(str, faults(count))
    yield from map(str, anchor_faults(_anchors_in(folder) if folder else read_anchors()))
    for check in registered_checks().values():
        yield from check()


def _anchors_in(folder: Path) -> Iterator[tuple[int, str]]:
    for path in sorted(folder.glob("*.json")):
        anchor = json.loads(path.read_text())
        yield anchor["seal"], anchor["digest"]
