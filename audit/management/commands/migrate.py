"""Django's `migrate`, as the role that owns the tables."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    """Connects as the owner unless told otherwise; the application's role may not change a table."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        if "owner" in settings.DATABASES:
            parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] == "owner" and not _reachable():
            call_command("prepare_database")
        super().handle(*args, **options)


def _reachable() -> bool:
    """Whether the owner and the application can both log in; the embedded server sees to that when it starts."""
    return all(connections[alias].settings_dict["ENGINE"].endswith("embedded.postgresql") for alias in ("owner", "default"))
