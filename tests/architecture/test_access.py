"""Every address, as everybody: the answers are those of the table in `access_table.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.cache import caches
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.api import Endpoint
from accounts.decorators import PUBLIC, SIGNED_IN, mark_of
from accounts.policies import WRITES, roles_with
from accounts.services import withdraw_edit_access
from tests.architecture import access_world
from tests.architecture.access_table import TABLE, Row
from tests.architecture.access_world import World
from tests.imaging.conftest import Desk, _empty_storage, desk  # noqa: F401  fixtures

NOBODY = "anonymous"
AWAY = frozenset({"coordinator2", "investigator2"})
ROLE_OF = {"coordinator2": "coordinator", "investigator2": "investigator", "radiologist2": "radiologist"}
GROUPS = (
    ("coordinator", "investigator", "coordinator2", "investigator2"),
    ("datamanager", "monitor", "sponsor"),
    ("radiologist", "radiologist2", "adjudicator"),
    ("admin", "outsider", NOBODY),
)
NOT_JUDGED = frozenset({401, 403, 404, 405})
"""What a writing method never answers to somebody who may use it."""


# Addresses ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """An address of the project with its view."""

    name: str
    route: str
    view: Any

    @property
    def endpoint(self) -> type[Endpoint] | None:
        """The class, where it is for programs."""
        found = getattr(self.view, "cls", None)
        return found if isinstance(found, type) and issubclass(found, Endpoint) else None

    @property
    def mark(self) -> str | None:
        """What it says about who may see it."""
        return self.endpoint.sees if self.endpoint else mark_of(self.view)

    def filled(self, row: Row, samples: Mapping[str, Any]) -> str:
        """The path, with samples in the place of parameters."""

        def sample(match: re.Match[str]) -> str:
            name = match[1]
            return str(samples[row.samples.get(name, name)])

        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", sample, self.route).replace("^v1/.*$", "v1/nothing/")


def addresses(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[Address]:
    """Every address below a resolver."""
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from addresses(each, route, f"{space}{each.namespace}:" if each.namespace else space)
        elif isinstance(each, URLPattern):
            yield Address(f"{space}{each.name}", route, each.callback)


ALL = list(addresses(get_resolver()))


def without_a_row(names: Iterable[str], table: Collection[str]) -> list[str]:
    """Addresses that nobody has thought about."""
    return sorted(set(names) - set(table))


# The table is whole ---------------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-02")
def test_every_address_has_a_row_and_every_row_an_address() -> None:
    names = [each.name for each in ALL]
    assert without_a_row(names, TABLE) == [], "Add these to tests/architecture/access_table.py."
    assert sorted(set(TABLE) - set(names)) == [], "These rows have no address any more."
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_an_address_without_a_row_is_noticed() -> None:
    assert without_a_row(["a", "b"], {"a": 1}) == ["b"]


@pytest.mark.parametrize("address", ALL, ids=lambda each: each.name)
def test_the_view_is_marked_as_the_row_says(address: Address) -> None:
    row = TABLE[address.name]
    assert address.mark == row.needs
    if address.endpoint is not None:
        written = {method: name for method, name in row.methods.items() if name}
        assert dict(address.endpoint.does) == written
        offered = {
            name.upper()
            for name in ("get", "post", "put", "patch", "delete")
            if hasattr(address.endpoint, name)
        }
        assert offered == set(row.methods) or address.name == "api:nothing"


# Everybody at every address -------------------------------------------------------------------------------------------


def somewhere(person: str, permission: str) -> bool:
    """Whether somebody of the cast holds a permission at any place."""
    if permission in {"", PUBLIC}:
        return True
    if person == NOBODY:
        return False
    return permission == SIGNED_IN or ROLE_OF.get(person, person) in roles_with(permission)


def here(person: str, permission: str, row: Row, world: World) -> bool:
    """Whether somebody holds a permission as far as a row asks."""
    if row.reach in {"reader", "exporter", "owner"} and getattr(world, row.reach) != person:
        return False
    return somewhere(person, permission) and not (row.reach == "site" and person in AWAY)


def expected(address: Address, row: Row, person: str, method: str, world: World) -> str:
    """What somebody must be answered: a status, several, or `judged`."""
    if person == NOBODY and row.needs != PUBLIC:
        return "401" if address.endpoint else "302"
    if person in row.but:
        return str(row.but[person])
    if row.absent or not somewhere(person, row.needs):
        return "404"
    if method not in row.methods:
        return "405"
    then = row.methods[method]
    if not somewhere(person, then):
        return "403"
    if not (here(person, row.needs, row, world) and here(person, row.also, row, world)):
        return "404"
    return " ".join(map(str, sorted(row.answers))) if method == "GET" else "judged"


def fits(status: int, wanted: str) -> bool:
    """Whether a status is what was expected."""
    if wanted == "judged":
        return status < 500 and status not in NOT_JUDGED
    return str(status) in wanted.split()


def asked(client: Client, method: str, path: str, row: Row, *, program: bool) -> Any:
    """The answer; whatever it changed is undone, a session that was ended as well."""
    cookies = client.cookies.output(header="", sep=";")
    with transaction.atomic():
        if method == "GET":
            answer = client.get(path + row.query)
        elif program:
            answer = client.generic(method, path, json.dumps(dict(row.body)), content_type=_type_of(method))
        else:
            answer = client.generic(method, path + row.query, _form(row.body), content_type=FORM)
        if answer.streaming:
            b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    client.cookies = SimpleCookie(cookies)
    return answer


FORM = "application/x-www-form-urlencoded"


def _type_of(method: str) -> str:
    return "application/octet-stream" if method == "PUT" else "application/json"


def _form(body: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in body.items())


@pytest.mark.django_db
@pytest.mark.req("ACC-02")
@pytest.mark.req("ACC-03")
@pytest.mark.parametrize("people", GROUPS, ids=" ".join)
def test_everybody_gets_what_the_table_says(desk: Desk, people: tuple[str, ...]) -> None:  # noqa: F811
    world = access_world.build(desk)
    wrong = []
    for person in people:
        client = Client() if person == NOBODY else desk.cast.client(person)
        client.raise_request_exception = False
        caches["throttle"].clear()
        for address in ALL:
            row = TABLE[address.name]
            path = address.filled(row, world.samples)
            for method in dict.fromkeys(("GET", *row.methods)):
                wanted = expected(address, row, person, method, world)
                if person == NOBODY:
                    caches["throttle"].clear()
                answer = asked(client, method, path, row, program=address.endpoint is not None)
                if not fits(answer.status_code, wanted) or not _leads_to_the_door(answer, person, row):
                    wrong.append(f"{person} {method} {address.name}: {answer.status_code}, not {wanted}")
    assert wrong == [], "\n".join(wrong)


def _leads_to_the_door(answer: Any, person: str, row: Row) -> bool:
    """Where nobody is signed in, the way leads to the sign-in page."""
    if person != NOBODY or row.needs == PUBLIC or answer.status_code != 302:
        return True
    return bool(answer.headers["Location"].startswith("/sign-in/"))


def test_the_groups_are_the_whole_cast(cast: Any) -> None:
    assert {person for people in GROUPS for person in people} == {*cast.people, NOBODY}


# While edit access is withdrawn ---------------------------------------------------------------------------------------


OF_NO_TRIAL = frozenset({"inbox-match", "inbox-reject"})
"""What arrived and belongs to no subject yet: the subject that it is given to decides."""


@pytest.mark.django_db
@pytest.mark.req("LCK-05")
@pytest.mark.parametrize("whole", [True, False], ids=["trials", "site"])
def test_every_address_that_writes_refuses_while_edit_access_is_withdrawn(desk: Desk, *, whole: bool) -> None:  # noqa: F811
    """Whoever might write is told why not; whoever may read goes on reading.

    Withdrawn from both trials, every address that writes anywhere says so; withdrawn from the home site, every address
    of a thing of that site.
    """
    world = access_world.build(desk)
    for trial in desk.cast.trials.values():
        withdraw_edit_access(
            actor=desk.cast.actor("datamanager"),
            trial=trial.code,
            site="" if whole else desk.cast.home.code,
            reason="Data cut",
        )
    wrong = []
    for person in ("coordinator", "investigator", "datamanager", "monitor"):
        client = desk.cast.client(person)
        client.raise_request_exception = False
        for address in ALL:
            row = TABLE[address.name]
            if not whole and (row.reach != "site" or address.name in OF_NO_TRIAL):
                continue
            for method, then in row.methods.items():
                caches["throttle"].clear()
                may = expected(address, row, person, method, world)
                if may in {"403", "404", "405"}:
                    continue
                answer = asked(
                    client, method, address.filled(row, world.samples), row, program=bool(address.endpoint)
                )
                told = b"was withdrawn on" in getattr(answer, "content", b"")
                writes = method != "GET" and not {then or row.needs, row.needs}.isdisjoint(WRITES)
                if writes and (answer.status_code != 403 or not told):
                    wrong.append(f"{person} {method} {address.name}: {answer.status_code}")
                if method == "GET" and row.needs not in WRITES and not fits(answer.status_code, may):
                    wrong.append(f"{person} {method} {address.name}: {answer.status_code}, not {may}")
    assert wrong == [], "\n".join(wrong)
