"""Run an installation in the foreground: `python -m config.run`, which is what `make run` does.

Ctrl-C, SIGTERM or SIGHUP end every process that was started; a second one ends them at once. With `--empty`, an empty
database is not filled with a demonstration.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import django
from django.core.management.base import CommandError

from config import environment
from config.embedded.postgres import PostgresFailed
from config.run.child import Child, say

LOOPBACK = "127.0.0.1"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CannotRun(Exception):
    """The reason why nothing was started."""


@dataclass(frozen=True)
class Plan:
    """What to run: data and port, the demo accounts' password and whether it was given, and a demonstration or not."""

    data: Path
    port: int
    password: str
    given: bool
    demonstration: bool


def main() -> int:
    """Prepare, run until a signal comes, and end everything.

    Returns
    -------
    int
        Exit status: 0 after a signal, 1 where the installation could not be started.
    """
    for number in SIGNALS:
        signal.signal(number, _end)
    port = environment.number("PORT", 8000, low=1, high=65535)
    data = environment.data_folder()
    try:
        lock = _only_one(data)
        _refuse_busy_port(port)
    except CannotRun as error:
        say("run", str(error))
        return 1
    plan = Plan(data, port, *_demo_password(), demonstration="--empty" not in sys.argv[1:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("TRAINING", "True")
    django.setup()
    try:
        run_until_signalled(plan)
    except CannotRun as error:
        say("run", str(error))
        return 1
    finally:
        os.close(lock)
    return 0


def run_until_signalled(plan: Plan) -> None:
    """Start servers and processes, and look after them; ends them all whatever happens."""
    from django.conf import settings  # noqa: PLC0415 - settings exist after django.setup() only

    from config.database import start_embedded  # noqa: PLC0415 - as above
    from config.run.prepare import prepare  # noqa: PLC0415 - as above
    from config.run.supervisor import Supervisor, embedded_postgres_of  # noqa: PLC0415 - as above

    embedded = not environment.text("DATABASE_URL")
    supervisor = Supervisor(
        children=_broker(plan.data),
        postgres=embedded_postgres_of(plan.data) if embedded else None,
        broker_url=settings.CELERY_BROKER_URL,
    )
    try:
        if embedded:
            say("setup", "database: starting the embedded PostgreSQL")
            start_embedded()
        supervisor.start()
        prepare(demonstration=plan.demonstration)
        users = _processes(plan.data, plan.port)
        supervisor.children += users
        for child in users:
            child.start()
        supervisor.watch(
            f"http://{LOOPBACK}:{plan.port}/healthz",
            on_ready=lambda: _greet(plan),
        )
    except KeyboardInterrupt:
        say("run", "ending")
    except (CommandError, PostgresFailed) as error:
        raise CannotRun(str(error)) from error
    finally:
        for number in SIGNALS:
            signal.signal(number, lambda *_: supervisor.kill())
        supervisor.end()
        say("run", "everything has ended")


def _broker(data: Path) -> list[Child]:
    from config.embedded.valkey import valkey_command  # noqa: PLC0415 - only where it is wanted

    if environment.text("REDIS_URL"):
        return []
    return [Child("broker", valkey_command(data), _child_environment())]


def _processes(data: Path, port: int) -> list[Child]:
    programs = Path(sys.executable).parent
    beat = data / "beat"
    beat.mkdir(parents=True, exist_ok=True)
    commands = {
        "web": [
            str(programs / "gunicorn"), "config.wsgi:application", "--bind", f"{LOOPBACK}:{port}", "--workers", "2",
            "--worker-class", "gthread", "--threads", "4", "--timeout", "60", "--graceful-timeout", "5",
            "--max-requests", "5000", "--max-requests-jitter", "500", "--no-control-socket", "--log-level", "warning",
        ],
        "worker": [
            str(programs / "celery"), "-A", "config", "--quiet", "worker", "-Q", "default,imaging,reports", "-c", "2",
            "--without-gossip", "--without-mingle", "-l", "WARNING",
        ],
        "beat": [
            str(programs / "celery"), "-A", "config", "--quiet", "beat", "--scheduler", "config.heartbeat:Scheduler",
            "--schedule", str(beat / "schedule"), "--pidfile=", "-l", "WARNING",
        ],
    }  # fmt: skip
    return [Child(name, command, _child_environment()) for name, command in commands.items()]


def _child_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DEMO_PASSWORD"}
    return {**kept, "PYTHONUNBUFFERED": "1", "HILUM_SUPERVISED": "True"}


def _demo_password() -> tuple[str, bool]:
    given = environment.text("DEMO_PASSWORD")
    password = given or "-".join(secrets.token_hex(2) for _ in range(4))
    os.environ["DEMO_PASSWORD"] = password
    return password, bool(given)


def _only_one(data: Path) -> int:
    data.mkdir(parents=True, exist_ok=True)
    handle = os.open(data / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise CannotRun(
            f"Hilum is already running on the data in {data}. Set HILUM_DATA for a second one."
        ) from None
    return handle


def _refuse_busy_port(port: int) -> None:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((LOOPBACK, port))
        except OSError:
            raise CannotRun(f"Port {port} is taken. Set PORT to another, such as PORT={port + 1}.") from None


def _greet(plan: Plan) -> None:
    from config.run.prepare import demo_accounts  # noqa: PLC0415 - after django.setup()

    say("ready", f"Hilum is at http://{LOOPBACK}:{plan.port}/ (Ctrl-C ends it)")
    accounts = demo_accounts()
    if accounts:
        say(
            "ready", f"Demo accounts, password {'as given in DEMO_PASSWORD' if plan.given else plan.password}"
        )
    for user in accounts:
        say("ready", f"  {user.username:<14} {user.full_name}")


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        status = main()
    except KeyboardInterrupt:
        status = 0
    sys.exit(status)
