"""Trials, sites, and the versions of a protocol as they were published."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from trials.errors import ContentAltered
from trials.laboratories.models import Laboratory as Laboratory
from trials.laboratories.models import ReferenceRange as ReferenceRange
from trials.rules.entered import as_entered
from trials.rules.heritage import with_heritage
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

    `definition` is the canonical content, `sha256` the digest of its canonical text (`trials.schema.digest_of`),
    `lineage` the digests of the versions of the trial that were published before it, oldest first.
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="versions")
    label = models.CharField(max_length=40)
    definition = models.JSONField()
    sha256 = models.CharField(max_length=64, help_text="Of the definition's canonical text.")
    effective_from = models.DateField()
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.PUBLISHED)
    published_at = models.DateTimeField()
    lineage = ArrayField(models.CharField(max_length=64), default=list, blank=True)

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
        """The typed tree with what earlier versions had, read and built once per process for each content."""
        return _protocol(self.sha256, tuple(self.lineage))

    @property
    def published(self) -> Protocol:
        """The typed tree exactly as it was published, for those who read the protocol itself."""
        return _content(self.sha256)

    @property
    def is_first(self) -> bool:
        """Whether no other version of the trial was published before."""
        return not self.lineage


class SiteApproval(models.Model):
    """A protocol version as a site may use it: from the day of approval, under a document that can be looked up.

    Of a first version there is none: opening the site stands for it.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="approvals")
    approved_on = models.DateField(
        help_text="First day on which the site may use the version; it may lie ahead."
    )
    document = models.CharField(
        max_length=200, help_text="Reference of the approval, to be found in the trial master file."
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_on = models.DateField(null=True, blank=True, help_text="From this day on it counts no more.")
    withdrawn_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["version__effective_from", "version_id", "site__code", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "version"],
                condition=models.Q(withdrawn_on__isnull=True),
                name="one_approval_per_site_and_version",
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_on__isnull=True) | ~models.Q(withdrawn_reason=""),
                name="an_approval_is_withdrawn_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"approval of {self.version} at {self.site}"


def protocol_by_key(version_id: int) -> Protocol:
    """The typed tree of a version by its primary key: one statement in the life of a process, for each version."""
    return _protocol(*_digests(version_id))


@lru_cache(maxsize=256)
def entered_protocol(then: int, now: int) -> Protocol:
    """The version of a form entered under one version, for a subject who is on another (`as_entered`)."""
    return as_entered(protocol_by_key(then), protocol_by_key(now))


@lru_cache(maxsize=256)
def _digests(version_id: int) -> tuple[str, tuple[str, ...]]:
    sha256, lineage = ProtocolVersion.objects.values_list("sha256", "lineage").get(pk=version_id)
    return sha256, tuple(lineage)


@lru_cache(maxsize=64)
def _protocol(sha256: str, lineage: tuple[str, ...] = ()) -> Protocol:
    content = _content(sha256)
    return with_heritage(content, [_content(each) for each in lineage]) if lineage else content


@lru_cache(maxsize=64)
def _content(sha256: str) -> Protocol:
    definition = ProtocolVersion.objects.values_list("definition", flat=True).get(sha256=sha256)
    if digest_of(definition) != sha256:
        raise ContentAltered(sha256=sha256)
    return Protocol.model_validate(definition)
