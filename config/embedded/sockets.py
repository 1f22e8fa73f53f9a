"""Where the embedded servers' Unix sockets lie."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

LONGEST_SOCKET_PATH = 100  # the kernel allows 107 characters; temporary names need a few


def socket_folder(data: Path, longest_name: str) -> Path:
    """`data` itself, or a short folder made from its name where the path would be too long for a socket."""
    if len(str(data / longest_name)) <= LONGEST_SOCKET_PATH:
        return data
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"hilum-{digest}"
