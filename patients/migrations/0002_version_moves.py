"""Steps of subjects from one protocol version to a later one; they are kept as they were taken."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from audit.guards import refuse_when


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("patients", "0001_initial"),
        ("trials", "0003_site_approvals"),
    ]

    operations = [
        migrations.CreateModel(
            name="VersionMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reconsented_on", models.DateField()),
                ("reason", models.CharField(max_length=300)),
                (
                    "moved_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "previous",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trials.protocolversion",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moves",
                        to="patients.subject",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trials.protocolversion",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="a_move_has_a_reason"
                    ),
                    models.UniqueConstraint(
                        fields=("subject", "version"), name="a_subject_moves_to_a_version_once"
                    ),
                ],
            },
        ),
        refuse_when(
            "a_move_is_final",
            table="patients_versionmove",
            event="UPDATE OR DELETE",
            condition="true",
            message="A subject's move to another version is never changed or deleted.",
        ),
    ]
