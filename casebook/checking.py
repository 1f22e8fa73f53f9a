"""Table of checks that fired: what each check of the protocol is worth can be counted."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class CheckFiring(models.Model):
    """A check fired on an item of a form; written once, whatever became of it.

    `watched` is the digest of what the check looked at in the form, so that a later change can be told.
    """

    entry = models.ForeignKey("casebook.Entry", on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey("patients.Subject", on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=40)
    check_id = models.CharField(max_length=40)
    watched = models.CharField(max_length=64)
    fired_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["pk"]
        verbose_name = "check that fired"
        verbose_name_plural = "checks that fired"
        constraints = [
            models.UniqueConstraint(fields=["entry", "item", "check_id"], name="a_firing_is_counted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.check_id} on {self.item}"
