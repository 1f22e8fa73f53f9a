"""What this room does when a lower room says that something happened."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from patients.signals import subject_screened
from visits.services import plan_visits_for


@receiver(subject_screened, dispatch_uid="visits.plan_first_visits")
def plan_first_visits(sender: object, **said: Any) -> None:
    """A subject in screening has the visits that need no anchor."""
    plan_visits_for(actor=said["actor"], subject=said["subject"], anchors={})
