"""Tables of sites and studies that are locked as a whole: the lock with what it covered, its unlocking, and the run
that locks many casebooks.

A *place* is a site's part in a trial, or, without a site, the whole trial.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from trials.models import Site, Trial


class UnlockState(models.TextChoices):
    """How far a wish to unlock has come."""

    ASKED = "ASKED", "Asked for"
    APPROVED = "APPROVED", "Approved"
    REFUSED = "REFUSED", "Refused"


class UnlockWish(models.Model):
    """Somebody asks to open what is locked for a time, somebody else decides."""

    reason = models.CharField(max_length=500)
    hours = models.PositiveSmallIntegerField(help_text="How long it stays open.")
    state = models.CharField(max_length=8, choices=UnlockState, default=UnlockState.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    ends_at = models.DateTimeField(null=True)
    trail_head = models.BigIntegerField(
        null=True, help_text="The last event of the trail before it was opened."
    )

    class Meta:
        abstract = True
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"unlock: {self.reason[:60]}"


class PlaceLockQuerySet(models.QuerySet["PlaceLock"]):
    """Locks by what they do now."""

    def standing(self) -> PlaceLockQuerySet:
        """The newest lock of each place, closed or open for a time."""
        return self.filter(ended_at__isnull=True)

    def closed_at(self, moment: datetime) -> PlaceLockQuerySet:
        """Locks that take no write at a moment."""
        return self.standing().filter(models.Q(open_until__isnull=True) | models.Q(open_until__lte=moment))


class PlaceLock(models.Model):
    """A site, or a whole study, that is locked: nothing of its subjects is written while it stands.

    It keeps what was locked: each casebook (of a study: each site) with its digest, the digest of them all, and how far
    the trail reached. The records as of `made_at` give the same digests at any later time. Two persons open it for a
    time; after `open_until` it is closed again until it is locked anew, which ends this row.
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    manifest = models.JSONField()
    digest = models.CharField(max_length=64)
    trail_head = models.BigIntegerField()
    open_until = models.DateTimeField(null=True, help_text="Two persons opened it until then.")
    ended_at = models.DateTimeField(null=True, help_text="When it was locked anew.")

    objects = PlaceLockQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "site"],
                condition=models.Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="a_place_is_locked_once",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="a_place_is_locked_with_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.site or self.trial} locked"


class PlaceUnlock(UnlockWish):
    """Somebody asks to open a locked site or study for a time, somebody else decides."""

    lock = models.ForeignKey(PlaceLock, on_delete=models.PROTECT, related_name="unlocks")

    class Meta(UnlockWish.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("asked_by")),
                name="two_persons_unlock_a_place",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ASKED", decided_by__isnull=True)
                | models.Q(state__in=["APPROVED", "REFUSED"], decided_by__isnull=False),
                name="an_answered_place_unlock_has_its_second_person",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="a_place_is_unlocked_with_a_reason"),
            models.UniqueConstraint(
                fields=["lock"],
                condition=models.Q(state="ASKED"),
                name="unlocking_a_place_is_asked_for_once",
            ),
        ]


class RunState(models.TextChoices):
    """How far a run has come."""

    WAITING = "WAITING", "Waiting"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"


class LockRun(models.Model):
    """Somebody asked to lock every casebook of a site that is ready; a worker does it, one casebook after the other."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=8, choices=RunState, default=RunState.WAITING)
    touched_at = models.DateTimeField(null=True, help_text="When a worker last wrote how far it is.")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    locked = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=dict, help_text="Why a casebook was left as it is, by subject number.")
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=RunState.values), name="lock_run_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["trial", "site"],
                condition=models.Q(state__in=["WAITING", "RUNNING"]),
                name="one_lock_run_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"locking the casebooks of {self.site}"
