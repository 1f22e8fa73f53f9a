"""One reader's judgement of one time point; what is marked is only ever added to."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import Signature, User
from imaging.models.opaque import opaque_identifier
from imaging.models.studies import Instance
from imaging.rules.new_lesions import WORDS
from patients.models import Subject
from visits.models import Visit


class ReadState(models.TextChoices):
    """How far a read has come."""

    ASSIGNED = "ASSIGNED", "Assigned"
    IN_READ = "IN_READ", "Being read"
    SIGNED = "SIGNED", "Signed"


class ImageQuality(models.TextChoices):
    """What the reader says of the images."""

    OPTIMAL = "OPTIMAL", "Optimal"
    ADEQUATE = "ADEQUATE", "Readable, not optimal"
    INADEQUATE = "INADEQUATE", "Not readable"


class Order(models.TextChoices):
    """In which order a reader gets the time points of a case, as the charter says."""

    SEQUENTIAL = "sequential", "One after the other"
    GLOBAL = "global", "All at once"
    RANDOM = "random", "At random"


class Read(models.Model):
    """One reader's judgement of the images of one visit.

    A correction after the signature is a new version (`supersedes`) with a reason; the old one stays as it was. A
    hidden repeat (`repeat_of`) shows the same images again under another name, to measure how far a reader agrees with
    themselves; it never counts as a result.
    """

    opaque = opaque_identifier()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    reader = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(
        default=1, help_text="First or second reader, 3 the adjudicator."
    )
    version = models.PositiveSmallIntegerField(default=1)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="+")
    correction_reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=ReadState, default=ReadState.ASSIGNED)
    charter_sha256 = models.CharField(max_length=64, help_text="Of the protocol version whose charter holds.")
    mask = models.CharField(
        max_length=12,
        blank=True,
        help_text="Name of the case for this read, where it is not the subject's own.",
    )
    order = models.CharField(max_length=10, choices=Order, default=Order.SEQUENTIAL)
    draw = models.BigIntegerField(
        default=0, help_text="Drawn at random at assignment: place in a random order."
    )
    repeat_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    image_quality = models.CharField(max_length=12, choices=ImageQuality, blank=True)
    quality_reason = models.CharField(max_length=300, blank=True)
    comment = models.TextField(blank=True)
    new_lesion = models.CharField(max_length=1, blank=True, choices=list(WORDS.items()))
    non_target = models.CharField(max_length=16, blank=True, help_text="Response of the non-target lesions.")
    overall = models.CharField(max_length=16, blank=True, help_text="Overall response as the reader says.")
    response_comment = models.CharField(
        max_length=300, blank=True, help_text="Why it differs from what the rules make of the answers."
    )
    derived = models.CharField(
        max_length=16, blank=True, help_text="Overall response that the rules gave at signing."
    )
    lesions = models.JSONField(
        null=True, help_text="Lesions on which it rests, as they were listed at signing; none of older reads."
    )
    images = models.JSONField(default=dict, help_text="Studies, slices and verdicts on which it was signed.")
    software = models.CharField(max_length=40, blank=True, help_text="Version of the viewer at signing.")
    assigned_at = models.DateTimeField(db_default=Now(), editable=False)
    due_on = models.DateField()
    opened_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, null=True, related_name="+")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what was signed.")

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["visit", "number", "version", "repeat_of"],
                name="read_once_per_visit_and_version",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=ReadState.values), name="read_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="SIGNED", signature__isnull=False) | ~models.Q(state="SIGNED"),
                name="a_signed_read_has_its_signature",
            ),
        ]
        indexes = [
            models.Index(fields=["reader", "state", "due_on"], name="imaging_read_queue"),
            # Nearly no read is a repeat: an index over all would be taken for "is none", which is nearly every row.
            models.Index(
                fields=["repeat_of"], condition=models.Q(repeat_of__isnull=False), name="imaging_read_repeats"
            ),
        ]

    def __str__(self) -> str:
        return f"read {self.pk}"


class Question(models.TextChoices):
    """What a reader is asked about one lesion."""

    ABLATION = "ablation", "Outcome of the ablation"
    SIZE = "size", "How it is there"


class ChosenLesion(models.Model):
    """A lesion that a reader listed at the first time point; a later row of the same read and name replaces it."""

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="chosen")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=20)
    kind = models.CharField(max_length=12, help_text="TARGET or NON-TARGET.")
    organ = models.CharField(max_length=20, help_text="Code of the list of organs.")
    place = models.CharField(
        max_length=60, blank=True, help_text="Where in the organ, in the reader's words."
    )
    removed = models.BooleanField(default=False)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["read", "name", "pk"]

    def __str__(self) -> str:
        return self.name


class LesionOutcome(models.Model):
    """What a reader said of one lesion; a later row of the same read, lesion and question replaces an earlier one."""

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="outcomes")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    lesion = models.CharField(max_length=20)
    question = models.CharField(max_length=10, choices=Question, default=Question.ABLATION)
    outcome = models.CharField(max_length=20)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["read", "lesion", "pk"]

    def __str__(self) -> str:
        return f"{self.lesion}: {self.outcome}"


class Measurement(models.Model):
    """A length in one slice, from points in the patient's coordinates. Later rows of the same `mark` replace it."""

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="measurements")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+")
    mark = models.UUIDField(help_text="The mark in the viewer that this is a version of.")
    lesion = models.CharField(max_length=20)
    tool = models.CharField(max_length=16)
    points = models.JSONField(help_text="Ends of the axes, mm, as decimal text.")
    length_mm = models.DecimalField(max_digits=8, decimal_places=2, help_text="Worked out by the server.")
    short_mm = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    erased = models.BooleanField(default=False)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["read", "lesion", "pk"]

    def __str__(self) -> str:
        return f"{self.lesion}: {self.length_mm} mm"


class ReadingTime(models.Model):
    """A stretch of time in which a reader had a read open and was at work on it; only ever added to."""

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="times")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    seconds = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["read", "pk"]

    def __str__(self) -> str:
        return f"{self.seconds} s"
