"""`export TRIAL --format csv --out DIR [--as-of T] [--site S]`: the same export as in the browser."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from foundation import clock
from reports.exports.frame import Wanted
from reports.exports.odm.package import NAME, write_odm_file
from reports.exports.package import write_export
from reports.services import FORMATS
from trials.models import Trial
from trials.selectors import sites_of


class Command(BaseCommand):
    """Writes an export into a folder."""

    help = "Write a trial's data, codelists, data dictionary and manifest into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("trial", help="code of the trial, such as THERMODOX")
        parser.add_argument("--format", default="csv", help=f"comma-separated; known: {', '.join(FORMATS)}")
        parser.add_argument("--out", type=Path, required=True, help="folder; made if it is not there")
        parser.add_argument("--as-of", type=_moment, help="ISO 8601 date and time; without offset, UTC")
        parser.add_argument("--subject", default="", help="number of the only subject, of ODM")
        parser.add_argument("--site", action="append", default=[], help="code of a site; may be given again")

    def handle(self, *args: Any, **options: Any) -> None:
        trial = Trial.objects.filter(code=options["trial"]).first()
        if trial is None:
            known = ", ".join(Trial.objects.values_list("code", flat=True)) or "none"
            raise CommandError(f"There is no trial {options['trial']}. Known: {known}.")
        for name in options["format"].split(","):
            if name not in FORMATS:
                raise CommandError(f"“{name}” is not a format of export. Known: {', '.join(FORMATS)}.")
        if options["subject"] and options["format"] != "odm":
            raise CommandError("One subject by itself is exported as ODM only.")
        sites = tuple(options["site"])
        unknown = set(sites) - set(sites_of(trial).values_list("code", flat=True))
        if unknown:
            raise CommandError(f"{', '.join(sorted(unknown))} is no site of {trial.code}.")
        folder: Path = options["out"]
        folder.mkdir(parents=True, exist_ok=True)
        wanted = Wanted(trial, sites, options["as_of"], options["subject"])
        for each in _written(wanted, folder, options["format"].split(",")):
            self.stdout.write(f"{each['name']}: {each['rows']} rows, sha256 {each['sha256'][:16]}…")


def _written(wanted: Wanted, folder: Path, formats: list[str]) -> Iterator[dict[str, Any]]:
    if "odm" in formats:
        with (folder / NAME).open("wb") as out:
            yield asdict(write_odm_file(wanted, out)[0])
    if "csv" in formats:
        yield from write_export(wanted, lambda name: _file(folder / name), by="command line")["files"]


@contextmanager
def _file(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as out:
        yield out


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > clock.now():
        raise ValueError("the moment is in the future")
    return moment
