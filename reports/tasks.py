"""Exports, simulations and copies of casebooks at work. Each task may run twice without harm."""

from __future__ import annotations

from datetime import timedelta

from foundation.tasks import task
from reports import copies, services, work
from reports.impact import running
from reports.models import CopyRequest, Export, Simulation


@task("reports")
def make_export(export_id: int) -> None:
    """Make one export."""
    services.make_export(export_id)


@task("reports", every=timedelta(minutes=1))
def sweep_exports() -> None:
    """Make what waits: exports whose message a dead broker lost, or whose worker was killed."""
    for export_id in work.waiting(Export):
        services.make_export(export_id)


@task("reports")
def make_simulation(simulation_id: int) -> None:
    """Try one amendment on the subjects."""
    running.make_simulation(simulation_id)


@task("reports", every=timedelta(minutes=1))
def sweep_simulations() -> None:
    """Make simulations that wait, or whose worker was killed."""
    for simulation_id in work.waiting(Simulation):
        running.make_simulation(simulation_id)


@task("reports")
def make_copy(request_id: int) -> None:
    """Make one copy of a casebook."""
    copies.make_copy(request_id)


@task("reports", every=timedelta(minutes=1))
def sweep_copies() -> None:
    """Make copies that wait, or whose worker was killed."""
    for request_id in work.waiting(CopyRequest):
        copies.make_copy(request_id)
