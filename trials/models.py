"""Trials, sites, and the versions of a protocol as they were published."""

from __future__ import annotations

from functools import lru_cache

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


class Versions(models.Manager["ProtocolVersion"]):
    """Versions without their content, which weighs some hundred kilobytes and is needed once per process.

    Where a version comes along with other rows, leave it out as well: `.defer("version__definition")`.
    """

    def get_queryset(self) -> models.QuerySet[ProtocolVersion]:
        """Return all versions, the content deferred."""
        return super().get_queryset().defer("definition")


class ProtocolVersion(models.Model):
    """A protocol as it was published: its content can never change (triggers see to it).

    `definition` is the canonical content, `sha256` the digest of its canonical text (`trials.schema.digest_of`).
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="versions")
    label = models.CharField(max_length=40)
    definition = models.JSONField()
    sha256 = models.CharField(max_length=64, help_text="Of the definition's canonical text.")
    effective_from = models.DateField()
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.PUBLISHED)
    published_at = models.DateTimeField()

    objects = Versions()

    class Meta:
        ordering = ["trial__code", "effective_from", "id"]
        constraints = [
            models.UniqueConstraint(fields=["sha256"], name="protocol_content_once"),
            models.UniqueConstraint(fields=["trial", "label"], name="protocol_label_once_per_trial"),
        ]

    def __str__(self) -> str:
        return f"{self.trial.code} {self.label}"

    @property
    def protocol(self) -> Protocol:
        """The typed tree, read and built once per process for each content."""
        return _protocol(self.sha256)


@lru_cache(maxsize=64)
def _protocol(sha256: str) -> Protocol:
    definition = ProtocolVersion.objects.values_list("definition", flat=True).get(sha256=sha256)
    if digest_of(definition) != sha256:
        raise ContentAltered(sha256=sha256)
    return Protocol.model_validate(definition)
