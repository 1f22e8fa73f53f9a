"""Starts everything, watches it, restarts what dies, and ends it all together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import redis

from config.embedded.postgres import Postgres, PostgresFailed
from config.heartbeat import BEAT, WORKER, broker
from config.run.child import Child, adopt_orphans, end_all, reap_orphans, say

LOOK_EVERY = 0.2  # seconds
SERVERS_FIRST = ("broker",)
GRACE = 8.0
HEARTBEATS = {"worker": WORKER, "beat": BEAT}


@dataclass
class Supervisor:
    """The processes of one installation.

    Parameters
    ----------
    children
        What runs, in the order of starting; they end in the opposite order.
    postgres
        The embedded server, started already, or None where the database is elsewhere.
    broker_url
        Where worker and beat leave their signs of life.
    """

    children: list[Child]
    postgres: Postgres | None
    broker_url: str
    _postgres_due: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Start every child."""
        adopt_orphans()
        for child in self.children:
            child.start()

    def watch(self, health: str, on_ready: Callable[[], None]) -> None:
        """Look after everything until a signal ends this process's work.

        Parameters
        ----------
        health
            Address that answers 200 once everything is up.
        on_ready
            Called then, once.
        """
        ready = False
        while True:
            time.sleep(LOOK_EVERY)
            self._look_after_postgres()
            for child in self.children:
                self._look_after(child)
            reap_orphans(self.children)
            if not ready and _is_well(health):
                ready = True
                on_ready()

    def kill(self) -> None:
        """End every child at once, asking nobody."""
        for child in self.children:
            child.kill()

    def end(self) -> None:
        """End every process: first those that use the servers, then the servers."""
        users = [child for child in self.children if child.name not in SERVERS_FIRST]
        end_all(users, seconds=GRACE)
        end_all([child for child in self.children if child not in users], seconds=GRACE)
        if self.postgres is not None:
            server = self.postgres.pid()
            self.postgres.stop()
            self._see_out(server)
        reap_orphans(self.children)

    def _see_out(self, server: int | None) -> None:
        """Its file goes a moment before the process does."""
        until = time.monotonic() + GRACE
        while server is not None and _exists(server) and time.monotonic() < until:
            reap_orphans(self.children)
            time.sleep(0.02)

    def _look_after(self, child: Child) -> None:
        if child.is_running():
            return
        if not child.due:
            self._forget_heartbeat(child.name)
            wait = child.plan_restart()
            say("run", f"{child.name} {child.ended()}; starting it again in {wait:.0f} s")
        elif time.monotonic() >= child.due:
            child.start()

    def _look_after_postgres(self) -> None:
        if self.postgres is None or self.postgres.pid() is not None:
            return
        if not self._postgres_due:
            self._postgres_due = time.monotonic() + 3
            say("run", "postgres is down; starting it again in 3 s")
        elif time.monotonic() >= self._postgres_due:
            self._postgres_due = 0.0
            try:
                self.postgres.start()
            except PostgresFailed as error:
                say("run", str(error))

    def _forget_heartbeat(self, name: str) -> None:
        if name in HEARTBEATS:
            try:
                broker(self.broker_url).delete(HEARTBEATS[name])
            except redis.RedisError:
                return  # with the broker down, nobody reads it either


def embedded_postgres_of(folder: Path) -> Postgres:
    """A second handle on the embedded server of a data folder, to watch and stop it."""
    return Postgres(folder / "postgres")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _is_well(address: str) -> bool:
    try:
        with urlopen(address, timeout=2) as answer:  # noqa: S310 - an http address of this machine
            return bool(answer.status == 200)
    except (URLError, OSError, HTTPException):
        return False
