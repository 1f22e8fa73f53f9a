"""Table of the seeds by which samples are drawn: one to a trial, for ever."""

from __future__ import annotations

from django.db import models


class SamplingSeed(models.Model):
    """The seed by which a trial's items to verify are drawn; it never enters the trail, an export or a page."""

    audit_masked = ("seed",)

    trial = models.OneToOneField("trials.Trial", on_delete=models.PROTECT, related_name="+")
    seed = models.CharField(max_length=64)

    class Meta:
        verbose_name = "seed of the verification sample"

    def __str__(self) -> str:
        return f"seed of {self.trial_id}"
