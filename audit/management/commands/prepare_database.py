"""Make the database's roles, and the database, where they are missing."""

from __future__ import annotations

from typing import Any

import psycopg2
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.roles import DERIVED, Roles, prepare

MAINTENANCE_DATABASE = "postgres"


class Command(BaseCommand):
    """Idempotent; `migrate` runs it first. The owner's login needs CREATEROLE and CREATEDB, or has to find all made."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        owner = settings.DATABASES.get("owner")
        if owner is None:
            raise CommandError("This process has no owner's connection (MIGRATION_DATABASE_URL).")
        app = settings.DATABASES["default"]
        login = {key: owner[name] for key, name in LOGIN.items() if owner.get(name)}
        try:
            connection = psycopg2.connect(dbname=MAINTENANCE_DATABASE, **login, **owner.get("OPTIONS", {}))
        except psycopg2.OperationalError as error:
            raise CommandError(f"The owner could not connect: {error}") from error
        try:
            roles = Roles(owner["USER"], app["USER"], app.get("PASSWORD", ""), app.get(DERIVED, False))
            prepare(connection, roles, database=owner["NAME"])
        except psycopg2.Error as error:
            raise CommandError(f"The roles could not be prepared: {error}") from error
        finally:
            connection.close()


LOGIN = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
