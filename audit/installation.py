"""Puts the trail into the database after every migration, as the owner of the tables; idempotent."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql as compose

from audit import sql
from audit.roles import TRAIL_OWNER
from audit.tables import Tracked, tracked_tables

TRIGGER = "zz_hilum_trail"
NO_TRUNCATE = "zz_hilum_no_truncate"
APPEND_ONLY: set[str] = set()
TRAIL = ("audit_event", "audit_seal")
FUNCTIONS = (
    (sql.CHANGES, "hilum_changes(jsonb, jsonb, boolean)"),
    (sql.CANONICAL, "hilum_canonical(public.audit_event)"),
    (sql.TRACK, "hilum_track()"),
    (sql.SEAL, "hilum_seal()"),
)


def append_only(table: str) -> None:
    """The application may add rows to this table and read them, never change or remove one.

    Held twice: the application's role has no right to do it, and a trigger refuses it to everybody. Called by the room
    that has the table, in its `AppConfig.ready`.
    """
    APPEND_ONLY.add(table)


def install(*, using: str, **_: Any) -> None:
    """Functions, privileges and triggers. Receiver of `post_migrate`.

    Parameters
    ----------
    using
        Alias of the owner's connection.
    """
    with connections[using].cursor() as cursor:
        _install_trail(cursor)
        present = set(connections[using].introspection.table_names(cursor))
        for tracked in tracked_tables():
            if tracked.table in present:  # a migration can stop half-way
                _track(cursor, tracked)
        _grant(cursor, settings.DATABASES["default"]["USER"], present)


def _install_trail(cursor: CursorWrapper) -> None:
    _run(cursor, "GRANT USAGE, CREATE ON SCHEMA public TO {}", TRAIL_OWNER)
    _run(cursor, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    cursor.execute(sql.REFUSE)
    for table in TRAIL:
        _run(cursor, "ALTER TABLE {} OWNER TO {}", table, TRAIL_OWNER)
        _refuse(
            cursor, table, "zz_hilum_sealed", "UPDATE OR DELETE", "ROW", "The audit trail is append-only."
        )
        _refuse(cursor, table, NO_TRUNCATE, "TRUNCATE", "STATEMENT", "The audit trail is append-only.")
    for statement, signature in FUNCTIONS:
        cursor.execute(statement)
        cursor.execute(f"ALTER FUNCTION public.{signature} OWNER TO {TRAIL_OWNER}")
        cursor.execute(f"REVOKE ALL ON FUNCTION public.{signature} FROM PUBLIC")


def _track(cursor: CursorWrapper, tracked: Tracked) -> None:
    trigger = (
        "CREATE OR REPLACE TRIGGER {} AFTER INSERT OR UPDATE OR DELETE ON {}"
        " FOR EACH ROW EXECUTE FUNCTION public.hilum_track({}, {}, {})"
    )
    arguments = [compose.Literal(each) for each in (tracked.key, tracked.subject, ",".join(tracked.masked))]
    cursor.execute(
        compose.SQL(trigger).format(
            compose.Identifier(TRIGGER), compose.Identifier(tracked.table), *arguments
        )
    )
    _refuse(
        cursor,
        tracked.table,
        NO_TRUNCATE,
        "TRUNCATE",
        "STATEMENT",
        "A table in the audit trail is not truncated.",
    )


def _refuse(cursor: CursorWrapper, table: str, name: str, event: str, each: str, message: str) -> None:
    trigger = "CREATE OR REPLACE TRIGGER {} BEFORE " + event + " ON {} FOR EACH " + each
    function = " EXECUTE FUNCTION public.hilum_refuse({})"
    names = (compose.Identifier(name), compose.Identifier(table), compose.Literal(message))
    cursor.execute(compose.SQL(trigger + function).format(*names))


def _grant(cursor: CursorWrapper, app: str, present: set[str]) -> None:
    _run(cursor, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", TRAIL_OWNER)  # to find a row's subject
    _run(cursor, "GRANT USAGE ON SCHEMA public TO {}", app)
    _run(cursor, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}", app)
    _run(cursor, "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}", app)
    for table in TRAIL:
        _run(cursor, "REVOKE ALL ON {} FROM {}", table, app)
        _run(cursor, "GRANT SELECT ON {} TO {}", table, app)
        _run(cursor, "REVOKE ALL ON SEQUENCE {} FROM {}", f"{table}_id_seq", app)
    for table in sorted(APPEND_ONLY & present):
        _run(cursor, "REVOKE UPDATE, DELETE ON {} FROM {}", table, app)
        _refuse(
            cursor, table, "zz_hilum_append_only", "UPDATE OR DELETE", "ROW", "This row is never changed."
        )
    _run(cursor, "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}", app)
    _run(cursor, "GRANT EXECUTE ON FUNCTION hilum_seal() TO {}", app)


def _run(cursor: CursorWrapper, template: str, *names: str) -> None:
    cursor.execute(compose.SQL(template).format(*map(compose.Identifier, names)))
