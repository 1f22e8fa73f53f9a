"""What was assessed and signed is never changed and never deleted; a later evaluation is another row."""

from django.db import migrations

from audit.guards import refuse_when


class Migration(migrations.Migration):
    dependencies = [("eligibility", "0001_initial"), ("audit", "0001_initial")]

    operations = [
        refuse_when(
            "an_assessment_is_final",
            table="eligibility_assessment",
            event="UPDATE OR DELETE",
            condition="true",
            message="An assessment is never changed or deleted; assess again instead.",
        ),
    ]
