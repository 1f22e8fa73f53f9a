"""Three roles in the database, made where they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from audit.roles import Roles, prepare
from config import database, environment

NAMES = Roles(owner="hilum_t_owner", app="hilum_t_app", app_password="first", renew_password=True)


@pytest.fixture
def cluster(superuser: Any) -> Iterator[Any]:
    """The superuser's cursor; what the test made is gone afterwards."""
    yield superuser
    superuser.execute("DROP DATABASE IF EXISTS hilum_t")
    for name in (NAMES.owner, NAMES.app):
        superuser.execute(f"DROP ROLE IF EXISTS {name}")


def password_of(cluster: Any) -> str:
    cluster.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [NAMES.app])
    return str(cluster.fetchone()[0])


def test_roles_and_database_are_made_once(cluster: Any) -> None:
    for _ in range(2):
        prepare(cluster.connection, NAMES, database="hilum_t")
    cluster.execute(
        "SELECT rolcanlogin, rolcreatedb, rolsuper FROM pg_roles WHERE rolname LIKE 'hilum_t_%' ORDER BY rolname"
    )
    assert cluster.fetchall() == [(True, False, False), (True, True, False)]
    cluster.execute(
        "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'hilum_t'"
    )
    assert cluster.fetchone() == (NAMES.owner, "UTF8")
    cluster.execute("SELECT pg_has_role(%s, 'hilum_audit', 'member')", [NAMES.app])
    assert cluster.fetchone() == (False,)
    cluster.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'hilum_audit'")
    assert cluster.fetchone() == (False,)


@pytest.mark.parametrize("renew", [True, False])
def test_a_password_of_our_own_follows_the_secret_key(cluster: Any, renew: bool) -> None:
    prepare(cluster.connection, NAMES, database="hilum_t")
    before = password_of(cluster)
    prepare(cluster.connection, Roles(NAMES.owner, NAMES.app, "second", renew), database="hilum_t")
    assert (password_of(cluster) != before) is renew


URL = "postgres://boss:secret@db.example:5433/study?sslmode=verify-full"
MIGRATOR = "postgres://migrator:m@db.example/study"


@pytest.mark.parametrize(
    ("url", "migration", "app", "owner"),
    [
        ("", "", "hilum_app", "hilum_owner"),
        (URL, "", "study_app", "boss"),
        (URL, MIGRATOR, "boss", "migrator"),
        (URL, "none", "boss", None),
    ],
)
def test_who_connects_as_whom(
    monkeypatch: pytest.MonkeyPatch, url: str, migration: str, app: str, owner: str | None
) -> None:
    given = {"DATABASE_URL": url, "MIGRATION_DATABASE_URL": migration}
    monkeypatch.setattr(environment, "text", lambda name, default="": given.get(name, default))
    configured = database.databases("secret")
    assert configured["default"]["USER"] == app
    assert configured.get("owner", {}).get("USER") == owner
    if url:
        assert configured["default"]["HOST"] == "db.example"
        assert configured["default"]["OPTIONS"]["sslmode"] == "verify-full"


def test_the_applications_password_is_known_to_who_knows_the_secret_only() -> None:
    assert database.derived_password("a") == database.derived_password("a")
    assert database.derived_password("a") != database.derived_password("b")


def test_a_process_without_the_owners_connection_prepares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(settings.DATABASES, "owner")
    with pytest.raises(CommandError, match="no owner"):
        call_command("prepare_database", stdout=StringIO())


@pytest.mark.django_db
def test_preparing_again_changes_nothing() -> None:
    call_command("prepare_database")


@pytest.mark.django_db
def test_an_owner_who_cannot_connect_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["owner"], "USER", "nobody_at_all")
    with pytest.raises(CommandError, match="could not connect"):
        call_command("prepare_database")


def test_the_superusers_login_is_the_embedded_ones() -> None:
    assert psycopg2.extensions.make_dsn(**database.superuser_dsn()).startswith("host=/")
