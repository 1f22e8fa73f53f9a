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

from accounts.models import Signature
from casebook.checking import CheckFiring as CheckFiring
from casebook.places import LockRun as LockRun
from casebook.places import PlaceLock as PlaceLock
from casebook.places import PlaceUnlock as PlaceUnlock
from casebook.places import RunState as RunState
from casebook.places import UnlockState as UnlockState
from casebook.places import UnlockWish
from casebook.sampling import SamplingSeed as SamplingSeed
from patients.models import Subject
from trials.models import ProtocolVersion, Trial, entered_protocol
from trials.schema import Protocol
from visits.models import Visit


class EntryState(models.TextChoices):
    """How far the data of a form are entered."""

    EMPTY = "EMPTY", "Not started"
    IN_PROGRESS = "IN_PROGRESS", "In progress"
    COMPLETE = "COMPLETE", "Complete"


class Signing(models.TextChoices):
    """Whether what a form says is covered by a signature."""

    SIGNED = "SIGNED", "Signed"
    AGAIN = "AGAIN", "To be signed again"


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
    signing = models.CharField(
        "signature",
        max_length=6,
        choices=Signing,
        blank=True,
        default="",
        help_text="The database itself takes it back when the form changes.",
    )
    unlocked_until = models.DateTimeField(
        "unlocked until",
        null=True,
        help_text="After this moment nothing is entered until it is locked again.",
    )
    version = models.PositiveIntegerField(default=0)
    entered_under = models.ForeignKey(
        ProtocolVersion,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The protocol version that the form stays on; empty where it follows the subject.",
    )
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

    @property
    def protocol(self) -> Protocol:
        """The protocol that says what this form is: the subject's, or the one under which it was entered."""
        if self.entered_under_id is None or self.entered_under_id == self.subject.version_id:
            return self.subject.version.protocol
        return entered_protocol(self.entered_under_id, self.subject.version_id)

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


class Desk(models.TextChoices):
    """Whose turn a query is, by role."""

    SITE = "SITE", "Site"
    MONITOR = "MONITOR", "Monitor"
    DATAMANAGER = "DATAMANAGER", "Data manager"
    MEDICAL = "MEDICAL", "Medical reviewer"


DESKS = {
    "medical": Desk.MEDICAL,
    "monitor": Desk.MONITOR,
    "datamanager": Desk.DATAMANAGER,
    "investigator": Desk.SITE,
    "coordinator": Desk.SITE,
}
"""Where people of each role work off queries; of several roles the first counts."""


class Query(models.Model):
    """A question about an item (or, with an empty item, about a whole form)."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=40, blank=True)
    origin = models.CharField(max_length=8, choices=QueryOrigin)
    check_id = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=8, choices=QueryState, default=QueryState.OPEN)
    waits_for = models.CharField("waits for", max_length=12, choices=Desk, default=Desk.SITE)
    asked_by = models.CharField("asked by", max_length=12, choices=Desk, default=Desk.DATAMANAGER)
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


class Draft(models.Model):
    """What one person typed into a form and has not saved: kept for the same person alone, sealed, for a few days."""

    audit_masked = ("sealed",)

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    place = models.CharField(max_length=60)
    sealed = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "subject", "place"], name="one_draft_per_person_and_form"
            ),
        ]

    def __str__(self) -> str:
        return f"draft of {self.place}"


class ReviewKind(models.TextChoices):
    """Whose review it was."""

    DATA = "DATA", "Data management review"
    MEDICAL = "MEDICAL", "Medical review"


class Review(models.Model):
    """Somebody looked a form through, at one content of the form."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=ReviewKind)
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return self.get_kind_display()


class RecordKind(models.TextChoices):
    """How much one signature covers."""

    FORM = "FORM", "Form"
    VISIT = "VISIT", "Visit"
    CASEBOOK = "CASEBOOK", "Casebook"


class FormContent(models.Model):
    """What a form said when it was signed: found by its digest, stored once, never changed."""

    audit_masked = ("content",)

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    content = models.JSONField()

    class Meta:
        ordering = ["entry", "pk"]

    def __str__(self) -> str:
        return self.digest[:8]


class SigningBatch(models.Model):
    """Records that were signed in one go: one manifest with the digest of each, signed as a whole as well."""

    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="+")
    manifest = models.JSONField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{len(self.manifest)} records"


class SignedRecord(models.Model):
    """A form, a visit or a casebook that somebody signed, with the digests of all its forms at that moment."""

    kind = models.CharField(max_length=8, choices=RecordKind)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="+")
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(SigningBatch, on_delete=models.PROTECT, null=True, related_name="+")
    protocol_version = models.CharField(max_length=40)
    manifest = models.JSONField(help_text="Key, form, visit, repeat and digest of each form.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical content: what is signed.")
    trail_head = models.BigIntegerField(help_text="The last event of the audit trail at that moment.")
    content_version = models.PositiveSmallIntegerField(
        default=1,
        help_text="Of what is signed: 2 covers what a form calculates and the day of its visit as well.",
    )

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["subject", "-id"], name="signedrecord_of_subject")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} signed by {self.signature.signer_name}"


class Unlock(UnlockWish):
    """Somebody asks to open what is locked, somebody else decides; the scope is a form, a visit, or the casebook."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(UnlockWish.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("asked_by")),
                name="two_persons_unlock",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ASKED", decided_by__isnull=True)
                | models.Q(state__in=["APPROVED", "REFUSED"], decided_by__isnull=False),
                name="an_answered_unlock_has_its_second_person",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="unlock_has_a_reason"),
        ]


class Closure(models.Model):
    """A visit, or a casebook, that is locked as a whole: no form is opened there while it stands.

    It keeps what was locked: place and digest of each form, the digest of them all, and how far the trail reached. The
    records as of `made_at` give the same digests at any later time.
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)
    manifest = models.JSONField(default=list)
    digest = models.CharField(max_length=64, blank=True)
    trail_head = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "visit"],
                condition=models.Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="closed_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.visit or 'casebook'} locked"


class Milestone(models.Model):
    """A day of a trial before which every casebook is to be signed, such as an interim analysis."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    due_on = models.DateField()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [models.UniqueConstraint(fields=["trial", "name"], name="milestone_once_per_trial")]

    def __str__(self) -> str:
        return self.name
