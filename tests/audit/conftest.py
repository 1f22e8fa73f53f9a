"""A table of the tests' own, followed by the trail like any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as house
from django.db import connection

from audit.installation import _track
from audit.tables import Tracked


@pytest.fixture(autouse=True)
def _anchors_of_its_own(settings: Any, tmp_path: Path) -> None:
    files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": tmp_path / "storage"},
    }
    settings.STORAGES = {**settings.STORAGES, "default": files}


@pytest.fixture
def scratch(superuser: Any) -> Iterator[str]:
    """`scratch(id, subject_id, kind, secret, values)`, owned by the owner, open to the application."""
    owner, app = (house.DATABASES[alias]["USER"] for alias in ("owner", "default"))
    superuser.execute(f'SET ROLE "{owner}"')
    superuser.execute(
        "CREATE TABLE scratch (id bigint PRIMARY KEY, subject_id bigint, kind text, secret text, values jsonb);"
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON scratch TO "{app}"'
    )
    with superuser.connection.cursor() as cursor:
        _track(cursor, Tracked("scratch", key="id", subject=".subject_id", masked=("secret",)))
    superuser.execute("RESET ROLE")
    yield "scratch"
    connection.close()
    superuser.execute("DROP TABLE scratch")


def run(statement: str, parameters: list[Any] | None = None) -> int:
    """Execute SQL as the application; the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def moment_of_the_database() -> datetime:
    """The clock that events are dated with."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
