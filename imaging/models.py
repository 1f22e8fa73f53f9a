"""Tables of the imaging room.

A *batch* is what somebody sent for one visit, with each file and its fate. A *study* holds series and instances as they
are kept: de-identified, under identifiers of our own. A *read* is one reader's judgement of one time point; what is
marked in it (outcomes, measurements) is only ever added to, and a signed read never changes.

Every table but the keys names its subject, for the trail and for row-level security. Pages of readers show the `opaque`
identifiers only.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models import Signature, User
from patients.models import Subject
from trials.models import Site
from visits.models import Visit


def _opaque() -> models.UUIDField[uuid.UUID, uuid.UUID]:
    """A random identifier that tells nothing."""
    return models.UUIDField(default=uuid.uuid4, unique=True, editable=False)


class ImagingKey(models.Model):
    """The secret of a subject: dates and identifiers of its images follow from it. Never leaves unsealed."""

    audit_masked: ClassVar = ("sealed",)

    subject = models.OneToOneField(Subject, on_delete=models.PROTECT, related_name="+")
    sealed = models.TextField(help_text="Encrypted; opened by imaging.sealing only.")
    case_code = models.CharField(
        max_length=12, unique=True, help_text="Name of the subject's case on pages of readers."
    )

    def __str__(self) -> str:
        return f"key {self.pk}"


class PatientNumber(models.Model):
    """A hospital's patient number, as a keyed digest, by which images are known to be this subject's.

    The first image that is accepted brings one. A person adds another (two hospitals, a new number), or takes one back
    where the images were somebody else's; a number that was taken back stays on record and counts no more.
    """

    audit_masked: ClassVar = ("digest",)

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    confirmed_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)
    ended_because = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "digest"],
                condition=models.Q(ended_at=None),
                name="patient_number_once_per_subject",
            )
        ]

    def __str__(self) -> str:
        return f"patient number {self.pk}"


class BatchState(models.TextChoices):
    """How far a batch has come."""

    RECEIVING = "RECEIVING", "Receiving"
    RECEIVED = "RECEIVED", "Received"
    PROCESSING = "PROCESSING", "Processing"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"


class Origin(models.TextChoices):
    """By which door files came."""

    WEB = "WEB", "Browser"
    COMMAND = "COMMAND", "Command"
    DICOMWEB = "DICOMWEB", "DICOMweb"
    DICOM = "DICOM", "DICOM receiver"


class Batch(models.Model):
    """What was sent for a visit at one go."""

    opaque = _opaque()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.WEB)
    prepared = models.BooleanField(
        default=False, help_text="Files were de-identified in the browser; the server checks that they were."
    )
    manifest_digest = models.CharField(max_length=64)
    sent_by = models.CharField(max_length=150)
    sent_by_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.RECEIVING)
    problem = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    received_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["state", "claimed_at"], name="imaging_batch_by_state")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=BatchState.values), name="batch_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["visit", "manifest_digest"],
                condition=models.Q(state="RECEIVING"),
                name="one_open_batch_per_visit_and_manifest",
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class Ledger(models.Model):
    """What de-identification did to the elements of a file. The files of a series usually share one."""

    digest = models.CharField(max_length=64, unique=True)
    content = models.JSONField()

    def __str__(self) -> str:
        return self.digest[:12]


class StudyState(models.TextChoices):
    """What the quality check says of a study."""

    RECEIVED = "RECEIVED", "Received"
    QC_PASS = "QC_PASS", "Quality accepted"
    QC_QUERY = "QC_QUERY", "Quality in question"
    QC_REJECTED = "QC_REJECTED", "Quality rejected"
    WITHDRAWN = "WITHDRAWN", "Taken out"


class Study(models.Model):
    """The images of one examination, at one visit."""

    opaque = _opaque()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    uid = models.CharField(max_length=64, help_text="Mapped Study Instance UID.")
    shifted_date = models.DateField(null=True, help_text="Study date as in the stored files: shifted.")
    state = models.CharField(max_length=12, choices=StudyState, default=StudyState.RECEIVED)
    findings = models.JSONField(default=list, help_text="What the quality check found, as code and sentence.")
    accepted_because = models.CharField(max_length=300, blank=True)
    patient_number = models.ForeignKey(PatientNumber, on_delete=models.PROTECT, null=True, related_name="+")
    check_due_on = models.DateField(null=True, help_text="By when the quality check has to be settled.")
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["subject", "visit__ordinal", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "uid"], name="study_once_per_subject"),
            models.CheckConstraint(
                condition=models.Q(state__in=StudyState.values), name="study_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"study {self.pk}"


class QualityChoice(models.TextChoices):
    """What a person, or the check itself, decided about a study."""

    ACCEPT = "ACCEPT", "Accepted"
    QUERY = "QUERY", "Asked the site"
    REJECT = "REJECT", "Rejected"
    WITHDRAW = "WITHDRAW", "Taken out"
    RESTORE = "RESTORE", "Taken back in"


class QualityDecision(models.Model):
    """One decision about the quality of a study. Never changed: a later one follows it."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="decisions")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(max_length=10, choices=QualityChoice)
    reason = models.CharField(max_length=300)
    corrective_action = models.CharField(
        max_length=300, blank=True, help_text="What the site is asked to do."
    )
    due_on = models.DateField(null=True, help_text="By when the site has to do it.")
    by = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(choice__in=QualityChoice.values), name="quality_choice_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.choice} of study {self.study_id}"


