"""Tables of laboratories: who examines the samples of which sites, and what they call normal."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Laboratory(models.Model):
    """A laboratory that examines samples of one or more sites."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    sites = models.ManyToManyField("trials.Site", related_name="+", verbose_name="sites it serves")

    class Meta:
        ordering = ["code"]
        verbose_name = "laboratory"
        verbose_name_plural = "laboratories"

    def __str__(self) -> str:
        return self.name


class Sex(models.TextChoices):
    """For whom a reference range is meant."""

    MALE = "M", "Male"
    FEMALE = "F", "Female"


class ReferenceRange(models.Model):
    """What one laboratory calls normal for one test, for a sex and an age, from a day on.

    A row never changes (triggers see to it): a later range supersedes it from its own first day, and one that was
    wrong is withdrawn with a reason. Limits are decimal text as the laboratory wrote them, both inclusive.
    """

    laboratory = models.ForeignKey(Laboratory, on_delete=models.PROTECT, related_name="ranges")
    test = models.CharField(max_length=8, help_text="CDISC submission value, such as HGB.")
    unit = models.CharField(max_length=20)
    sex = models.CharField(max_length=1, choices=Sex, blank=True, help_text="Empty for both.")
    age_from = models.PositiveSmallIntegerField("from age", default=0, help_text="Completed years.")
    age_to = models.PositiveSmallIntegerField("to age", null=True, help_text="Completed years, inclusive.")
    low = models.CharField("lower limit", max_length=20, blank=True)
    high = models.CharField("upper limit", max_length=20, blank=True)
    valid_from = models.DateField()
    version = models.PositiveIntegerField()
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_because = models.CharField("reason for withdrawal", max_length=200, blank=True)

    class Meta:
        ordering = ["test", "sex", "age_from", "-valid_from", "-pk"]
        verbose_name = "reference range"
        constraints = [
            models.UniqueConstraint(
                fields=["laboratory", "test", "sex", "age_from", "valid_from"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_range_for_sex_age_and_day",
            ),
            models.CheckConstraint(
                condition=models.Q(age_to__isnull=True) | models.Q(age_to__gte=models.F("age_from")),
                name="range_ends_at_an_age_after_it_begins",
            ),
            models.CheckConstraint(condition=~models.Q(low="", high=""), name="range_has_a_limit"),
        ]

    def __str__(self) -> str:
        return f"{self.test} {self.low or '–'} to {self.high or '–'} {self.unit}"
