"""What happens to the trail by itself. Each task may run twice without harm."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery.schedules import crontab

from audit import services
from foundation.tasks import task

logger = logging.getLogger(__name__)


@task(every=timedelta(minutes=1))
def seal() -> None:
    """Seal what was written since the last time."""
    services.seal_events()


@task(every=crontab(hour="0", minute="10"))
def anchor() -> None:
    """Once a day, put the newest seal's digest outside the database."""
    services.anchor_newest_seal()


@task("reports", every=crontab(hour="2", minute="0"))
def verify() -> None:
    """Every night, look for alterations, keep the result, and raise the alarm in the log."""
    found = services.check_trail()
    if found.faults:
        logger.critical(
            "The audit trail was altered in %d places; the first is %s", found.faults, found.first_fault
        )
