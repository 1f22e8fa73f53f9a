"""Reading: staleness, hidden repeats, response, time at work, adjudication."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from audit.guards import refuse_when


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_delegation_and_identity"),
        ("imaging", "0003_images_in"),
        ("patients", "0002_version_moves"),
        ("visits", "0002_reminder"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjudication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("opaque", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "first_is_a",
                    models.BooleanField(help_text="Whether the first reader is shown as A; drawn at random."),
                ),
                ("differences", models.JSONField(help_text="Variables of the charter in which they differ.")),
                (
                    "state",
                    models.CharField(
                        choices=[("WAITING", "Waiting"), ("SIGNED", "Signed")],
                        default="WAITING",
                        max_length=10,
                    ),
                ),
                ("held_until", models.DateTimeField(null=True)),
                (
                    "choice",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("A", "Reader A"),
                            ("B", "Reader B"),
                            ("NEW", "Neither; I read the images myself"),
                        ],
                        max_length=3,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=1000)),
                ("due_on", models.DateField()),
                (
                    "assigned_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("signed_at", models.DateTimeField(null=True)),
                (
                    "digest",
                    models.CharField(blank=True, help_text="SHA-256 of what was signed.", max_length=64),
                ),
            ],
            options={
                "ordering": ["due_on", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ReadingTime",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seconds", models.PositiveIntegerField()),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
            ],
            options={
                "ordering": ["read", "pk"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="read",
            name="read_once_per_visit_and_version",
        ),
        migrations.AddField(
            model_name="lesionoutcome",
            name="question",
            field=models.CharField(
                choices=[("ablation", "Outcome of the ablation"), ("size", "How it is there")],
                default="ablation",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="derived",
            field=models.CharField(
                blank=True, help_text="Overall response that the rules gave at signing.", max_length=16
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="draw",
            field=models.BigIntegerField(
                default=0, help_text="Drawn at random at assignment: place in a random order."
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="images",
            field=models.JSONField(
                default=dict, help_text="Studies, slices and verdicts on which it was signed."
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="mask",
            field=models.CharField(
                blank=True,
                help_text="Name of the case for this read, where it is not the subject's own.",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="non_target",
            field=models.CharField(
                blank=True, help_text="Response of the non-target lesions.", max_length=16
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="order",
            field=models.CharField(
                choices=[
                    ("sequential", "One after the other"),
                    ("global", "All at once"),
                    ("random", "At random"),
                ],
                default="sequential",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="overall",
            field=models.CharField(
                blank=True, help_text="Overall response as the reader says.", max_length=16
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="repeat_of",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="imaging.read"
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="response_comment",
            field=models.CharField(
                blank=True,
                help_text="Why it differs from what the rules make of the answers.",
                max_length=300,
            ),
        ),
        migrations.AddField(
            model_name="read",
            name="software",
            field=models.CharField(blank=True, help_text="Version of the viewer at signing.", max_length=40),
        ),
        migrations.AlterField(
            model_name="read",
            name="number",
            field=models.PositiveSmallIntegerField(
                default=1, help_text="First or second reader, 3 the adjudicator."
            ),
        ),
        migrations.AddConstraint(
            model_name="read",
            constraint=models.UniqueConstraint(
                fields=("visit", "number", "version", "repeat_of"),
                name="read_once_per_visit_and_version",
                nulls_distinct=False,
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="accepted",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="imaging.read"
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="first",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="imaging.read"
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="held_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="second",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="imaging.read"
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="signature",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.signature",
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="subject",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.subject"
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="visit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="visits.visit"
            ),
        ),
        migrations.AddField(
            model_name="readingtime",
            name="read",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="times", to="imaging.read"
            ),
        ),
        migrations.AddField(
            model_name="readingtime",
            name="subject",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.subject"
            ),
        ),
        migrations.AddIndex(
            model_name="adjudication",
            index=models.Index(fields=["state", "due_on"], name="imaging_adjudication_queue"),
        ),
        migrations.AddConstraint(
            model_name="adjudication",
            constraint=models.UniqueConstraint(
                fields=("first", "second"), name="a_pair_of_reads_is_adjudicated_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjudication",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "SIGNED"), _negated=True),
                    models.Q(("accepted__isnull", False), ("signature__isnull", False)),
                    _connector="OR",
                ),
                name="a_signed_adjudication_has_signature_and_result",
            ),
        ),
        refuse_when(
            "signed_adjudication_stays_as_it_is",
            table="imaging_adjudication",
            event="UPDATE",
            condition="OLD.state = 'SIGNED'",
            message="A signed adjudication cannot be changed.",
        ),
        refuse_when(
            "adjudication_is_never_deleted",
            table="imaging_adjudication",
            event="DELETE",
            condition="true",
            message="An adjudication is never deleted.",
        ),
    ]
