"""Tables of the visits room: one row per planned or unscheduled visit of a subject."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from patients.models import Subject


class VisitState(models.TextChoices):
    """Where a visit stands. Due, overdue and "in window" are derived from dates, never stored."""

    PLANNED = "PLANNED", "Planned"
    DONE = "DONE", "Done"
    MISSED = "MISSED", "Missed"
    SUPERSEDED = "SUPERSEDED", "Superseded"


def visit_label(code: str, sequence: int) -> str:
    """Name of a visit in addresses and rules: `D14` is the first of its code, `D14.2` the second."""
    return code if sequence == 1 else f"{code}.{sequence}"


class Visit(models.Model):
    """A visit of a subject.

    `code` points at the visit plan of the subject's protocol version. `sequence` tells apart several
    visits of one code (a Day 14 after each procedure, unscheduled visits).
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=16)
    sequence = models.PositiveSmallIntegerField(default=1)
    ordinal = models.PositiveSmallIntegerField()
    target = models.DateField(null=True)
    earliest = models.DateField(null=True)
    latest = models.DateField(null=True)
    because = models.CharField(max_length=300, blank=True)
    happened_on = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=VisitState, default=VisitState.PLANNED)
    missed_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["ordinal", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "code", "sequence"], name="visit_once_per_subject"),
            models.CheckConstraint(
                condition=models.Q(state__in=VisitState.values), name="visit_state_is_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="DONE") | models.Q(happened_on__isnull=False),
                name="a_visit_that_is_done_has_a_date",
            ),
        ]
        indexes = [models.Index(fields=["state", "latest"], name="visit_by_deadline")]

    def __str__(self) -> str:
        return visit_label(self.code, self.sequence)


class ReminderState(models.TextChoices):
    """What became of a mail."""

    CLAIMED = "CLAIMED", "Being sent"
    SENT = "SENT", "Sent"
    FAILED = "FAILED", "Not sent"


class Reminder(models.Model):
    """A mail about visits to one person on one day. The row is claimed before sending, so it goes once."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    state = models.CharField(max_length=8, choices=ReminderState, default=ReminderState.CLAIMED)
    visits = models.PositiveIntegerField()
    claimed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "day"], name="one_reminder_per_person_and_day"),
            models.CheckConstraint(
                condition=models.Q(state__in=ReminderState.values), name="reminder_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"reminder of {self.day}"
