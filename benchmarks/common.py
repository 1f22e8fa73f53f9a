"""What the benchmarks share: a database of their own, a trial in it, and measuring side by side.

Import this module first: it sets Django up.
"""

# ruff: noqa: E402  Django is set up before its models are imported
from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlencode

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
os.environ.setdefault("HILUM_TEST_DB", "benchmark")

import django

django.setup()

import psutil
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.test.utils import setup_test_environment

from accounts.models import User
from audit.context import Actor, service_actor
from foundation.clock import now
from patients.models import Subject
from patients.services import register_patient, screen_patient
from tests.conftest import Statements
from trials.models import Trial
from trials.packs import bundled
from trials.services import open_site, publish_protocol, register_site

SETUP: Actor = service_actor("benchmark")


@contextmanager
def scratch_database() -> Iterator[None]:
    """A migrated database that is gone afterwards; used as the application's role."""
    setup_test_environment()
    owner, app = connections["owner"], connections["default"]
    name = f"test_hilum_{os.environ['HILUM_TEST_DB']}"
    owner.settings_dict["TEST"]["NAME"] = name
    owner.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    owner.close()
    app.close()
    app.creation.set_as_test_mirror(owner.settings_dict)
    try:
        yield
    finally:
        app.close()
        owner.creation.destroy_test_db(name, verbosity=0)


def open_trial(code: str) -> Trial:
    """A bundled trial, published and open at one site."""
    version = publish_protocol(actor=SETUP, pack=bundled()[code])
    site = register_site(actor=SETUP, code="NO-01", name="Oslo", country="NO", time_zone="Europe/Oslo")
    open_site(actor=SETUP, trial=version.trial, site=site, on=now().date())
    return version.trial


def screened(trial: Trial, code: str) -> Subject:
    """A patient in screening."""
    site = trial.trial_sites.select_related("site").get().site
    patient = register_patient(actor=SETUP, site=site, code=code)
    return screen_patient(actor=SETUP, patient=patient, trial=trial)


@dataclass
class Cost:
    """What one round cost.

    Attributes
    ----------
    wall, client, server
        Milliseconds on the clock, of this process, and of PostgreSQL's process for the connection.
    """

    wall: float
    client: float
    server: float

    @property
    def processor(self) -> float:
        """Both processes together, in milliseconds."""
        return self.client + self.server


@dataclass
class Way:
    """One way to do the work, and what its rounds cost per repetition."""

    name: str
    work: Callable[[], object]
    backend: Callable[[], int]
    costs: list[Cost] = field(default_factory=list)

    def round(self, times: int) -> None:
        """Do it so many times and note the mean."""
        process = psutil.Process(self.backend())
        before = process.cpu_times()
        wall, client = time.perf_counter(), time.process_time()
        for _ in range(times):
            self.work()
        wall, client = time.perf_counter() - wall, time.process_time() - client
        after = process.cpu_times()
        server = (after.user + after.system) - (before.user + before.system)
        self.costs.append(Cost(*(1000 * part / times for part in (wall, client, server))))


def side_by_side(ways: list[Way], *, rounds: int, times: int) -> None:
    """Run the ways in turn, round by round, and print each one's median and its ratio to the first."""
    for way in ways:
        way.work()
    for _ in range(rounds):
        for way in ways:
            way.round(times)
    print_ways(ways)


def print_ways(ways: list[Way]) -> None:
    """A table: processor milliseconds of client and server, wall, and the ratio with its spread."""
    print(f"{'':34}{'client':>9}{'server':>9}{'wall':>9}   processor time against the first")
    for way in ways:
        ratios = [
            one.processor / least.processor for one, least in zip(way.costs, ways[0].costs, strict=True)
        ]
        middle = {
            name: statistics.median(getattr(cost, name) for cost in way.costs)
            for name in ("client", "server", "wall")
        }
        print(
            f"{way.name:34}{middle['client']:9.2f}{middle['server']:9.2f}{middle['wall']:9.2f}"
            f"   × {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        )


def signed_in(user: User) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(user, backend="accounts.backends.PeopleBackend")
    return client


def post_as_a_page(client: Client, address: str, body: Mapping[str, object]) -> HttpResponse:
    """Send fields as our pages do: URL-encoded, and for a fragment."""
    form = "application/x-www-form-urlencoded"
    answer = client.post(address, urlencode(body, doseq=True), form, headers={"HX-Request": "true"})
    return cast("HttpResponse", answer)


def app_backend() -> int:
    """The process of PostgreSQL that serves the application's connection."""
    connections["default"].ensure_connection()
    return int(connections["default"].connection.info.backend_pid)


def statements_of(work: Callable[[], object]) -> int:
    """How many statements it needs."""
    with Statements(connections["default"]) as asked:
        work()
    return len(asked.counted)
