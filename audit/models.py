"""The trail: what was changed, by whom, why; and the seals that make tampering visible."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


class Action(models.TextChoices):
    """What happened to the row."""

    INSERTED = "I", "created"
    UPDATED = "U", "changed"
    DELETED = "D", "deleted"


class Event(models.Model):
    """One changed row. Written by the database alone (`audit.sql`); the application can only read it.

    `before` and `after` hold the changed keys of an update, the whole row otherwise. Where a column holds a JSON
    object, its changed keys only, one level down.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(help_text="The database's clock, when the row changed.")
    transaction_id = models.BigIntegerField(help_text="PostgreSQL's 64-bit transaction number.")
    actor_id = models.BigIntegerField(null=True)
    actor = models.TextField(help_text="Full name at that time.")
    role = models.TextField()
    action = models.CharField(max_length=1, choices=Action.choices)
    table_name = models.TextField()
    row_id = models.TextField()
    subject_id = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField()
    origin = models.TextField()
    request_id = models.TextField()
    address = models.TextField(  # noqa: DJ001 - absent and empty differ in the digest
        null=True, help_text="Where the request came from; none in the oldest events."
    )
    session = models.TextField(  # noqa: DJ001 - as above
        null=True, help_text="SHA-256 of the session's key; none in the oldest events."
    )
    digest = models.BinaryField(help_text="SHA-256 of the canonical text of all other columns (32 bytes).")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["table_name", "row_id", "id"], name="audit_event_by_row"),
            models.Index(
                fields=["subject_id", "id"],
                name="audit_event_by_subject",
                condition=models.Q(subject_id__isnull=False),
            ),
            BrinIndex(fields=["at"], name="audit_event_by_time", autosummarize=True),
            BrinIndex(fields=["transaction_id"], name="audit_event_by_transaction", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.table_name} {self.row_id}"


class Seal(models.Model):
    """A block of events, chained to the block before it. Written by the database alone.

    A block holds the events whose identifier lies from `first_id` to `last_id` and whose transaction lies from
    `from_transaction` up to, and without, `until_transaction`. All those transactions had ended when it was sealed,
    so nothing can join it later.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    after_id = models.BigIntegerField(help_text="Events up to here came with a restored dump; 0 without one.")
    from_transaction = models.BigIntegerField()
    until_transaction = models.BigIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    events = models.BigIntegerField()
    previous = models.BinaryField(help_text="Digest of the seal before; 32 zero bytes in the first one.")
    digest = models.BinaryField(
        help_text="SHA-256 of `previous`, the block's limits and its events' digests."
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"seal {self.pk}: {self.events} events"


class TrailCheck(models.Model):
    """A whole verification of the trail, and what it found. Rows are added and never changed."""

    at = models.DateTimeField("checked", db_default=Now(), editable=False)
    events = models.BigIntegerField("events")
    seals = models.BigIntegerField("seals")
    unsealed = models.BigIntegerField("events not sealed yet")
    faults = models.BigIntegerField("broken places")
    first_fault = models.TextField("first broken place", blank=True)

    class Meta:
        verbose_name = "verification of the trail"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.first_fault or f"{self.events} events intact"


class TrailBundle(models.Model):
    """A copy of the trail that somebody took away. Rows are added and never changed."""

    at = models.DateTimeField("taken", db_default=Now(), editable=False)
    by = models.CharField("by", max_length=150)
    whole = models.BooleanField("with everybody's content")
    seal = models.BigIntegerField("newest seal", null=True)

    class Meta:
        verbose_name = "bundle of the trail"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"bundle for {self.by}"


class Risk(models.TextChoices):
    """How much a reviewed window may matter to subjects and results (ICH E6(R3) 4.2.3: proportionate to risk)."""

    LOW = "LOW", "Low"
    MEDIUM = "MEDIUM", "Medium"
    HIGH = "HIGH", "High"


class ReviewResult(models.TextChoices):
    """What a review of the trail came to."""

    CLEAR = "CLEAR", "Nothing to follow up"
    FOLLOW_UP = "FOLLOW_UP", "To be followed up"


class TrailReview(models.Model):
    """Somebody went through a window of the trail and says what they found. Rows are added and never changed."""

    at = models.DateTimeField("reviewed", db_default=Now(), editable=False)
    reviewer_id = models.BigIntegerField("key of the reviewer")
    reviewer = models.CharField("reviewer", max_length=150)
    role = models.CharField("role", max_length=100, blank=True)
    scopes = models.JSONField("trials and sites", help_text="Pairs of codes; an empty code stands for all.")
    window = models.JSONField("window", help_text="What the trail was narrowed to.")
    last_event = models.BigIntegerField("newest event seen", null=True)
    events = models.BigIntegerField("events in the window")
    focus = models.CharField("focus", max_length=300)
    risk = models.CharField("risk", max_length=6, choices=Risk)
    result = models.CharField("result", max_length=10, choices=ReviewResult)
    finding = models.TextField("finding")
    follow_up = models.TextField("follow-up", blank=True)

    class Meta:
        verbose_name = "review of the trail"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.focus}"
