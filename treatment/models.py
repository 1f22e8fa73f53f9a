"""Tables of the treatment room: the randomisation lists, and who got which place.

Procedures, doses and times are forms of the casebook; nothing of them is copied here.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from patients.models import Subject
from trials.models import Trial


class AllocationList(models.Model):
    """The list of one stratum of a sub-study: a seed from which each place follows.

    Places are never stored before they are given, so nobody can read ahead; the seed is sealed and never enters
    the trail.
    """

    audit_masked: ClassVar = ("sealed_seed",)

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="+")
    sub_study = models.CharField(max_length=32)
    stratum = models.CharField(max_length=200, blank=True)
    scheme = models.CharField(
        max_length=200, help_text="Arms, ratio and block sizes of the protocol version."
    )
    sealed_seed = models.TextField(help_text="Encrypted; opened when a place is given, and never shown.")
    made_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "sub_study", "stratum", "scheme"], name="one_list_per_stratum_and_scheme"
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.sub_study, self.stratum]))


class Allocation(models.Model):
    """A subject's place on the list. It is never changed and never deleted."""

    subject = models.OneToOneField(Subject, on_delete=models.PROTECT, related_name="+")
    list = models.ForeignKey(AllocationList, on_delete=models.PROTECT, related_name="+")
    place = models.PositiveIntegerField()
    sub_study = models.CharField(max_length=32)
    stratum = models.CharField(max_length=200, blank=True)
    arm = models.CharField(max_length=32)
    on = models.DateField(help_text="Day of randomisation at the site.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    by_name = models.CharField(max_length=150)
    eligibility = models.CharField(
        max_length=300, help_text="On which evaluation of the criteria it rests, as the gate named it."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["list", "place"], name="place_given_once"),
            models.CheckConstraint(condition=models.Q(place__gte=1), name="place_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.sub_study} {self.place}"
