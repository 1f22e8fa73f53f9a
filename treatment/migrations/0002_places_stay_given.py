"""Refusals of the database itself: a place that was given stays given, a list stays as it is."""

from django.db import migrations

from audit.guards import refuse_when


class Migration(migrations.Migration):
    dependencies = [("treatment", "0001_initial"), ("audit", "0001_initial")]

    operations = [
        refuse_when(
            "allocation_is_never_changed",
            table="treatment_allocation",
            event="UPDATE OR DELETE",
            condition="true",
            message="An allocation is never changed and never deleted.",
        ),
        refuse_when(
            "allocation_list_is_never_changed",
            table="treatment_allocationlist",
            event="UPDATE OR DELETE",
            condition="true",
            message="A randomisation list is never changed and never deleted.",
        ),
    ]
