"""A whole installation started as people start it, in a folder of its own."""

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

from config.environment import BASE_DIR, VARIABLES

PATIENCE = 240  # seconds; nothing here is a measure of speed
DEMO_PASSWORD = "a long enough password"


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


def kept_environment() -> dict[str, str]:
    """This process's environment without what says which installation it belongs to."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in VARIABLES and not name.startswith("DJANGO_")
    }


def start(data: Path, *arguments: str) -> Installation:
    port = free_port()
    log = data / "run.log"
    environment = {
        **kept_environment(),
        "HILUM_DATA": str(data),
        "PORT": str(port),
        "DEMO_PASSWORD": DEMO_PASSWORD,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run", *arguments],
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
def started(data: Path, *arguments: str) -> Iterator[Installation]:
    """An installation that is up, and gone afterwards whatever happens; empty by `"--empty"`."""
    running = start(data, *arguments)
    try:
        running.wait(well)
        yield running
    finally:
        if running.process.poll() is None:
            end(running, signal.SIGTERM)
        for process in processes_of(data):
            process.kill()


def well(status: int, report: dict[str, str]) -> bool:
    return status == 200