class Series(models.Model):
    """Slices that belong together."""

    opaque = _opaque()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    uid = models.CharField(max_length=64, help_text="Mapped Series Instance UID.")
    frame_of_reference_uid = models.CharField(max_length=64, blank=True)
    modality = models.CharField(max_length=16)
    label = models.CharField(
        max_length=64, blank=True, help_text="Contrast phase or sequence, from a closed list."
    )
    number = models.IntegerField(null=True)
    kernel = models.CharField(max_length=64, blank=True)
    scanner = models.CharField(max_length=130, blank=True, help_text="Manufacturer and model.")
    contrast = models.BooleanField(default=False)
    thickness_mm = models.DecimalField(max_digits=8, decimal_places=3, null=True)

    class Meta:
        ordering = ["study", "number", "pk"]
        verbose_name_plural = "series"
        constraints = [models.UniqueConstraint(fields=["study", "uid"], name="series_once_per_study")]

    def __str__(self) -> str:
        return f"series {self.pk}"


class Instance(models.Model):
    """One slice: the de-identified file (the record) and its frame for the viewer (which can be made again)."""

    opaque = _opaque()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    uid = models.CharField(max_length=64, help_text="Mapped SOP Instance UID.")
    number = models.IntegerField(null=True)
    depth = models.DecimalField(
        max_digits=12, decimal_places=4, help_text="Position along the slice normal, mm."
    )
    file_key = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    file_bytes = models.BigIntegerField()
    pixel_offset = models.BigIntegerField()
    pixel_length = models.BigIntegerField()
    pixel_sha256 = models.CharField(
        max_length=64, help_text="Of the pixel data value, the same before and after."
    )
    frame_key = models.CharField(max_length=200)
    attributes = models.JSONField(help_text="DICOM JSON for the viewer, without identifiers and dates.")
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["series", "depth", "pk"]
        constraints = [models.UniqueConstraint(fields=["subject", "uid"], name="instance_once_per_subject")]

    def __str__(self) -> str:
        return f"instance {self.pk}"


class FileState(models.TextChoices):
    """The fate of a file that was sent."""

    EXPECTED = "EXPECTED", "Not here yet"
    RECEIVED = "RECEIVED", "Received"
    UNPACKED = "UNPACKED", "Archive, unpacked"
    ACCEPTED = "ACCEPTED", "Accepted"
    DUPLICATE = "DUPLICATE", "Already here"
    QUARANTINED = "QUARANTINED", "Quarantined"
    REJECTED = "REJECTED", "Rejected"
    SKIPPED = "SKIPPED", "Skipped"


class BatchFile(models.Model):
    """One file of a batch (or of an archive in it). Its path is forgotten once it is accepted: it may hold a name."""

    audit_masked: ClassVar = ("path",)

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="files")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    archive = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="members")
    index = models.PositiveIntegerField()
    path = models.CharField(max_length=400)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    stored_key = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=FileState, default=FileState.EXPECTED)
    code = models.CharField(max_length=32, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, null=True, related_name="+")
    decided_by = models.CharField(max_length=150, blank=True)
    overruled = models.JSONField(default=list, help_text="Reasons to hold it back that a person passed over.")

    class Meta:
        ordering = ["batch", "archive__index", "index"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "archive", "index"], name="file_once_per_batch", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=FileState.values), name="file_state_is_known"
            ),
        ]
        indexes = [models.Index(fields=["batch", "state"], name="imaging_file_by_state")]

    def __str__(self) -> str:
        return f"file {self.index} of {self.batch_id}"


