"""Who still uses an embedded server: locks on a file, which the kernel releases when a process dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Users:
    """The processes that use one server, counted by shared locks on `<folder>.users`."""

    def __init__(self, folder: Path) -> None:
        self._mutex_path = folder.with_name(folder.name + ".lock")
        self._users_path = folder.with_name(folder.name + ".users")
        self._handle: int | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else starts or stops the server meanwhile."""
        handle = _open(self._mutex_path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def join(self) -> None:
        """Count this process as a user; call it inside `alone`."""
        if self._handle is None:
            self._handle = _open(self._users_path)
            fcntl.flock(self._handle, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Stop counting this process; true if nobody is left. Call it inside `alone`."""
        if self._handle is None:
            return False
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(self._handle)
            self._handle = None
        return True


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
