"""Work in the background: identifiers in, one service call, may run twice."""

from __future__ import annotations

from datetime import timedelta

from audit.context import origin
from foundation.tasks import task
from imaging import services


@task(queue="imaging")
def process_batch(batch_id: int) -> None:
    """De-identify and store a batch."""
    with origin("task"):
        services.process_batch(batch_id)


@task(queue="imaging", every=timedelta(minutes=1))
def sweep_batches() -> None:
    """Take up batches that nobody processes, studies that nobody reads, and reads due to be repeated."""
    with origin("task"):
        services.place_waiting()
        services.sweep()
        services.queue_waiting()
        services.queue_repeats()


@task(queue="imaging", every=timedelta(hours=6))
def sweep_leftovers() -> None:
    """Destroy originals about which nobody decided in time, and those that the storage kept against a decision."""
    with origin("task"):
        services.destroy_expired()
        services.destroy_leftovers()
