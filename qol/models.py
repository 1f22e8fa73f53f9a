"""Tables of the quality-of-life room. Answers are not here: they are a form of the casebook.

A *licence* allows the electronic use of an instrument in a trial; its *texts* are the licensed wording, every version
of it. An *invitation* is a link for one patient and one visit; only a digest of its token is kept.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from patients.models import Subject
from trials.models import Trial
from visits.models import Visit


class InstrumentLicence(models.Model):
    """What the owner of an instrument allows in a trial."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    instrument = models.CharField(max_length=20)
    reference = models.CharField(max_length=80)
    holder = models.CharField(max_length=150)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    languages = models.JSONField(help_text="Codes of the languages that the licence covers, as in BCP 47.")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["trial", "instrument", "valid_from", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "instrument", "reference"], name="licence_once_per_trial"
            ),
            models.CheckConstraint(condition=~models.Q(reference=""), name="a_licence_has_a_reference"),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gte=models.F("valid_from")),
                name="a_licence_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument}, licence {self.reference}"


class InstrumentText(models.Model):
    """Licensed wording of one item in one language; an empty `item` is the instruction above all items.

    Rows are only ever added: a new wording is a new `version` of the whole language.
    """

    licence = models.ForeignKey(InstrumentLicence, on_delete=models.PROTECT, related_name="texts")
    language = models.CharField(max_length=20)
    version = models.PositiveSmallIntegerField()
    item = models.CharField(max_length=20, blank=True)
    text = models.TextField()
    anchors = models.JSONField(default=list, help_text="Words of the answers, from the least to the most.")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["licence", "language", "version", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["licence", "language", "version", "item"], name="wording_once_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.item or 'instruction'}, {self.language}, version {self.version}"


class InvitationState(models.TextChoices):
    """What became of a link. That it expired is derived from the time, never stored."""

    OPEN = "OPEN", "Sent, not answered"
    ANSWERED = "ANSWERED", "Answered"
    REVOKED = "REVOKED", "Taken back"


class Invitation(models.Model):
    """A link by which a patient fills in the questionnaire of one visit.

    Attributes
    ----------
    entry_version
        Version of the form right after the patient sent it; a later one was corrected by the site.
    device_time
        Time of the patient's device when it was sent, with its offset, where the device told it.
    """

    audit_masked: ClassVar = ("digest",)

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    instrument = models.CharField(max_length=20)
    form = models.CharField(max_length=16)
    language = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=8, choices=InvitationState, default=InvitationState.OPEN)
    opens_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_by = models.CharField(max_length=150)
    sent_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_because = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_language = models.CharField(max_length=20, blank=True)
    text_version = models.PositiveSmallIntegerField(null=True)
    device_time = models.CharField(max_length=40, blank=True)
    entry_version = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["subject", "visit__ordinal", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=InvitationState.values), name="invitation_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["visit", "form"],
                condition=models.Q(state="OPEN"),
                name="one_open_invitation_per_visit_and_form",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="ANSWERED") | models.Q(answered_at__isnull=False),
                name="an_answered_invitation_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"
