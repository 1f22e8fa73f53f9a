"""The secret of a training installation: made once, kept in its data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def installation_secret(path: Path) -> str:
    """Read the secret at `path`, readable by its owner only; made at the first call, by whoever comes first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()
