"""What all tests share: a database as in production, and people.

The database is made and migrated by its owner and used as the application's role, so a test has no more rights than
the application. `HILUM_TEST_DB` names it (tests that run at the same time in one cluster need names of their own).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from accounts.models import Grant, Identification, User
from accounts.rules.accountability import CURRENT
from audit.context import Actor, acting, service_actor
from foundation.clock import now
from tests.cast import cast  # noqa: F401  a fixture for all tests

PASSWORD = "correct horse battery staple"
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}
BOOK_KEEPING = re.compile(
    r"^(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK|BEGIN|COMMIT)|set_config\('hilum\.actor_id', ''"
)


# A busy machine is no fault of what is tested: no test is held against a clock.
hypothesis_settings.register_profile("hilum", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("hilum")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "req(identifier): requirement of the standards that the test proves")


# Database -----------------------------------------------------------------------------------------------------------


def superuser_connection() -> Any:
    """A connection with all rights to the test database: the attacker, or the one who cleans up."""
    owner = connections["owner"].settings_dict
    if owner["ENGINE"].endswith("embedded.postgresql"):
        login = {"host": owner["HOST"], "user": "postgres"}
    else:
        login = {
            "host": owner["HOST"],
            "port": owner["PORT"],
            "user": owner["USER"],
            "password": owner["PASSWORD"],
        }
    return psycopg2.connect(dbname=connections["default"].settings_dict["NAME"], **login)


def end_other_sessions() -> None:
    """End what a server's thread left open in the test database, for a database in use cannot be dropped."""
    connection = superuser_connection()
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connection.close()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: Any,
    django_db_keepdb: bool,
) -> Iterator[None]:
    """The test database, made by the owner and used by the application's role."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    name = "_".join(filter(None, ["test_hilum", os.environ.get("HILUM_TEST_DB", ""), worker]))
    owner, app = connections["owner"], connections["default"]
    with django_db_blocker.unblock():
        owner.settings_dict["TEST"]["NAME"] = name
        owner.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=django_db_keepdb)
        owner.close()
        app.close()
        app.creation.set_as_test_mirror(owner.settings_dict)
    yield
    with django_db_blocker.unblock():
        app.close()
        if not django_db_keepdb:
            end_other_sessions()
            owner.creation.destroy_test_db(settings.DATABASES["owner"]["NAME"], verbosity=0)


def empty_all_tables(*_: Any) -> None:
    """Between tests that commit: the application may not truncate, and its triggers would record the cleaning."""
    connection = superuser_connection()
    with connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = sorted({name for (name,) in cursor.fetchall()} - KEPT_TABLES)
        cursor.execute(";".join(f'DELETE FROM "{table}"' for table in tables))
    connection.close()


@pytest.fixture(scope="session", autouse=True)
def _clean_as_owner() -> None:
    TransactionTestCase._fixture_teardown = empty_all_tables  # type: ignore[method-assign]


@pytest.fixture
def superuser(transactional_db: None) -> Iterator[Any]:
    """A cursor of the cluster's superuser, in autocommit: the attacker whom the seals must find out."""
    connection = superuser_connection()
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


class Statements(CaptureQueriesContext):
    """Statements that were executed, without the book-keeping of transactions."""

    @property
    def counted(self) -> list[str]:
        """Their SQL."""
        return [query["sql"] for query in self.captured_queries if not BOOK_KEEPING.search(query["sql"])]


@pytest.fixture
def statements() -> Callable[[], Statements]:
    """`with statements() as done: …` and then `len(done.counted)`."""
    return lambda: Statements(connections["default"])


# People -------------------------------------------------------------------------------------------------------------

SETUP = service_actor("test set-up")


@contextmanager
def setting_up() -> Iterator[None]:
    """Writes of a test's set-up, under a service's name."""
    with acting(SETUP, origin="test"):
        yield


def _ready_to_sign() -> dict[str, Any]:
    """A verified identity and the accepted statement of accountability."""
    moment = now()
    return {
        "identity_verified_at": moment,
        "identity_verified_how": Identification.DOCUMENT,
        "accountability_version": CURRENT,
        "accountability_at": moment,
    }


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """`make_user("coordinator", full_name="…")`, who may sign; the password is `PASSWORD`."""

    def make(username: str, **fields: Any) -> User:
        fields.setdefault("full_name", username.capitalize())
        for name, value in _ready_to_sign().items():
            fields.setdefault(name, value)
        with setting_up():
            return User.objects.create_user(username, PASSWORD, **fields)

    return make


@pytest.fixture
def grant(db: None) -> Callable[..., Grant]:
    """`grant(user, "coordinator", "THERMODOX", "NO-01")`, in force since yesterday."""

    def give(
        user: User,
        role: str,
        trial: str = "",
        site: str = "",
        *,
        starts: datetime | None = None,
        ends: datetime | None = None,
    ) -> Grant:
        with setting_up():
            return Grant.objects.create(
                user=user,
                role=role,
                trial=trial,
                site=site,
                starts=starts or now() - timedelta(days=1),
                ends=ends,
            )

    return give


@pytest.fixture
def client_for(make_user: Callable[..., User], grant: Callable[..., Grant]) -> Callable[..., Client]:
    """`client_for("coordinator", "THERMODOX", "NO-01")`: a browser, signed in as somebody with that role.

    `client_for(user)` signs in somebody who is there already.
    """

    def sign_in(who: User | str, trial: str = "", site: str = "") -> Client:
        user = who
        if isinstance(user, str):
            known = User.objects.filter(username=user).first()
            user = known or make_user(user)
            if known is None:
                grant(user, str(who), trial, site)
        client = Client()
        client.force_login(user, backend="accounts.backends.PeopleBackend")
        return client

    return sign_in


@pytest.fixture
def actor(make_user: Callable[..., User]) -> Actor:
    """Somebody who writes."""
    user = make_user("somebody", full_name="Some Body")
    return Actor(id=user.pk, name=user.full_name, role="coordinator")
