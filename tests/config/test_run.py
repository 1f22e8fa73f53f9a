"""`make run` for real: every process is started, watched, named when it dies, started again, and ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil
import pytest

from config.environment import BASE_DIR, VARIABLES

pytestmark = pytest.mark.servers
PATIENCE = 240  # seconds; nothing here is a measure of speed


@dataclass
class Installation:
    """A running installation in a folder of its own."""

    process: subprocess.Popen[bytes]
    data: Path
    port: int
    log: Path

    def health(self) -> tuple[int, dict[str, str]]:
        """Status and report of `/healthz`; status 0 where nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)
        except (URLError, OSError):
            return 0, {}

    def wait(self, condition: Callable[[int, dict[str, str]], bool]) -> dict[str, str]:
        """Poll `/healthz` until it is as wanted."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status, report = self.health()
            if condition(status, report):
                return report
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"Not reached: {self.health()}\n{self.log.read_text()}")

    def find(self, *words: str) -> psutil.Process:
        """The process whose command has these words; the parent where several do."""
        found = [each for each in processes_of(self.data) if all(word in command(each) for word in words)]
        assert found, f"No process with {words}"
        return min(found, key=lambda each: each.create_time())

    def postmaster(self) -> psutil.Process:
        """The embedded PostgreSQL."""
        return psutil.Process(int((self.data / "postgres" / "postmaster.pid").read_text().split()[0]))


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def processes_of(data: Path) -> list[psutil.Process]:
    """Every process that works on a data folder, by its environment or its command."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("HILUM_DATA") == str(data) or str(data) in " ".join(
                process.cmdline()
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if mine and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


def start(data: Path) -> Installation:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in VARIABLES and not name.startswith("DJANGO_")
    }
    port = free_port()
    log = data / "run.log"
    environment = {
        **kept,
        "HILUM_DATA": str(data),
        "PORT": str(port),
        "DEMO_PASSWORD": "a long enough password",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run", "--empty"],
            cwd=BASE_DIR,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Installation(process, data, port, log)


def end(installation: Installation, number: signal.Signals) -> None:
    installation.process.send_signal(number)
    installation.process.wait(timeout=PATIENCE)


@contextmanager
def started(data: Path) -> Iterator[Installation]:
    """An installation that is up, and gone afterwards whatever happens."""
    running = start(data)
    try:
        running.wait(well)
        yield running
    finally:
        if running.process.poll() is None:
            end(running, signal.SIGTERM)
        for process in processes_of(data):
            process.kill()


@pytest.fixture(scope="module")
def installation(data: Path) -> Iterator[Installation]:
    with started(data) as running:
        yield running


def well(status: int, report: dict[str, str]) -> bool:
    return status == 200


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
    with started(data) as first:
        pids = {process.pid for process in processes_of(data)} | {first.postmaster().pid}
        assert len(pids) >= 7
        end(first, number)
        assert first.process.returncode == 0
        assert processes_of(data) == []
        assert not [pid for pid in pids if psutil.pid_exists(pid)]
    assert (data / "postgres" / "PG_VERSION").exists()
