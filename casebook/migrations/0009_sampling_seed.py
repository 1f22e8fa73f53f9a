"""The seed by which a trial's items to verify are drawn: once, for ever."""

import django.db.models.deletion
from django.db import migrations, models

from audit.guards import refuse_when


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("casebook", "0008_queries_and_checks"),
        ("trials", "0004_laboratories"),
    ]

    operations = [
        migrations.CreateModel(
            name="SamplingSeed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seed", models.CharField(max_length=64)),
                (
                    "trial",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="trials.trial"
                    ),
                ),
            ],
            options={
                "verbose_name": "seed of the verification sample",
            },
        ),
        refuse_when(
            "a_seed_stays_what_it_is",
            table="casebook_samplingseed",
            event="UPDATE OR DELETE",
            condition="true",
            message="The seed of a sample is never changed.",
        ),
    ]
