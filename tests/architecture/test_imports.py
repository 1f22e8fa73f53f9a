"""The contracts of `pyproject.toml` (run by `make lint`) hold here too, and each fails on a small bad example."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.rooms import FLOORS, ROOMS
from tests.architecture.guards import ROOT

EXAMPLES = [
    ("patients/services.py", "import visits", "A room imports only from the floors below"),
    ("qol/services.py", "import safety", "A room imports only from the floors below"),
    ("foundation/web.py", "import audit", "A room imports only from the floors below"),
    ("trials/selectors.py", "import config", "A room imports only from the floors below"),
    ("logic/units.py", "import django", "The rule language knows no Django"),
    ("logic/units.py", "import foundation", "The rule language knows no Django"),
    ("visits/rules/schedule.py", "import django", "Rules are pure"),
    ("visits/rules/schedule.py", "import foundation.clock", "Rules are pure"),
    ("visits/services.py", "import visits.views", "Inside a room"),
    ("visits/models.py", "import visits.selectors", "Inside a room"),
    ("visits/selectors.py", "import visits.services", "Inside a room"),
    ("visits/rules/schedule.py", "import visits.models", "Inside a room"),
]
MODULES = ("models", "selectors", "services", "views", "forms", "errors", "rules/schedule")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            Path(sys.executable).parent / "lint-imports",
            "--no-cache",
            "--config",
            str(folder / "pyproject.toml"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    """Every room, with one empty module of each kind, under the real contracts."""
    for room in (*ROOMS, "config", "logic"):
        for module in MODULES:
            path = tmp_path / room / f"{module}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            (path.parent / "__init__.py").touch()
    for name in ("foundation/clock", "foundation/tasks", "foundation/web", "accounts/models", "logic/units"):
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "foundation/tasks.py").write_text("import django, celery, redis, psycopg2, rest_framework\n")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    return tmp_path


def test_the_house_keeps_its_contracts() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def test_an_empty_house_keeps_the_contracts(small_house: Path) -> None:
    done = lint(small_house)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "line", "contract"), EXAMPLES, ids=[f"{path}:{line}" for path, line, _ in EXAMPLES]
)
def test_a_contract_fails_on_a_bad_import(small_house: Path, path: str, line: str, contract: str) -> None:
    (small_house / path).write_text(f"{line}\n")
    done = lint(small_house)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [text for text in done.stdout.splitlines() if text.startswith(contract)]
    assert any("BROKEN" in text for text in broken) or "BROKEN" in done.stdout.split(contract, 1)[1][:160]


def test_every_room_stands_on_a_floor() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert rooms - {"config"} == set(ROOMS) == set(FLOORS) - {"logic", "config"}
