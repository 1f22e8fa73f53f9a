"""A completed form stays on the protocol version under which it was entered; that is said once."""

import django.db.models.deletion
from django.db import migrations, models

from audit.guards import refuse_when


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("casebook", "0003_the_last_wall"),
        ("trials", "0003_site_approvals"),
    ]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="entered_under",
            field=models.ForeignKey(
                help_text="The protocol version that the form stays on; empty where it follows the subject.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trials.protocolversion",
            ),
        ),
        refuse_when(
            "what_a_form_was_entered_under_stays",
            table="casebook_entry",
            event="UPDATE",
            condition=(
                "OLD.entered_under_id IS NOT NULL AND OLD.entered_under_id IS DISTINCT FROM NEW.entered_under_id"
            ),
            message="A form stays on the protocol version under which it was entered.",
        ),
    ]