class InboxState(models.TextChoices):
    """What became of an object that matched no subject."""

    WAITING = "WAITING", "Waiting"
    MATCHED = "MATCHED", "Matched"
    REJECTED = "REJECTED", "Rejected"


class InboxItem(models.Model):
    """An object that came over the network. It waits here until it belongs to a visit, and is never dropped.

    `examination` and `claimed` come from its header: the first is a keyed digest, so that objects of one examination
    stand together; the second is kept only where it is the number of a subject of ours.
    """

    opaque = _opaque()
    examination = models.CharField(max_length=64, blank=True)
    claimed = models.CharField(max_length=64, blank=True, help_text="Number of the subject that it names.")
    claimed_visit = models.CharField(max_length=16, blank=True)
    taken_on = models.DateField(null=True)
    modality = models.CharField(max_length=16, blank=True)
    sent_by = models.CharField(max_length=150, blank=True)
    sent_by_id = models.BigIntegerField(null=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    origin = models.CharField(max_length=10, choices=Origin)
    stored_key = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=InboxState, default=InboxState.WAITING)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="+")
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["received_at", "pk"]
        indexes = [models.Index(fields=["state", "examination"], name="imaging_inbox_by_examination")]

    def __str__(self) -> str:
        return f"inbox item {self.pk}"


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

    opaque = _opaque()
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
    repeat_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    image_quality = models.CharField(max_length=12, choices=ImageQuality, blank=True)
    quality_reason = models.CharField(max_length=300, blank=True)
    comment = models.TextField(blank=True)
    new_lesion = models.CharField(max_length=1, blank=True, choices=[("Y", "Yes"), ("N", "No")])
    non_target = models.CharField(max_length=16, blank=True, help_text="Response of the non-target lesions.")
    overall = models.CharField(max_length=16, blank=True, help_text="Overall response as the reader says.")
    response_comment = models.CharField(
        max_length=300, blank=True, help_text="Why it differs from what the rules make of the answers."
    )
    derived = models.CharField(
        max_length=16, blank=True, help_text="Overall response that the rules gave at signing."
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
        indexes = [models.Index(fields=["reader", "state", "due_on"], name="imaging_read_queue")]

    def __str__(self) -> str:
        return f"read {self.pk}"


class Question(models.TextChoices):
    """What a reader is asked about one lesion."""

    ABLATION = "ablation", "Outcome of the ablation"
    SIZE = "size", "How it is there"


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


class AdjudicationState(models.TextChoices):
    """How far an adjudication has come."""

    WAITING = "WAITING", "Waiting"
    SIGNED = "SIGNED", "Signed"


class Choice(models.TextChoices):
    """What an adjudicator decides."""

    A = "A", "Reader A"
    B = "B", "Reader B"
    NEW = "NEW", "Neither; I read the images myself"


class Adjudication(models.Model):
    """Two signed reads of the same images that differ where the charter asks for agreement.

    The adjudicator sees them as A and B, drawn at random. Whoever opens it holds it for a short while, so that two
    adjudicators do not work on the same. A signed adjudication never changes; when one of the reads is corrected later,
    the new pair is compared anew.
    """

    opaque = _opaque()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    first = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="+")
    first_is_a = models.BooleanField(help_text="Whether the first reader is shown as A; drawn at random.")
    differences = models.JSONField(help_text="Variables of the charter in which they differ.")
    state = models.CharField(max_length=10, choices=AdjudicationState, default=AdjudicationState.WAITING)
    held_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    held_until = models.DateTimeField(null=True)
    choice = models.CharField(max_length=3, choices=Choice, blank=True)
    accepted = models.ForeignKey(Read, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=1000, blank=True)
    due_on = models.DateField()
    assigned_at = models.DateTimeField(db_default=Now(), editable=False)
    signed_at = models.DateTimeField(null=True)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, null=True, related_name="+")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what was signed.")

    class Meta:
        ordering = ["due_on", "pk"]
        indexes = [models.Index(fields=["state", "due_on"], name="imaging_adjudication_queue")]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="a_pair_of_reads_is_adjudicated_once"),
            models.CheckConstraint(
                condition=~models.Q(state="SIGNED")
                | models.Q(signature__isnull=False, accepted__isnull=False),
                name="a_signed_adjudication_has_signature_and_result",
            ),
        ]

    def __str__(self) -> str:
        return f"adjudication {self.pk}"
