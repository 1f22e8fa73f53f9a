"""`manage.py check_protocol PATH`: every fault of a pack with file and line."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from trials.packs import load_pack
from trials.schema import Protocol


class Command(BaseCommand):
    """Check a protocol pack; needs no database. Exit status 1 if there is any fault."""

    help = "Check a protocol pack: every fault with file and line."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder of the pack."""
        parser.add_argument("path", type=Path, help="folder of the pack")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the faults, or what the pack holds."""
        protocol, faults = load_pack(options["path"])
        for fault in faults:
            self.stdout.write(str(fault))
        if protocol is None or faults:
            self.stdout.write(f"{len(faults)} fault{'' if len(faults) == 1 else 's'}")
            sys.exit(1)
        self.stdout.write(f"no faults: {summary(protocol)}")


def summary(protocol: Protocol) -> str:
    """Return what a protocol holds, in numbers."""
    items = sum(len(form.items) for form in protocol.forms)
    checks = sum(len(form.checks) for form in protocol.forms)
    counts = (
        f"{protocol.trial.code} {protocol.version.label}",
        f"{len(protocol.visits)} visits",
        f"{len(protocol.forms)} forms with {items} items and {checks} checks",
        f"{len(protocol.facts)} facts",
        f"{len(protocol.criteria)} criteria in {len(protocol.sets)} sets",
        f"{len(protocol.timing)} timing rules",
        f"{len(protocol.endpoints)} endpoints",
        f"sha256 {protocol.sha256}",
    )
    return ", ".join(counts)
