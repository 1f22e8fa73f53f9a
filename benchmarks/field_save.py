"""The save of one field against bare psycopg2, a bare Django view and, where it is there, clinicedc.

`.venv/bin/python -m benchmarks.field_save [--rounds 9] [--times 200] [--peer PYTHON]`

The floor is one transaction of bare psycopg2 that updates one JSONB row whose trigger writes one audit row with a
SHA-256. Against it, in turn: our service (entry read, checks, save, trail), a bare Django view that saves a row through
session and sign-in, and our whole web request. `--peer` names a Python (3.12 or newer) in which `clinicedc` and
`clinicedc-tests` are installed; it then saves one form of its own, through its ORM and on the same PostgreSQL, in turn
with ours. Processor time is that of this process and of PostgreSQL's process for the connection together.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path, reverse

from benchmarks.common import (
    SETUP,
    Cost,
    Way,
    app_backend,
    open_trial,
    post_as_a_page,
    scratch_database,
    screened,
    side_by_side,
    signed_in,
    statements_of,
)

# isort: split
from accounts.models import Grant, User
from audit.context import acting
from casebook.models import Entry
from casebook.reading import entry_by_key
from casebook.rules.cells import Typed
from casebook.services import open_entry, save_item
from foundation.clock import now
from tests.conftest import superuser_connection
from visits.models import Visit

FLOOR = """
CREATE TABLE floor_row (id int PRIMARY KEY, values jsonb NOT NULL);
CREATE TABLE floor_trail (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, before jsonb, after jsonb,
  digest bytea);
CREATE FUNCTION floor_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO floor_trail (at, before, after, digest)
    VALUES (now(), to_jsonb(OLD), to_jsonb(NEW), sha256(convert_to(to_jsonb(NEW)::text, 'UTF8')));
  RETURN NULL; END $$;
CREATE TRIGGER floor_note AFTER UPDATE ON floor_row FOR EACH ROW EXECUTE FUNCTION floor_note();
"""
VALUES = ("12.4", "12.5")


class BareAddresses:
    """Middleware that puts the bare view in the place of the application."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.urlconf = "benchmarks.field_save"
        return self.get_response(request)


def bare_view(request: HttpRequest) -> HttpResponse:
    """Save one row for somebody who is signed in; no check and no trail."""
    if not request.user.is_authenticated:
        return HttpResponse(status=403)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE floor_bare SET values = jsonb_set(values, '{HGB}', %s) WHERE id = 1",
            [json.dumps({"value": request.POST["value"], "unit": "g/dL"})],
        )
    return HttpResponse("saved")


urlpatterns = [path("save/", bare_view)]


def floor() -> Way:
    """Bare psycopg2."""
    connection = superuser_connection()
    with connection, connection.cursor() as cursor:
        cursor.execute(FLOOR)
        filled = json.dumps({f"ITEM{n}": {"value": str(n), "unit": "g/dL"} for n in range(20)})
        cursor.execute("INSERT INTO floor_row VALUES (1, %s)", [filled])
        cursor.execute("CREATE TABLE floor_bare AS SELECT * FROM floor_row")
        cursor.execute("GRANT SELECT, UPDATE ON floor_bare TO PUBLIC")
    values = itertools.cycle(VALUES)

    def save() -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "UPDATE floor_row SET values = jsonb_set(values, '{HGB}', %s) WHERE id = 1",
                [json.dumps({"value": next(values), "unit": "g/dL"})],
            )

    return Way("psycopg2, one transaction", save, lambda: connection.info.backend_pid)


def service(entry: Entry) -> Way:
    """Our service: the entry read, the value checked and saved, the trail written."""
    values = itertools.cycle(VALUES)

    def save() -> None:
        read = entry_by_key(entry.pk)
        save_item(actor=SETUP, entry=read, item_id="HGB", typed=Typed(value=next(values), unit="g/dL"))

    return Way("service, with checks and trail", save, app_backend)


