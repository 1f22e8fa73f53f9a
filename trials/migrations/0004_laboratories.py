"""Laboratories and their reference ranges, which are superseded and withdrawn, never changed."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from audit.guards import refuse_when

KEPT = (
    "id", "laboratory_id", "test", "unit", "sex", "age_from", "age_to", "low", "high", "valid_from", "version",
    "corrects_id", "added_at",
)  # fmt: skip
CHANGED = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in KEPT)


class Migration(migrations.Migration):
    dependencies = [
        ("trials", "0003_site_approvals"),
    ]

    operations = [
        migrations.CreateModel(
            name="Laboratory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True)),
                ("name", models.CharField(max_length=200)),
                (
                    "sites",
                    models.ManyToManyField(
                        related_name="+", to="trials.site", verbose_name="sites it serves"
                    ),
                ),
            ],
            options={
                "verbose_name": "laboratory",
                "verbose_name_plural": "laboratories",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="ReferenceRange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("test", models.CharField(help_text="CDISC submission value, such as HGB.", max_length=8)),
                ("unit", models.CharField(max_length=20)),
                (
                    "sex",
                    models.CharField(
                        blank=True,
                        choices=[("M", "Male"), ("F", "Female")],
                        help_text="Empty for both.",
                        max_length=1,
                    ),
                ),
                (
                    "age_from",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Completed years.", verbose_name="from age"
                    ),
                ),
                (
                    "age_to",
                    models.PositiveSmallIntegerField(
                        help_text="Completed years, inclusive.", null=True, verbose_name="to age"
                    ),
                ),
                ("low", models.CharField(blank=True, max_length=20, verbose_name="lower limit")),
                ("high", models.CharField(blank=True, max_length=20, verbose_name="upper limit")),
                ("valid_from", models.DateField()),
                ("version", models.PositiveIntegerField()),
                (
                    "added_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "withdrawn_because",
                    models.CharField(blank=True, max_length=200, verbose_name="reason for withdrawal"),
                ),
                (
                    "corrects",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trials.referencerange",
                    ),
                ),
                (
                    "laboratory",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ranges",
                        to="trials.laboratory",
                    ),
                ),
            ],
            options={
                "verbose_name": "reference range",
                "ordering": ["test", "sex", "age_from", "-valid_from", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("laboratory", "test", "sex", "age_from", "valid_from"),
                        name="one_range_for_sex_age_and_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("age_to__isnull", True), ("age_to__gte", models.F("age_from")), _connector="OR"
                        ),
                        name="range_ends_at_an_age_after_it_begins",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("high", ""), ("low", ""), _negated=True), name="range_has_a_limit"
                    ),
                ],
            },
        ),
        refuse_when(
            "reference_range_stays_as_it_is",
            table="trials_referencerange",
            event="UPDATE",
            condition=f"{CHANGED} OR OLD.withdrawn_at IS NOT NULL",
            message="A reference range is never changed; a new one supersedes it.",
        ),
        refuse_when(
            "reference_range_is_never_deleted",
            table="trials_referencerange",
            event="DELETE",
            condition="true",
            message="A reference range is never deleted; withdraw it with a reason.",
        ),
    ]
