"""Tables of the casebook room.

One `Entry` is one form of one subject at one visit (or one row of a running log). Its values lie in one
JSONB document, keyed by item; their definitions are those of the subject's protocol version. A cell is
`{"value": …, "unit": …, "low": …, "high": …, "missing": …, "confirmed": {check: reason}}` with only the
keys that say something: values stay as they were typed (numbers are text, never binary floats).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from patients.models import Subject
from visits.models import Visit
from trials.models import ProtocolVersion, Trial, entered_protocol
from trials.schema import Protocol


class EntryState(models.TextChoices):
    """How far the data of a form are entered."""

    EMPTY = "EMPTY", "Not started"
    IN_PROGRESS = "IN_PROGRESS", "In progress"
    COMPLETE = "COMPLETE", "Complete"


class Entry(models.Model):
    """One form entered for a subject, at a visit or in a running log."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="+")
    form = models.CharField(max_length=16)
    repeat = models.PositiveSmallIntegerField(default=1)
    values = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=EntryState, default=EntryState.EMPTY)
    not_done = models.CharField(max_length=200, blank=True)
    struck_out = models.BooleanField(default=False)
    frozen = models.BooleanField(default=False)
    locked = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["visit__ordinal", "form", "repeat"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "visit", "form", "repeat"],
                name="form_once_per_visit_and_repeat",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=EntryState.values), name="entry_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form} {self.repeat}"

    entered_under = models.ForeignKey(
        ProtocolVersion,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The protocol version that the form stays on; empty where it follows the subject.",
    )
    @property
    def opened(self) -> bool:
        """Whether somebody opened the form; an entry that only shows the empty form is not stored."""
        return self.pk is not None


class QueryState(models.TextChoices):
    """Life of a query."""

    OPEN = "OPEN", "Open"
    ANSWERED = "ANSWERED", "Answered"
    CLOSED = "CLOSED", "Closed"


class QueryOrigin(models.TextChoices):
    """Who raised a query: a person, or a check of the protocol."""

    MANUAL = "MANUAL", "Raised by a person"
    CHECK = "CHECK", "Raised by a check"
    @property
    def protocol(self) -> Protocol:
        """The protocol that says what this form is: the subject's, or the one under which it was entered."""
        if self.entered_under_id is None or self.entered_under_id == self.subject.version_id:
            return self.subject.version.protocol
        return entered_protocol(self.entered_under_id, self.subject.version_id)



class Query(models.Model):
    """A question about an item (or, with an empty item, about a whole form)."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=40, blank=True)
    origin = models.CharField(max_length=8, choices=QueryOrigin)
    check_id = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=8, choices=QueryState, default=QueryState.OPEN)
    raised_at = models.DateTimeField(db_default=Now(), editable=False)
    closed_at = models.DateTimeField(null=True)
    led_to_change = models.BooleanField(default=False)

    class Meta:
        ordering = ["raised_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=QueryState.values), name="query_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["entry", "item", "check_id"],
                condition=models.Q(origin="CHECK") & ~models.Q(state="CLOSED"),
                name="one_open_query_per_check_and_item",
            ),
        ]
        indexes = [
            models.Index(fields=["subject", "state"], name="query_by_subject_and_state"),
        ]

    def __str__(self) -> str:
        return f"query {self.pk} on {self.item or 'form'}"


class QueryMessage(models.Model):
    """One message of a query's thread."""

    audit_subject = "query__subject"

    query = models.ForeignKey(Query, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    author_name = models.CharField(max_length=150)
    author_role = models.CharField(max_length=20, blank=True)
    text = models.TextField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return self.text[:60]


class Verification(models.Model):
    """Source data verification of one item, or (empty item) of a form, at one version of the form."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=40, blank=True)
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"verified {self.item or 'form'}"
