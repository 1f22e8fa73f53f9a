"""Processor time for a frame served, by a real gunicorn to a client on the same machine.

`.venv/bin/python -m benchmarks.frames [--slices 100] [--rounds 5]`

Side by side: a bare WSGI application that sends a file; the short way (what is asked for within a minute of a frame
that was allowed); and the whole way with every check, session and permission included. Each is a server of its own
with one process; PostgreSQL's share is counted.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import statistics
import tempfile
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.common import SETUP, open_trial, scratch_database, screened

# isort: split
import psutil
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client
from gunicorn.app.base import BaseApplication

from accounts.models import Grant, User
from audit.context import acting
from benchmarks.ingest import series, visits_of
from foundation import clock
from imaging.gate import FrameGate
from imaging.models import Instance, Origin, Read, ReaderRecord
from imaging.rules.qualification import LACKING
from imaging.services import process_batch, receive_files
from trials.models import Trial


class Server(BaseApplication):
    """gunicorn as `make run` starts it, with one process."""

    def __init__(self, application: Any, port: int) -> None:
        self._application, self._port = application, port
        super().__init__()

    def load_config(self) -> None:
        """As in `config.run`, but for the number of processes."""
        for key, value in {
            "bind": f"127.0.0.1:{self._port}", "workers": 1, "worker_class": "gthread", "threads": 4,
            "loglevel": "warning", "keepalive": 30,
        }.items():  # fmt: skip
            self.cfg.set(key, value)

    def load(self) -> Any:
        """The application."""
        return self._application


class Running:
    """A server in processes of its own, until the end of the block."""

    def __init__(self, application: Any) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        connections.close_all()
        self.pid = os.fork()
        if not self.pid:
            try:
                Server(application, self.port).run()
            finally:
                os._exit(0)  # whatever stands above in the stack belongs to the parent
        self._connect()

    def _connect(self) -> None:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("The server did not start.")

    def spent(self) -> float:
        """Processor seconds of its processes, and of PostgreSQL's for them."""
        own = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        backends = [each for each in psutil.process_iter(["name"]) if "postgres" in (each.info["name"] or "")]
        total = 0.0
        for process in [*own, *backends]:
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system
        return total

    def end(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)


def bare(path: Path) -> Any:
    """The least that a server does for a file."""

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        file = path.open("rb")
        size = os.fstat(file.fileno()).st_size
        start_response("200 OK", [("Content-Type", "image/jphc"), ("Content-Length", str(size))])
        sent: Iterable[bytes] = environ["wsgi.file_wrapper"](file, 65536)
        return sent

    return application


def fetch(port: int, addresses: list[str], cookie: str) -> None:
    """Fetch all, one after the other, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for address in addresses:
        connection.request("GET", address, headers={"Cookie": cookie})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content[:300]
    connection.close()


def reader_of(trial: str) -> User:
    """A radiologist of the trial."""
    with acting(SETUP):
        user = User.objects.create_user("reader", "a password of a benchmark", full_name="Reader")
        Grant.objects.create(
            user=user, role="radiologist", trial=trial, site="", starts=clock.now() - timedelta(days=1)
        )
        for kind in LACKING:
            ReaderRecord.objects.create(
                trial=Trial.objects.get(code=trial),
                reader=user,
                kind=kind,
                on=clock.today(),
                reference="Benchmark",
                reason="Benchmark",
            )
    return user


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    with scratch_database(), tempfile.TemporaryDirectory() as name:
        storage: Any = default_storage
        storage._wrapped = FileSystemStorage(location=Path(name) / "files")  # noqa: SLF001
        trial = open_trial("THERMODOX")
        user = reader_of(trial.code)
        (visit,) = visits_of([screened(trial, "B-1")])
        paths = series(Path(name) / "scanner", wanted.slices, 1)
        files = [(path.name, path) for path in paths]
        batch = receive_files(actor=SETUP, visit=visit, files=files, origin=Origin.COMMAND)
        process_batch(batch.pk)
        client = Client()
        client.force_login(user)
        read = Read.objects.get(reader=user)
        shown = client.get(f"/reading/{read.opaque}/images/").json()["series"]
        addresses = [each["frame"] for one in shown for each in one["instances"]]
        cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        frame = Path(storage.path(Instance.objects.order_by("pk")[0].frame_key))
        print(f"{len(addresses)} frames of {frame.stat().st_size / 1000:.0f} kB")
        measure(
            {
                "bare WSGI, file by sendfile": bare(frame),
                "the short way": FrameGate(get_wsgi_application()),
                "the whole way": get_wsgi_application(),
            },
            addresses,
            cookie,
            wanted.rounds,
        )


def measure(applications: dict[str, Any], addresses: list[str], cookie: str, rounds: int) -> None:
    """Each server in turn, round by round."""
    running = {name: Running(application) for name, application in applications.items()}
    spent: dict[str, list[float]] = {name: [] for name in running}
    try:
        for server in running.values():
            fetch(server.port, addresses[:10], cookie)
        for _ in range(rounds):
            for name, server in running.items():
                before = server.spent()
                fetch(server.port, addresses, cookie)
                spent[name].append(1000 * (server.spent() - before) / len(addresses))
    finally:
        for server in running.values():
            server.end()
    for name, each in spent.items():
        print(f"{name:30}{statistics.median(each):6.2f} ms a frame ({min(each):.2f} to {max(each):.2f})")


if __name__ == "__main__":
    main()
