"""What is on record of readers; only ever added to."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from trials.models import Trial


class ReaderRecordKind(models.TextChoices):
    """What is recorded of a reader."""

    TRAINED = "TRAINED", "Trained in the imaging charter"
    TESTED = "TESTED", "Test cases passed"
    INDEPENDENT = "INDEPENDENT", "Independent of sponsor and sites"
    SUSPENDED = "SUSPENDED", "Suspended until trained and tested again"
    TOLD = "TOLD", "Communication with the reader"


class ReaderRecord(models.Model):
    """Training, test, independence or suspension of a reader, or what was said to them; with its evidence."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    reader = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=ReaderRecordKind)
    on = models.DateField(help_text="Day on which it was, and from which it holds.")
    until = models.DateField(null=True, help_text="First day on which it does not hold any more.")
    reference = models.CharField(max_length=300, help_text="Where the evidence lies.")
    reason = models.CharField(max_length=300)
    recorded_by = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=ReaderRecordKind.values), name="reader_record_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(until=None) | models.Q(until__gt=models.F("on")),
                name="reader_record_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.reader_id}"
