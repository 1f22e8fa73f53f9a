"""One process under supervision: started in a group of its own, its lines prefixed, ended with all it started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

FIRST_DELAY = 3.0  # seconds; long enough for a person, or a monitor, to see at /healthz what died
LONGEST_DELAY = 30.0
LIVED_WELL = 60.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Child:
    """A command that is kept running.

    Parameters
    ----------
    name
        Prefix of its lines.
    command
        Program and arguments.
    environment
        All of its environment.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    delay: float = field(default=FIRST_DELAY, init=False)
    started: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Start the process, or start it again."""
        self.started, self.due = time.monotonic(), 0.0
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, prepared beforehand
        )
        assert self.process.stdout is not None
        threading.Thread(target=_prefix, args=(self.name, self.process.stdout), daemon=True).start()

    def is_running(self) -> bool:
        """Is the process itself alive?"""
        return self.process is not None and self.process.poll() is None

    def ended(self) -> str:
        """How it ended, in words."""
        code = None if self.process is None else self.process.returncode
        if code is None:
            return "did not start"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"

    def plan_restart(self) -> float:
        """Clear what the dead process left of its group, and choose when to try again: later after each failure."""
        self.kill()
        lived = time.monotonic() - self.started
        self.delay = FIRST_DELAY if lived > LIVED_WELL else self.delay
        wait, self.delay = self.delay, min(self.delay * 2, LONGEST_DELAY)
        self.due = time.monotonic() + wait
        return wait

    def terminate(self) -> None:
        """Ask the process to end; it tells those that it started."""
        if self.is_running():
            assert self.process is not None
            self.process.terminate()

    def kill(self) -> None:
        """End whatever is left of the process's group, at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of what our processes leave behind (Linux), so that it can be reaped wherever init does not."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def reap_orphans(children: list[Child]) -> None:
    """Take note of the end of adopted processes; those of `children` note their own."""
    own = {child.process.pid for child in children if child.process is not None}
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in own:
            return
        with contextlib.suppress(ChildProcessError):
            os.waitpid(ended.si_pid, os.WNOHANG)


def end_all(children: list[Child], *, seconds: float) -> None:
    """Ask all to end, wait at most `seconds` for them together, then end what is left of their groups."""
    for child in children:
        child.terminate()
    until = time.monotonic() + seconds
    while any(child.is_running() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    for child in children:
        child.kill()
        if child.process is not None:
            child.process.wait()


def _prefix(name: str, lines: IO[bytes]) -> None:
    for line in lines:
        say(name, line.decode(errors="replace").rstrip())


def say(name: str, line: str) -> None:
    """One line of the terminal."""
    sys.stdout.write(f"{name:<8} | {line}\n")
    sys.stdout.flush()


def _parent_death_signal() -> Callable[[], None]:
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) and None


_die_with_parent = _parent_death_signal()
