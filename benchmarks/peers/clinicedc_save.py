"""One form saved by clinicedc on the PostgreSQL that is named; needs a Python that has clinicedc and clinicedc-tests.

Speaks lines of JSON: first the login, then `{"times": n}` for each round, answered by the mean milliseconds.
The subject, its schedule and its forms are those of clinicedc's own tests; what is saved is a form (`CrfFour`) through
its ORM, with its history, metadata and status models: less than its web form does.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAME = "benchmark_clinicedc"

SITE = 10  # the first of the sites in its tests


def set_up(login: dict[str, str]) -> None:
    """Settings, database and tables of clinicedc's tests."""
    import psycopg2
    from clinicedc_tests.config import DefaultTestSettings, get_installed_apps_for_tests
    from django.conf import settings
    from multisite import SiteID

    admin = psycopg2.connect(dbname="postgres", **{key: value for key, value in login.items() if value})
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME}")
        cursor.execute(f"CREATE DATABASE {NAME}")
    admin.close()
    folder = Path(tempfile.mkdtemp())
    (folder / "tests" / "etc").mkdir(parents=True)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": NAME,
        "HOST": login.get("host", ""),
        "PORT": login.get("port", ""),
        "USER": login["user"],
    }
    made = DefaultTestSettings(
        BASE_DIR=folder,
        APP_NAME="clinicedc_tests",
        INSTALLED_APPS=[
            app
            for app in get_installed_apps_for_tests("clinicedc_tests.apps.AppConfig")
            if find_spec(app.partition(".")[0])  # the two packages' releases do not agree on every app
        ],
        DATABASES={"default": database, "client": database},
        AUTO_CREATE_KEYS=True,
        DJANGO_REVISION_IGNORE_WORKING_DIR=True,
        REVISION="1.0",
        SITE_ID=SiteID(default=SITE),
        DJANGO_CRYPTO_FIELDS_KEY_PATH=Path(tempfile.mkdtemp()),
        EDC_SITES_MODULE_NAME="clinicedc_tests.sites",
        add_dashboard_middleware=True,
        add_lab_dashboard_middleware=True,
        add_adverse_event_dashboard_middleware=True,
    ).settings
    settings.configure(**made)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
    from edc_sites.utils import add_or_update_django_sites

    add_or_update_django_sites()


def form_of_a_subject() -> Any:
    """One form of one subject on a schedule."""
    from clinicedc_tests.consents import consent_v1
    from clinicedc_tests.helper import Helper
    from clinicedc_tests.models import CrfFour
    from clinicedc_tests.visit_schedules.visit_schedule_dashboard.visit_schedule import get_visit_schedule
    from edc_consent import site_consents
    from edc_visit_schedule.site_visit_schedules import site_visit_schedules

    site_consents.registry = {}
    site_consents.register(consent_v1)
    site_visit_schedules._registry = {}
    site_visit_schedules.register(get_visit_schedule(consent_v1))
    helper = Helper()
    visit = helper.enroll_to_baseline(visit_schedule_name="visit_schedule", schedule_name="schedule")
    return CrfFour.objects.create(subject_visit=visit, report_datetime=visit.report_datetime)


def main() -> None:
    """Set up once, then answer rounds."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print is not an answer
    set_up(json.loads(sys.stdin.readline()))
    import psutil
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    form = form_of_a_subject()

    def save() -> None:
        form.f1 = f"typed {time.perf_counter_ns()}"[:40]
        form.save()

    save()
    with CaptureQueriesContext(connection) as asked:
        save()
    connection.force_debug_cursor = False
    print(json.dumps({"ready": True}), file=answers, flush=True)
    server = psutil.Process(connection.connection.info.backend_pid)
    for line in sys.stdin:
        times = json.loads(line)["times"]
        before = server.cpu_times()
        wall, client = time.perf_counter(), time.process_time()
        for _ in range(times):
            save()
        wall, client = time.perf_counter() - wall, time.process_time() - client
        after = server.cpu_times()
        spent = after.user + after.system - before.user - before.system
        each = {
            name: 1000 * part / times
            for name, part in (("wall", wall), ("client", client), ("server", spent))
        }
        print(json.dumps({**each, "statements": len(asked)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
