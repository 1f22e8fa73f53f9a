"""Where PostgreSQL is, and as which role each process connects.

Two connections are configured. `default` is the application: rows only, no rights over the trail. `owner` is the
migrator: it owns the tables, and only `migrate`, `prepare_database` and the tests' set-up use it (`audit.roles`).

| environment | owner | application |
|---|---|---|
| nothing | `hilum_owner` of the embedded server | `hilum_app` of the embedded server |
| `DATABASE_URL` | that login | `<database>_app`, password derived from `SECRET_KEY` |
| `DATABASE_URL` and `MIGRATION_DATABASE_URL` | the login of `MIGRATION_DATABASE_URL` | the login of `DATABASE_URL` |

A web process in production needs no owner at all: give it the application's `DATABASE_URL` and
`MIGRATION_DATABASE_URL=none`, and the owner's only to the process that migrates.
"""

from __future__ import annotations

import hmac
from functools import cache
from typing import Any
from urllib.parse import unquote

import environ
import psycopg2

from audit import roles
from config import environment
from config.embedded.postgres import SUPERUSER, Postgres, embedded_postgres

EMBEDDED = roles.Roles(owner="hilum_owner", app="hilum_app")
EMBEDDED_DATABASE = "hilum"
EMBEDDED_ENGINE = "config.embedded.postgresql"
ENGINE = "django.db.backends.postgresql"
NO_OWNER = "none"


def databases(secret_key: str) -> dict[str, dict[str, Any]]:
    """Django's `DATABASES`.

    Parameters
    ----------
    secret_key
        The installation's secret; the application's password is derived from it where only the owner's is known.
    """
    configured = {"default": connection_settings(secret_key)}
    owner = owner_settings()
    if owner is not None:
        configured["owner"] = owner
    return configured


def connection_settings(secret_key: str) -> dict[str, Any]:
    """Settings of the application's connection."""
    url = environment.text("DATABASE_URL")
    if not url:
        return _embedded(EMBEDDED.app)
    parsed = _parsed(url)
    if not environment.text("MIGRATION_DATABASE_URL"):
        parsed["USER"] = f"{parsed['NAME']}_app"
        parsed["PASSWORD"] = derived_password(secret_key)
        parsed[roles.DERIVED] = True
    return parsed


def owner_settings() -> dict[str, Any] | None:
    """Settings of the migrator's connection, or None where this process must not have one."""
    url = environment.text("DATABASE_URL")
    if not url:
        return _embedded(EMBEDDED.owner)
    migration = environment.text("MIGRATION_DATABASE_URL")
    if migration == NO_OWNER:
        return None
    return _parsed(migration or url)


def derived_password(secret_key: str) -> str:
    """Password of the application's role, known to whoever knows the secret key (64 hexadecimal digits)."""
    return hmac.new(secret_key.encode(), b"hilum application database role", "sha256").hexdigest()


@cache
def start_embedded() -> None:
    """Start the embedded server for this process, and see to its roles and its database.

    Raises
    ------
    config.embedded.postgres.PostgresFailed
        The server did not start; the message ends with its log.
    """
    server = _server()
    server.start()
    connection = psycopg2.connect(**superuser_dsn())
    try:
        roles.prepare(connection, EMBEDDED, database=EMBEDDED_DATABASE)
    finally:
        connection.close()


def superuser_dsn(database: str = "postgres") -> dict[str, Any]:
    """Arguments for a connection of the embedded cluster's superuser: for roles, and tests that play the attacker."""
    return {"host": str(_server().sockets), "user": SUPERUSER, "dbname": database}


@cache
def _server() -> Postgres:
    return embedded_postgres(environment.data_folder())


def _embedded(role: str) -> dict[str, Any]:
    where = str(_server().sockets)
    return _settings(
        ENGINE=EMBEDDED_ENGINE, NAME=EMBEDDED_DATABASE, USER=role, PASSWORD="", HOST=where, PORT=""
    )


def _parsed(url: str) -> dict[str, Any]:
    parsed = environ.Env.db_url_config(url)
    host = unquote(parsed.get("HOST") or "")  # the folder of a socket has its slashes quoted
    return _settings(**{**parsed, "ENGINE": ENGINE, "HOST": host})


def _settings(**given: Any) -> dict[str, Any]:
    return {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # PgBouncer in transaction mode keeps none of them
        **given,
    }
