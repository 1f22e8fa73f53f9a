"""Approvals of protocol versions by site; which versions came before a version; both final."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from audit.guards import refuse_when


class Migration(migrations.Migration):
    dependencies = [
        ("trials", "0002_published_is_final"),
        ("audit", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="protocolversion",
            name="lineage",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64), blank=True, default=list, size=None
            ),
        ),
        migrations.CreateModel(
            name="SiteApproval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "approved_on",
                    models.DateField(
                        help_text="First day on which the site may use the version; it may lie ahead."
                    ),
                ),
                (
                    "document",
                    models.CharField(
                        help_text="Reference of the approval, to be found in the trial master file.",
                        max_length=200,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "withdrawn_on",
                    models.DateField(blank=True, help_text="From this day on it counts no more.", null=True),
                ),
                ("withdrawn_reason", models.CharField(blank=True, max_length=300)),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="trials.site"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="trials.protocolversion",
                    ),
                ),
            ],
            options={
                "ordering": ["version__effective_from", "version_id", "site__code", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_on__isnull", True)),
                        fields=("site", "version"),
                        name="one_approval_per_site_and_version",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_on__isnull", True),
                            models.Q(("withdrawn_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="an_approval_is_withdrawn_with_a_reason",
                    ),
                ],
            },
        ),
        refuse_when(
            "published_lineage_stays",
            table="trials_protocolversion",
            event="UPDATE",
            condition="OLD.lineage IS DISTINCT FROM NEW.lineage",
            message="A published protocol version cannot be changed.",
        ),
        refuse_when(
            "an_approval_is_only_withdrawn",
            table="trials_siteapproval",
            event="UPDATE",
            condition=" OR ".join(
                f"OLD.{column} IS DISTINCT FROM NEW.{column}"
                for column in (
                    "site_id",
                    "version_id",
                    "approved_on",
                    "document",
                    "recorded_by_id",
                    "recorded_at",
                )
            )
            + " OR OLD.withdrawn_on IS NOT NULL",
            message="An approval is not changed; withdraw it and record another.",
        ),
        refuse_when(
            "an_approval_stays",
            table="trials_siteapproval",
            event="DELETE",
            condition="true",
            message="An approval is not deleted; withdraw it.",
        ),
    ]
