"""What happens to visits by itself. Each task may run twice without harm."""

from __future__ import annotations

from celery.schedules import crontab

from foundation.tasks import task
from visits.reminders import send_reminders


@task(every=crontab(minute="15", hour="6-20"))
def remind() -> None:
    """Every hour of the working day: write to those at whose sites visits wait, once a day each."""
    send_reminders()
