"""What this room does when a lower room says that something happened."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from casebook.models import Entry
from casebook.services.amending import take_over
from casebook.services.automatic import settle_other_forms
from casebook.signals import entry_saved
from patients.signals import subject_moved


@receiver(subject_moved, dispatch_uid="casebook.take_over")
def bring_under_the_new_version(sender: object, **said: Any) -> None:
    """A subject that moved to another protocol version has its casebook under it."""
    take_over(actor=said["actor"], subject=said["subject"], previous=said["previous"])


@receiver(entry_saved, dispatch_uid="casebook.settle_other_forms")
def look_again(sender: type[Entry], entry: Entry, items: frozenset[str], **_: Any) -> None:
    """Checks of the subject's other forms look again at what changed."""
    settle_other_forms(entry, items)
