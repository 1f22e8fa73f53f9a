"""Tables of the reports room: exports that somebody asked for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from trials.models import Trial


class ExportState(models.TextChoices):
    """Where an export stands."""

    WAITING = "WAITING", "Waiting"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"


class Export(models.Model):
    """An export: who asked for what, when, and what came of it. The file itself lies in the storage."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    sites = models.JSONField(default=list)
    format = models.CharField(max_length=10, default="csv")
    as_of = models.DateTimeField(null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WAITING)
    started_at = models.DateTimeField(null=True)
    done = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)
    file = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ExportState.values), name="export_state_is_known"
            ),
        ]
        indexes = [models.Index(fields=["state", "requested_at"], name="export_by_state")]

    def __str__(self) -> str:
        return f"export {self.pk} of {self.trial_id}"
