"""Programs that ask: with a token or a session, at the home site, elsewhere, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.test import Client

from accounts.policies import PERMISSIONS
from accounts.services import make_token
from audit.context import Actor
from tests.cast import Cast

ROOT = "/api/v1/"


@pytest.fixture(autouse=True)
def _fresh_counts() -> Iterator[None]:
    """Requests of one test do not count in the next; files in memory do not outlive it."""
    caches["throttle"].clear()
    yield
    inner: Any = default_storage
    if hasattr(inner, "_root"):
        inner._root._children.clear()


@dataclass
class Program:
    """Somebody's program."""

    client: Client
    headers: dict[str, str]

    def get(self, address: str, **query: Any) -> HttpResponse:
        return self.client.get(ROOT + address, query, headers=self.headers)

    def send(self, method: str, address: str, content: Any = None) -> HttpResponse:
        return self.client.generic(
            method, ROOT + address, _json(content), content_type="application/json", headers=self.headers
        )

    def post(self, address: str, content: Any = None) -> HttpResponse:
        return self.send("POST", address, content)

    def patch(self, address: str, content: Any = None) -> HttpResponse:
        return self.send("PATCH", address, content)


def _json(content: Any) -> str:
    import json

    return "" if content is None else json.dumps(content)


type_program = Callable[..., Program]


@pytest.fixture
def program(cast: Cast) -> type_program:
    """`program("coordinator")`; with `scopes=[…]` it holds a token that was given these only."""

    def make(role: str, scopes: Sequence[str] | None = None) -> Program:
        user = cast.people[role]
        _, text = make_token(
            actor=Actor(user.pk, user.full_name),
            user=user,
            name="program",
            scopes=list(PERMISSIONS) if scopes is None else scopes,
            lifetime=timedelta(days=30),
        )
        return Program(Client(), {"Authorization": f"Bearer {text}"})

    return make


def problem(response: HttpResponse, status: int, kind: str) -> dict[str, Any]:
    """The problem that was answered, once it was seen to be one."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()  # type: ignore[attr-defined]
    assert {"type", "title", "status", "detail", "instance"} <= set(document)
    assert document["status"] == status
    assert document["type"] == f"urn:hilum:problem:{kind}"
    return document