def bare(user: User) -> Way:
    """A bare Django view behind session and sign-in."""
    layers = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "benchmarks.field_save.BareAddresses",
    ]
    with override_settings(MIDDLEWARE=layers):
        client = signed_in(user)
        client.handler.load_middleware()
    values = itertools.cycle(VALUES)

    def save() -> None:
        assert post_as_a_page(client, "/save/", {"value": next(values)}).content == b"saved"

    return Way("bare Django view", save, app_backend)


def request(user: User, entry: Entry) -> Way:
    """Our whole request: session, sign-in, leave, save, the row rendered anew."""
    client = signed_in(user)
    address = reverse("form-save", args=[entry.subject.number, "SCR", "LB"])
    pairs = seen_and_typed()

    def save() -> None:
        seen, typed = next(pairs)
        body = {
            "item": "HGB",
            "value": typed,
            "unit": "g/dL",
            "low": "",
            "high": "",
            "missing": "",
            "expected": seen,
        }
        answer = post_as_a_page(client, address, body)
        assert answer.status_code == 200, answer.content

    return Way("our whole web request", save, app_backend)


def seen_and_typed() -> Iterator[tuple[str, str]]:
    """What the person sees before each save, and what is typed."""
    seen = ""
    for value in itertools.cycle(VALUES):
        yield seen, value
        seen = json.dumps({"value": value, "unit": "g/dL"})


class Peer:
    """clinicedc in a process of its own: `save` answers what one save cost there."""

    def __init__(self, python: str, times: int) -> None:
        login = connections["default"].settings_dict
        self.times = times
        self.process = subprocess.Popen(
            [python, str(Path(__file__).parent / "peers" / "clinicedc_save.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.ask({key.lower(): str(login[key]) for key in ("HOST", "PORT")} | superuser_login())
        self.told: dict[str, Any] = {}

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """One line of JSON out, one in."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline() or "{}"))

    def round(self) -> Cost:
        """Mean of some saves."""
        self.told = self.ask({"times": self.times})
        return Cost(self.told["wall"], self.told["client"], self.told["server"])


def superuser_login() -> dict[str, str]:
    """How the peer reaches the same PostgreSQL."""
    with superuser_connection() as connection:
        found = connection.info.dsn_parameters
    return {"host": found.get("host", ""), "port": found.get("port", ""), "user": found["user"]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--peer", help="a Python with clinicedc and clinicedc-tests")
    wanted = parser.parse_args()
    with scratch_database():
        measure(wanted)


def measure(wanted: argparse.Namespace) -> None:
    """Both tables."""
    subject = screened(open_trial("EXCALIBUR"), "B-1")
    with acting(SETUP):
        user = User.objects.create_user("coordinator", "a password of a benchmark", full_name="Coordinator")
        Grant.objects.create(user=user, role="coordinator", trial="EXCALIBUR", site="NO-01", starts=now())
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = open_entry(actor=SETUP, subject=subject, visit=visit, form="LB")
    ways = [floor(), service(entry), bare(user), request(user, entry)]
    side_by_side(ways, rounds=wanted.rounds, times=wanted.times)
    service_asks, request_asks = (most_statements_of(ways[place].work) for place in (1, 3))
    print(f"statements: service {service_asks}, request {request_asks}")
    if wanted.peer:
        against_peer(wanted, ways[3])


def most_statements_of(work: Callable[[], object]) -> int:
    """How many it needs where something changes: of two saves in a row one may find what the other way left."""
    return max(statements_of(work), statements_of(work))


def against_peer(wanted: argparse.Namespace, ours: Way) -> None:
    """Our whole request against the peer's save alone, in turn."""
    peer, theirs = Peer(wanted.peer, 20), []
    peer.round()
    ours.costs.clear()
    for _ in range(wanted.rounds):
        ours.round(wanted.times)
        theirs.append(peer.round())
    ratios = [they.processor / we.processor for they, we in zip(theirs, ours.costs, strict=True)]
    client, server = (
        statistics.median(getattr(cost, part) for cost in theirs) for part in ("client", "server")
    )
    print(
        f"clinicedc, save alone: {client:.1f} ms client, {server:.1f} ms server, {peer.told['statements']} statements; "
        f"× {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) of our whole request"
    )


if __name__ == "__main__":
    main()
