"""Trials, sites and published protocol versions."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True)),
                ("title", models.TextField()),
                ("short_title", models.CharField(max_length=200)),
                ("sponsor", models.CharField(max_length=200)),
                ("registry_id", models.CharField(blank=True, max_length=40)),
                ("phase", models.CharField(blank=True, max_length=20)),
            ],
            options={"ordering": ["code"]},
        ),
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("country", models.CharField(help_text="ISO 3166-1, two letters.", max_length=2)),
                ("time_zone", models.CharField(help_text="IANA name, such as Europe/Oslo.", max_length=60)),
            ],
            options={"ordering": ["code"]},
        ),
        migrations.CreateModel(
            name="TrialSite",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("opened_on", models.DateField()),
                ("closed_on", models.DateField(blank=True, null=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trial_sites",
                        to="trials.site",
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trial_sites",
                        to="trials.trial",
                    ),
                ),
            ],
            options={
                "ordering": ["trial__code", "site__code"],
                "constraints": [
                    models.UniqueConstraint(fields=("trial", "site"), name="site_once_per_trial"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_on__isnull", True),
                            ("closed_on__gte", models.F("opened_on")),
                            _connector="OR",
                        ),
                        name="site_closes_after_it_opened",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtocolVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("label", models.CharField(max_length=40)),
                ("definition", models.JSONField()),
                ("sha256", models.CharField(help_text="Of the definition's canonical text.", max_length=64)),
                ("effective_from", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[("PUBLISHED", "published"), ("WITHDRAWN", "withdrawn")],
                        default="PUBLISHED",
                        max_length=10,
                    ),
                ),
                ("published_at", models.DateTimeField()),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="trials.trial",
                    ),
                ),
            ],
            options={
                "ordering": ["trial__code", "effective_from", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("sha256",), name="protocol_content_once"),
                    models.UniqueConstraint(fields=("trial", "label"), name="protocol_label_once_per_trial"),
                ],
            },
        ),
    ]
