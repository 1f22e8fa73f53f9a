"""`make setup` does what is not done yet, and finds a Node that is new enough."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts import setup
from tests.architecture.guards import ROOT


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A project of one file; the list grows with each time the step is done."""
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "STAMPS", tmp_path)
    (tmp_path / "requirements.txt").write_text("django==5.2.19\n")
    return []


def step(done: list[str], folder: Path, made: Path | None = None) -> None:
    setup._step("dependencies", [folder / "requirements.txt"], lambda: done.append("done"), made=made)


def test_a_step_is_done_once(done: list[str], tmp_path: Path) -> None:
    step(done, tmp_path)
    step(done, tmp_path)
    assert done == ["done"]


def test_a_step_is_done_again_when_its_input_changed(done: list[str], tmp_path: Path) -> None:
    step(done, tmp_path)
    (tmp_path / "requirements.txt").write_text("django==5.2.20\n")
    step(done, tmp_path)
    assert done == ["done", "done"]


def test_a_step_is_done_again_when_its_result_is_gone(done: list[str], tmp_path: Path) -> None:
    step(done, tmp_path, made=tmp_path)
    step(done, tmp_path, made=tmp_path / "dist")
    assert done == ["done", "done"]


def test_a_step_that_failed_is_tried_again(done: list[str], tmp_path: Path) -> None:
    def fail() -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        setup._step("dependencies", [tmp_path / "requirements.txt"], fail)
    step(done, tmp_path)
    assert done == ["done"]


def programs(folder: Path, version: str) -> Path:
    """A folder with a Node of some version, and an npm."""
    folder.mkdir()
    for name, line in (("node", f"echo {version}"), ("npm", "true")):
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        ("v22.13.0", True),
        ("v24.1.0", True),
        ("v22.12.9", False),
        ("v20.20.2", False),
        ("v9.99.0", False),
        ("", False),
    ],
)
def test_the_machines_node_is_taken_if_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, taken: bool
) -> None:
    folder = programs(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    node, npm = setup.find_node()
    assert (node == folder / "node") is taken
    assert npm.exists()


def test_a_machine_without_node_gets_that_of_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    node, npm = setup.find_node()
    assert node.is_file()
    assert npm.name == "npm-cli.js"
    assert setup._node_version(str(node)) >= setup.OLDEST_NODE


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_with_its_digest_and_names_no_registry(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert entries
    assert all("==" in entry and entry.endswith("\\") for entry in entries)
    assert "://" not in text
