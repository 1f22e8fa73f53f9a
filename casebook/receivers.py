"""What this room does when a lower room says that something happened."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from casebook.services.amending import take_over
from patients.signals import subject_moved


@receiver(subject_moved, dispatch_uid="casebook.take_over")
def bring_under_the_new_version(sender: object, **said: Any) -> None:
    """A subject that moved to another protocol version has its casebook under it."""
    take_over(actor=said["actor"], subject=said["subject"], previous=said["previous"])
