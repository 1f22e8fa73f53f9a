"""The three roles in the database, and what each may do.

*owner* (the migrator) owns the tables; `migrate` and the tests' set-up connect as it. *app* reads and writes rows;
web, workers and commands connect as it, and it has no rights over the trail but to read it. *hilum_audit* owns the
trail and the functions that write it; nobody can log in as it. A role in one cluster serves all its databases.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2 import extensions, sql

TRAIL_OWNER = "hilum_audit"
DERIVED = "DERIVED"  # key in DATABASES: the application's login is ours, its password made from SECRET_KEY
ROLE = "SELECT 1 FROM pg_roles WHERE rolname = %s"
DATABASE = "SELECT 1 FROM pg_database WHERE datname = %s"
MEMBER = f"SELECT 1 WHERE pg_has_role(%s, '{TRAIL_OWNER}', 'usage')"
_LOCK = 0x48494C55  # "HILU": one preparation at a time in a cluster


@dataclass(frozen=True)
class Roles:
    """Names of the roles.

    Parameters
    ----------
    owner, app
        Names of the logins.
    app_password
        Password of the application's login, where it needs one.
    renew_password
        Whether a login that is there already gets this password too: it is ours, and follows the secret key.
    """

    owner: str
    app: str
    app_password: str = ""
    renew_password: bool = False


def prepare(connection: extensions.connection, roles: Roles, *, database: str) -> None:
    """Make the roles and the database where they are missing; whatever is there already stays as it is.

    Parameters
    ----------
    connection
        Of a superuser, or of a role with CREATEROLE and CREATEDB. Put into autocommit.
    roles
        The names. `roles.owner` is made only where it does not exist.
    database
        Made with UTF-8 and owned by the owner.
    """
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            _make_roles(cursor, roles)
            if not _exists(cursor, DATABASE, database):
                _run(
                    cursor,
                    "CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0",
                    database,
                    roles.owner,
                )
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _make_roles(cursor: extensions.cursor, roles: Roles) -> None:
    if not _exists(cursor, ROLE, roles.owner):
        _run(cursor, "CREATE ROLE {} LOGIN CREATEDB", roles.owner)
    if not _exists(cursor, ROLE, TRAIL_OWNER):
        _run(cursor, "CREATE ROLE {} NOLOGIN", TRAIL_OWNER)
    if not _exists(cursor, ROLE, roles.app):
        _run(cursor, "CREATE ROLE {} LOGIN", roles.app)
        _set_password(cursor, roles)
    elif roles.renew_password:
        _set_password(cursor, roles)
    if not _exists(cursor, MEMBER, roles.owner):
        _run(cursor, "GRANT {} TO {}", TRAIL_OWNER, roles.owner)


def _set_password(cursor: extensions.cursor, roles: Roles) -> None:
    if roles.app_password:
        statement = sql.SQL("ALTER ROLE {} PASSWORD %s").format(sql.Identifier(roles.app))
        cursor.execute(statement, [roles.app_password])


def _exists(cursor: extensions.cursor, query: str, value: str) -> bool:
    cursor.execute(query, [value])
    return cursor.fetchone() is not None


def _run(cursor: extensions.cursor, template: str, *names: str) -> None:
    cursor.execute(sql.SQL(template).format(*map(sql.Identifier, names)))
