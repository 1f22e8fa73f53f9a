"""Which broker: `REDIS_URL`, else the embedded Valkey in the data folder."""

from __future__ import annotations

from pathlib import Path

from config.embedded.valkey import valkey_socket
from config.environment import text


def broker_url(data: Path) -> str:
    """Address of the broker for Celery."""
    return text("REDIS_URL") or f"redis+socket://{valkey_socket(data)}"
