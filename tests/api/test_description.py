"""The description: OpenAPI 3.1 without a warning, and a page for people under the same policy as all pages."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.policies import PERMISSIONS
from config import api

METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = api.description()["paths"]
    return [(path, method, each) for path, methods in paths.items() for method, each in methods.items()]


def test_the_description_is_valid_and_made_without_a_warning() -> None:
    out = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=out)
    assert "openapi: 3.1" in out.getvalue()


def test_every_endpoint_is_described_with_its_words_permissions_and_problems() -> None:
    described = {path for path, _, _ in operations()}
    assert len(described) == len(api.ENDPOINTS)
    for path, method, operation in operations():
        assert method in METHODS
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["x-permissions"]) <= set(PERMISSIONS)
        assert {"401", "429"} <= set(operation["responses"])
        assert {"application/problem+json"} == set(operation["responses"]["401"]["content"])


def test_no_operation_signs() -> None:
    assert not [path for path, method, _ in operations() if "sign" in path and method != "get"]


@pytest.mark.django_db
def test_the_document_and_its_page_are_for_everybody() -> None:
    answer = Client().get("/api/schema/")
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    assert answer.json()["openapi"].startswith("3.1")
    page = Client().get("/api/docs/").content.decode()
    for _, _, operation in operations():
        assert f'id="{operation["operationId"]}"' in page


@pytest.mark.django_db
def test_the_page_shows_fields_inside_fields_and_codes() -> None:
    page = Client().get("/api/docs/").content.decode()
    for words in ("items{}.expected", "values{}.unit", "SCREEN_FAILURE", "entry.write", "subject.register"):
        assert words in page
