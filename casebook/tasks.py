"""What happens in the casebook by itself. Each task may run twice without harm."""

from __future__ import annotations

from celery.schedules import crontab

from casebook.services import forget_old_drafts
from foundation.tasks import task


@task(every=crontab(minute="40", hour="2"))
def drop_old_drafts() -> None:
    """Every night: drop what was typed, not saved, and not come back for."""
    forget_old_drafts()
