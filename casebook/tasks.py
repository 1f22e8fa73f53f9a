"""What happens in the casebook by itself. Each task may run twice without harm."""

from __future__ import annotations

from datetime import timedelta

from celery.schedules import crontab

from casebook.services import forget_old_drafts
from casebook.services.lock_runs import make_lock_run, waiting_lock_runs
from foundation.tasks import task


@task(every=crontab(minute="40", hour="2"))
def drop_old_drafts() -> None:
    """Every night: drop what was typed, not saved, and not come back for."""
    forget_old_drafts()


@task("reports")
def lock_casebooks(run_id: int) -> None:
    """Lock every casebook of a site that is ready."""
    make_lock_run(run_id)


@task("reports", every=timedelta(minutes=1))
def sweep_lock_runs() -> None:
    """Take up runs that wait, or whose worker was killed."""
    for run_id in waiting_lock_runs():
        make_lock_run(run_id)
