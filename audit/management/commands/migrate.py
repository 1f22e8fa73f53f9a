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

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Before the system checks already, which ask the database."""
        if options["database"] == "owner" and not _is_embedded():
            call_command("prepare_database")
        return super().execute(*args, **options)


def _is_embedded() -> bool:
    """The embedded server sees to its roles and its database when it starts."""
    engine: str = connections["owner"].settings_dict["ENGINE"]
    return engine.endswith("embedded.postgresql")
