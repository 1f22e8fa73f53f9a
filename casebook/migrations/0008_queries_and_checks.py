"""Whose turn a query is; checks that fired, each kept once."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from audit.guards import refuse_when


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("casebook", "0007_guards_of_states"),
        ("patients", "0002_version_moves"),
    ]

    operations = [
        migrations.AddField(
            model_name="query",
            name="asked_by",
            field=models.CharField(
                choices=[
                    ("SITE", "Site"),
                    ("MONITOR", "Monitor"),
                    ("DATAMANAGER", "Data manager"),
                    ("MEDICAL", "Medical reviewer"),
                ],
                default="DATAMANAGER",
                max_length=12,
                verbose_name="asked by",
            ),
        ),
        migrations.AddField(
            model_name="query",
            name="waits_for",
            field=models.CharField(
                choices=[
                    ("SITE", "Site"),
                    ("MONITOR", "Monitor"),
                    ("DATAMANAGER", "Data manager"),
                    ("MEDICAL", "Medical reviewer"),
                ],
                default="SITE",
                max_length=12,
                verbose_name="waits for",
            ),
        ),
        migrations.CreateModel(
            name="CheckFiring",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("item", models.CharField(max_length=40)),
                ("check_id", models.CharField(max_length=40)),
                ("watched", models.CharField(max_length=64)),
                (
                    "fired_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="casebook.entry"
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.subject"
                    ),
                ),
            ],
            options={
                "verbose_name": "check that fired",
                "verbose_name_plural": "checks that fired",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entry", "item", "check_id"), name="a_firing_is_counted_once"
                    )
                ],
            },
        ),
        refuse_when(
            "a_firing_stays_as_it_was",
            table="casebook_checkfiring",
            event="UPDATE OR DELETE",
            condition="true",
            message="That a check fired is never changed.",
        ),
    ]
