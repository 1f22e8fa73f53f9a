"""What waits for a person, room by room. Everything is derived; each part costs a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from accounts.access import Access
from reports.waiting.casebook import casebook_tasks
from reports.waiting.clinic import clinic_tasks
from reports.waiting.images import image_tasks
from reports.waiting.oversight import oversight_tasks
from reports.waiting.task import Task


def all_waiting(access: Access, today: date, now: datetime) -> Iterator[Task]:
    """All that waits, in no order."""
    yield from casebook_tasks(access, today)
    yield from clinic_tasks(access, today, now)
    yield from image_tasks(access, today)
    yield from oversight_tasks(access, today, now)
