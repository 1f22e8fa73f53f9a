"""What people type survives servers that really die: the web server by `kill -9`, PostgreSQL by a restart."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import psycopg2
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from config.database import SUPERUSER
from config.environment import BASE_DIR
from tests.installation import (
    DEMO_PASSWORD,
    PATIENCE,
    Installation,
    kept_environment,
    processes_of,
    started,
    well,
)
from tests.journeys.conftest import Person, all_saved, chromium, until

pytestmark = [pytest.mark.journey, pytest.mark.servers]
__all__ = ["chromium"]
SUBJECT = "TDX-001-001"
ONE_SUBJECT = """
from accounts.services import set_training_password
from audit.context import service_actor
from patients.services import enter_patient
from reports.demo.people import invite_people, open_sites
from trials.models import Trial

ACTOR, trials = service_actor("test set-up"), list(Trial.objects.all())
sites, people = open_sites(ACTOR, trials), invite_people(ACTOR, trials)
set_training_password(actor=ACTOR, user=people["coordinator"], password={password!r})
enter_patient(actor=ACTOR, site=sites["NO-01"], code="K-1", trials=Trial.objects.filter(code="THERMODOX"))
"""
"""What `make run` would fill in, but for one subject only: the whole demonstration takes minutes."""
ITEM = "LVEF"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A whole installation with one subject."""
    data = tmp_path_factory.mktemp("killed")
    with started(data, "--empty") as running:
        subprocess.run(
            [sys.executable, "manage.py", "shell", "--command", ONE_SUBJECT.format(password=DEMO_PASSWORD)],
            cwd=BASE_DIR,
            env={**kept_environment(), "HILUM_DATA": str(data)},
            check=True,
        )
        yield running


@pytest.fixture
def page(installation: Installation, chromium: Browser) -> Iterator[Page]:
    """The coordinator at a form that is being entered."""
    installation.wait(well)
    somebody = Person(chromium, f"http://127.0.0.1:{installation.port}")
    somebody.sign_in("coordinator", DEMO_PASSWORD)
    somebody.page.set_default_timeout(PATIENCE * 1000)
    somebody.page.goto(f"/subjects/{SUBJECT}/SCR/CV/")
    yield somebody.page
    somebody.context.close()  # that requests failed meanwhile is what is tried here, no fault of the page


@contextmanager
def asking(installation: Installation) -> Iterator[Callable[..., list[Any]]]:
    """`ask(sql)`: rows from the database itself, beside the web server."""
    lines = (installation.data / "postgres" / "postmaster.pid").read_text().splitlines()
    connection = psycopg2.connect(host=lines[4], port=lines[3], user=SUPERUSER, dbname="hilum")
    try:

        def ask(statement: str, *values: object) -> list[Any]:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor.fetchall()) if cursor.description else []

        yield ask
    finally:
        connection.close()


def kill_the_web_server(installation: Installation) -> None:
    """End the web server and its workers at once, without a word to anybody."""
    for process in processes_of(installation.data):
        with suppress(psutil.NoSuchProcess):  # its parent died a moment ago
            if "gunicorn" in " ".join(process.cmdline()):
                process.kill()


def type_value(page: Page, text: str) -> None:
    page.locator(f"#f-{ITEM}").fill(text)
    page.keyboard.press("Tab")


def saves_of(installation: Installation, text: str) -> int:
    """How often the trail says that this value was written."""
    with asking(installation) as ask:
        [(number,)] = ask(
            "SELECT count(*) FROM audit_event WHERE table_name = 'casebook_entry'"
            " AND subject_id = (SELECT id FROM patients_subject WHERE number = %s)"
            " AND after #>> %s = %s AND before #>> %s IS DISTINCT FROM %s",
            SUBJECT, ["values", ITEM, "value"], text, ["values", ITEM, "value"], text,
        )  # fmt: skip
    return int(number)


def stays(page: Page, text: str) -> None:
    """The page says that all is saved, and says the same after it was read again."""
    all_saved(page)
    page.reload()
    expect(page.locator(f"#f-{ITEM}")).to_have_value(text)


def test_a_web_server_killed_while_it_saves_has_saved_nothing_and_is_asked_again(
    installation: Installation, page: Page
) -> None:
    with asking(installation) as ask:
        ask("LOCK TABLE casebook_entry IN EXCLUSIVE MODE")  # the request has arrived, and its save waits
        type_value(page, "61")
        with asking(installation) as look:
            until(lambda: look("SELECT 1 FROM pg_locks WHERE NOT granted"))
        kill_the_web_server(installation)
        page.get_by_text("Not saved: 1 change. Trying again").wait_for()
    expect(page.locator(f"#f-{ITEM}")).to_have_value("61")
    stays(page, "61")
    assert saves_of(installation, "61") == 1


def test_a_web_server_killed_between_saving_and_answering_has_saved_once(
    installation: Installation, page: Page
) -> None:
    deaths = [1]

    def die(route: Route) -> None:
        if deaths:
            deaths.pop()
            route.fetch()  # saved; the answer never arrives
            kill_the_web_server(installation)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/save/", die)
    type_value(page, "62")
    page.get_by_text("Not saved: 1 change. Trying again").wait_for()
    stays(page, "62")
    assert saves_of(installation, "62") == 1


def test_a_database_restarted_while_somebody_types_loses_nothing(
    installation: Installation, page: Page
) -> None:
    type_value(page, "63")
    all_saved(page)
    installation.postmaster().send_signal(signal.SIGINT)
    installation.wait(lambda status, report: status == 503 and report["database"] != "ok")
    type_value(page, "64")
    page.get_by_text("Not saved: 1 change. Trying again").wait_for()
    type_value(page, "65")
    stays(page, "65")
    assert saves_of(installation, "63") == 1
    assert saves_of(installation, "65") == 1
