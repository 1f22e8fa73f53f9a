"""What happens to accounts by itself. Each task may run twice without harm."""

from __future__ import annotations

from accounts.alarms import tell_of_lock
from foundation.tasks import task


@task()
def report_lock(event_id: int) -> None:
    """Tell the administrators that an account was locked."""
    tell_of_lock(event_id)
