"""The inbox, decisions about quality, and patient numbers that a person can confirm or take back."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from audit.guards import refuse_when

KEY_CHANGED = "OLD.sealed IS DISTINCT FROM NEW.sealed OR OLD.subject_id IS DISTINCT FROM NEW.subject_id"
NUMBER_CHANGED = (
    "OLD.subject_id IS DISTINCT FROM NEW.subject_id OR OLD.digest IS DISTINCT FROM NEW.digest"
    " OR OLD.ended_at IS NOT NULL"
)
STUDY_STATES = ["RECEIVED", "QC_PASS", "QC_QUERY", "QC_REJECTED", "WITHDRAWN"]
CHOICES = [
    ("ACCEPT", "Accepted"),
    ("QUERY", "Asked the site"),
    ("REJECT", "Rejected"),
    ("WITHDRAW", "Taken out"),
    ("RESTORE", "Taken back in"),
]
KEEP_NUMBERS = """
INSERT INTO imaging_patientnumber
    (subject_id, digest, confirmed_by, reason, ended_by, ended_because)
SELECT subject_id, patient_digest, '', '', '', '' FROM imaging_imagingkey WHERE patient_digest <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("imaging", "0002_signed_reads_stay"), ("audit", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="PatientNumber",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("confirmed_by", models.CharField(blank=True, max_length=150)),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, max_length=150)),
                ("ended_because", models.CharField(blank=True, max_length=300)),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.subject"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("subject", "digest"),
                        name="patient_number_once_per_subject",
                    )
                ],
            },
        ),
        migrations.RunSQL(KEEP_NUMBERS, migrations.RunSQL.noop),
        migrations.RunSQL(
            'DROP TRIGGER "imaging_key_stays" ON public."imaging_imagingkey"', migrations.RunSQL.noop
        ),
        migrations.RemoveField(model_name="imagingkey", name="patient_digest"),
        refuse_when(
            "imaging_key_is_never_exchanged",
            table="imaging_imagingkey",
            event="UPDATE",
            condition=KEY_CHANGED,
            message="The imaging secret of a subject cannot be changed.",
        ),
        refuse_when(
            "imaging_key_is_never_deleted",
            table="imaging_imagingkey",
            event="DELETE",
            condition="true",
            message="The imaging secret of a subject cannot be deleted.",
        ),
        refuse_when(
            "patient_number_only_ends",
            table="imaging_patientnumber",
            event="UPDATE",
            condition=NUMBER_CHANGED,
            message="A patient number stays as it was confirmed.",
        ),
        migrations.CreateModel(
            name="QualityDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("choice", models.CharField(choices=CHOICES, max_length=10)),
                ("reason", models.CharField(max_length=300)),
                (
                    "corrective_action",
                    models.CharField(blank=True, help_text="What the site is asked to do.", max_length=300),
                ),
                ("due_on", models.DateField(help_text="By when the site has to do it.", null=True)),
                ("by", models.CharField(max_length=150)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="imaging.study",
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
                "ordering": ["study", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("choice__in", [key for key, _ in CHOICES])),
                        name="quality_choice_is_known",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="study",
            name="patient_number",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="imaging.patientnumber",
            ),
        ),
        migrations.AddField(
            model_name="series",
            name="scanner",
            field=models.CharField(blank=True, help_text="Manufacturer and model.", max_length=130),
        ),
        migrations.AddField(
            model_name="batchfile",
            name="overruled",
            field=models.JSONField(
                default=list, help_text="Reasons to hold it back that a person passed over."
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="prepared",
            field=models.BooleanField(
                default=False,
                help_text="Files were de-identified in the browser; the server checks that they were.",
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="check_due_on",
            field=models.DateField(help_text="By when the quality check has to be settled.", null=True),
        ),
        migrations.AlterField(
            model_name="study",
            name="state",
            field=models.CharField(
                choices=[
                    ("RECEIVED", "Received"),
                    ("QC_PASS", "Quality accepted"),
                    ("QC_QUERY", "Quality in question"),
                    ("QC_REJECTED", "Quality rejected"),
                    ("WITHDRAWN", "Taken out"),
                ],
                default="RECEIVED",
                max_length=12,
            ),
        ),
        migrations.RemoveConstraint(model_name="study", name="study_state_is_known"),
        migrations.AddConstraint(
            model_name="study",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", STUDY_STATES)), name="study_state_is_known"
            ),
        ),
        migrations.AddField(
            model_name="inboxitem", name="examination", field=models.CharField(blank=True, max_length=64)
        ),
        migrations.AddField(
            model_name="inboxitem",
            name="claimed",
            field=models.CharField(
                blank=True, help_text="Number of the subject that it names.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="inboxitem", name="claimed_visit", field=models.CharField(blank=True, max_length=16)
        ),
        migrations.AddField(model_name="inboxitem", name="taken_on", field=models.DateField(null=True)),
        migrations.AddField(
            model_name="inboxitem", name="modality", field=models.CharField(blank=True, max_length=16)
        ),
        migrations.AddField(
            model_name="inboxitem", name="sent_by", field=models.CharField(blank=True, max_length=150)
        ),
        migrations.AddField(
            model_name="inboxitem", name="sent_by_id", field=models.BigIntegerField(null=True)
        ),
        migrations.AddField(
            model_name="inboxitem", name="decided_by", field=models.CharField(blank=True, max_length=150)
        ),
        migrations.AddField(model_name="inboxitem", name="decided_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="inboxitem", name="decision_reason", field=models.CharField(blank=True, max_length=300)
        ),
        migrations.AlterField(
            model_name="inboxitem", name="reason", field=models.CharField(blank=True, max_length=300)
        ),
        migrations.AlterModelOptions(name="inboxitem", options={"ordering": ["received_at", "pk"]}),
        migrations.AddIndex(
            model_name="inboxitem",
            index=models.Index(fields=["state", "examination"], name="imaging_inbox_by_examination"),
        ),
    ]
