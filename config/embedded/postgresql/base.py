"""Django's PostgreSQL backend that starts the embedded server at the first connection.

A command that never asks the database (`check`, `calculate`, `check_protocol`) therefore starts nothing. Nor do the
processes of `make run`: there the supervisor alone starts servers, so that `/healthz` tells when one is down.
"""

from __future__ import annotations

from typing import Any

import psycopg2
from django.db.backends.postgresql import base

from config.database import start_embedded
from config.embedded.postgres import PostgresFailed
from config.environment import boolean


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the embedded server, after having started it."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not boolean("HILUM_SUPERVISED", default=False):
            try:
                start_embedded()
            except PostgresFailed as error:
                raise psycopg2.OperationalError(str(error)) from error
        return super().get_new_connection(conn_params)
