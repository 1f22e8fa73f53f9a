"""Every variable of the environment is documented, and every documented one exists."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.environment import VARIABLES
from tests.architecture.guards import ROOT

ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \|", re.MULTILINE)


def documented(text: str) -> set[str]:
    """Variables with a row of their own in a table."""
    return set(ROW.findall(text))


def test_the_readme_has_a_row_for_each_variable() -> None:
    assert documented((ROOT / "README.md").read_text()) == set(VARIABLES)


def test_the_guard_sees_a_missing_row() -> None:
    assert documented("| `PORT` | where the server listens |\n| PLAIN | no |\n") == {"PORT"}


@pytest.mark.parametrize(("value", "meant"), [("True", True), ("False", False), ("", True), (" True ", True)])
def test_a_boolean_is_true_false_or_unset(
    monkeypatch: pytest.MonkeyPatch, value: str, *, meant: bool
) -> None:
    monkeypatch.setenv("DEBUG", value)
    assert environment.boolean("DEBUG", default=True) is meant


@pytest.mark.parametrize("value", ["true", "1", "yes", "Flase"])
def test_any_other_boolean_is_an_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DEBUG", value)
    with pytest.raises(ImproperlyConfigured, match="DEBUG must be True or False"):
        environment.boolean("DEBUG", default=False)


@pytest.mark.parametrize("value", ["1", "65535", "8000"])
def test_a_port_is_taken(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORT", value)
    assert environment.number("PORT", 8000, low=1, high=65535) == int(value)


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "80.5"])
def test_a_number_that_is_no_port_is_an_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORT", value)
    with pytest.raises(ImproperlyConfigured, match="PORT must be a whole number from 1 to 65535"):
        environment.number("PORT", 8000, low=1, high=65535)


def test_a_variable_that_is_not_listed_cannot_be_read() -> None:
    with pytest.raises(ImproperlyConfigured, match="HILUM_SECRET_SWITCH"):
        environment.text("HILUM_SECRET_SWITCH")
