"""Django's PostgreSQL backend that starts the embedded server at the first connection.

A command that never asks the database (`check`, `calculate`, `check_protocol`) therefore starts nothing.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from config.database import start_embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the embedded server, after having started it."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        start_embedded()
        return super().get_new_connection(conn_params)
