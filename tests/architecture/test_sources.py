"""What no source of ours may contain; each guard is shown to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.guards import (
    BYPASS,
    NOT_OURS,
    ROOT,
    environment_reads,
    impurities,
    python_files,
    swallowing_handlers,
    template_faults,
)

ENVIRONMENT_MAY_BE_READ_IN = {
    "config/environment.py",
    "config/run/__main__.py",  # passes it on to the processes that it starts
    "config/celery.py",  # names the settings module
    "config/wsgi.py",  # the same
    "manage.py",  # the same
    "scripts/setup.py",  # runs before there are settings
    "scripts/test.py",  # the same
    "benchmarks/common.py",  # names the settings module, and a database of its own
    "benchmarks/trail.py",  # the same
    "benchmarks/viewer.py",  # lets a browser run in its thread
}
FILLS_A_SCRATCH_DATABASE = {"benchmarks/matrix.py"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_rules_are_pure() -> None:
    pure = [path for path in python_files() if "rules" in path.parts or name(path).startswith("logic/")]
    assert pure
    assert {name(path): found for path in pure if (found := impurities(path.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import django",
        "from django.db import models",
        "import time",
        "from os import environ",
        "from datetime import date\ndate.today()",
        "from datetime import datetime\nx = datetime.now()",
        "def rule(path):\n    return open(path).read()",
    ],
)
def test_the_guard_sees_an_impure_rule(source: str) -> None:
    assert impurities(source)


@pytest.mark.parametrize(
    "source",
    ["from decimal import Decimal", "from datetime import date\nx = date(2025, 3, 4)", "today = as_of"],
)
def test_the_guard_lets_a_pure_rule_pass(source: str) -> None:
    assert impurities(source) == []


def test_no_handler_swallows_a_bug() -> None:
    found = {
        name(path): lines
        for path in python_files(tests=True)
        if (lines := swallowing_handlers(path.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "caught", ["", " Exception", " BaseException", " (ValueError, Exception)", " Exception as e"]
)
def test_the_guard_sees_a_handler_that_swallows(caught: str) -> None:
    assert swallowing_handlers(f"try:\n    pass\nexcept{caught}:\n    pass\n") == [3]


def test_the_guard_lets_a_named_error_pass() -> None:
    assert swallowing_handlers("try:\n    pass\nexcept (ValueError, KeyError):\n    pass\n") == []


def test_nothing_goes_round_the_trail() -> None:
    found = [name(path) for path in python_files() if BYPASS.search(path.read_text())]
    assert set(found) <= FILLS_A_SCRATCH_DATABASE


@pytest.mark.parametrize(
    "source",
    [
        "with pgtrigger.ignore('audit'):",
        "cursor.execute('ALTER TABLE x DISABLE TRIGGER ALL')",
        "cursor.execute('alter table x disable  trigger user')",
        "SET LOCAL session_replication_role = replica",
    ],
)
def test_the_guard_sees_a_way_round_the_trail(source: str) -> None:
    assert BYPASS.search(source)


def test_only_the_settings_read_the_environment() -> None:
    found = {name(path) for path in python_files() if environment_reads(path.read_text())}
    assert found <= ENVIRONMENT_MAY_BE_READ_IN


@pytest.mark.parametrize("source", ["import os\nx = os.environ['A']", "import os\nx = os.getenv('A')"])
def test_the_guard_sees_a_read_of_the_environment(source: str) -> None:
    assert environment_reads(source) == [2]


def templates() -> list[Path]:
    found = [*ROOT.rglob("*.html"), *ROOT.rglob("templates/**/*.svg")]
    return [path for path in found if path.relative_to(ROOT).parts[0] not in {*NOT_OURS, "tests", "docs"}]


def test_templates_hold_nothing_that_the_policy_refuses() -> None:
    assert {name(path): found for path in templates() if (found := template_faults(path.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        '<p style="color: red">',
        "<style>p {}</style>",
        "<script>alert(1)</script>",
        '<script type="module">let a</script>',
        '<button onclick="go()">',
        '<button hx-on:click="go()">',
        '<button hx-on--after-request="go()">',
        "<a href='javascript:go()'>",
        "<div hx-vals='js:{a: 1}'>",
        "<input hx-trigger=\"keyup[key=='Enter']\">",
        '<script src="https://elsewhere.example/a.js"></script>',
        '<link href="//elsewhere.example/a.css">',
        "{{ name|safe }}",
        "{% autoescape off %}",
    ],
)
def test_the_guard_sees_a_bad_template(source: str) -> None:
    assert template_faults(source)


@pytest.mark.parametrize(
    "source",
    [
        '<script type="application/json" id="data">{"a": 1}</script>',
        '<script type="module" src="/static/a.js"></script>',
        '<p class="style">On style = nothing</p>',
        "<input hx-trigger='change delay:300ms'>",
        '{# style="x" in a comment #}',
        '<a href="/subjects/">Subjects</a>',
        '<button data-action="go">',
    ],
)
def test_the_guard_lets_a_good_template_pass(source: str) -> None:
    assert template_faults(source) == []
