"""`make run` for real: every process is started, watched, named when it dies, started again, and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.environment import BASE_DIR
from tests.installation import PATIENCE, Installation, end, free_port, processes_of, started, well

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture(scope="module")
def installation(data: Path) -> Iterator[Installation]:
    with started(data, "--empty") as running:
        yield running


def test_health_tells_that_every_part_is_up(installation: Installation) -> None:
    assert installation.wait(well) == {"database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"}


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("worker", ("celery", " worker ")),
        ("beat", ("celery", " beat ")),
        ("broker", ("valkey-server",)),
        ("database", ()),
    ],
)
def test_health_names_the_part_that_was_killed_until_it_is_back(
    installation: Installation, part: str, words: tuple[str, ...]
) -> None:
    installation.wait(well)
    (installation.find(*words) if words else installation.postmaster()).kill()
    report = installation.wait(lambda status, report: status == 503 and report[part] != "ok")
    others = {name for name, value in report.items() if value != "ok"}
    assert others <= ({part, "worker", "beat"} if part == "broker" else {part})
    installation.wait(well)


def test_a_killed_web_server_comes_back(installation: Installation) -> None:
    installation.wait(well)
    installation.find("gunicorn").kill()
    installation.wait(lambda status, _: status == 0)
    installation.wait(well)


def test_a_second_start_on_the_same_data_is_refused(installation: Installation) -> None:
    second = start_and_wait(installation.data)
    assert second.returncode == 1
    assert "already running" in second.stdout


def start_and_wait(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.run"],
        cwd=BASE_DIR,
        env={**os.environ, "HILUM_DATA": str(data), "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", "config.run"],
            cwd=BASE_DIR,
            env={**os.environ, "HILUM_DATA": str(tmp_path), "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert refused.returncode == 1
    assert f"Port {port} is taken" in refused.stdout
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_process_and_the_data_stay(
    tmp_path_factory: pytest.TempPathFactory, number: signal.Signals
) -> None:
    data = tmp_path_factory.mktemp("ended")
    with started(data, "--empty") as first:
        pids = {process.pid for process in processes_of(data)} | {first.postmaster().pid}
        assert len(pids) >= 7
        end(first, number)
        assert first.process.returncode == 0
        assert processes_of(data) == []
        assert not [pid for pid in pids if psutil.pid_exists(pid)]
    assert (data / "postgres" / "PG_VERSION").exists()
