"""Trials, sites, and the versions of a protocol as they were published."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db import models

from trials.errors import ContentAltered
from trials.schema import Protocol, digest_of


class Trial(models.Model):
    """A clinical trial; its facts come from the pack that was published last."""

    code = models.CharField(max_length=40, unique=True)
    title = models.TextField()
    short_title = models.CharField(max_length=200)
    sponsor = models.CharField(max_length=200)
    registry_id = models.CharField(max_length=40, blank=True)
    phase = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class Site(models.Model):
    """A hospital that takes part, in one time zone."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2, help_text="ISO 3166-1, two letters.")
    time_zone = models.CharField(max_length=60, help_text="IANA name, such as Europe/Oslo.")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class TrialSite(models.Model):
    """A site's part in a trial, from the day it opened."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="trial_sites")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="trial_sites")
    opened_on = models.DateField()
    closed_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["trial__code", "site__code"]
        constraints = [
            models.UniqueConstraint(fields=["trial", "site"], name="site_once_per_trial"),
            models.CheckConstraint(
                condition=models.Q(closed_on__isnull=True) | models.Q(closed_on__gte=models.F("opened_on")),
                name="site_closes_after_it_opened",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial.code} at {self.site.code}"


class VersionState(models.TextChoices):
    """Whether subjects may still be put on a version."""

    PUBLISHED = "PUBLISHED", "published"
    WITHDRAWN = "WITHDRAWN", "withdrawn"


class ProtocolVersion(models.Model):
    """A protocol as it was published: its content can never change (triggers see to it).

    The content itself lies in `ProtocolContent`, so that a list of subjects with their versions stays light.
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="versions")
    label = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64, help_text="Of the content's canonical text.")
    effective_from = models.DateField()
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.PUBLISHED)
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["trial__code", "effective_from", "id"]
        constraints = [
            models.UniqueConstraint(fields=["sha256"], name="protocol_content_once"),
            models.UniqueConstraint(fields=["trial", "label"], name="protocol_label_once_per_trial"),
        ]

    def __str__(self) -> str:
        return f"{self.trial.code} {self.label}"

    @property
    def definition(self) -> dict[str, Any]:
        """The content as plain JSON values; one statement."""
        definition: dict[str, Any] = self.content.definition
        return definition

    @property
    def protocol(self) -> Protocol:
        """The typed tree, read and built once per process for each content."""
        return _protocol(self.sha256)


class ProtocolContent(models.Model):
    """What a version says, in canonical form (`trials.schema.Protocol.definition`)."""

    version = models.OneToOneField(
        ProtocolVersion, on_delete=models.PROTECT, primary_key=True, related_name="content"
    )
    definition = models.JSONField()

    def __str__(self) -> str:
        return f"content of version {self.pk}"


@lru_cache(maxsize=64)
def _protocol(sha256: str) -> Protocol:
    definition = ProtocolContent.objects.values_list("definition", flat=True).get(version__sha256=sha256)
    if digest_of(definition) != sha256:
        raise ContentAltered(sha256=sha256)
    return Protocol.model_validate(definition)
