"""Exports at work. Each task may run twice without harm."""

from __future__ import annotations

from datetime import timedelta

from foundation.tasks import task
from reports import services


@task("reports")
def make_export(export_id: int) -> None:
    """Make one export."""
    services.make_export(export_id)


@task("reports", every=timedelta(minutes=1))
def sweep_exports() -> None:
    """Make what waits: exports whose message a dead broker lost, or whose worker was killed."""
    for export_id in services.waiting_exports():
        services.make_export(export_id)
