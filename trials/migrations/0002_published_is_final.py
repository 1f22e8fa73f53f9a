"""A published version cannot be changed or deleted, whoever writes the SQL."""

from django.db import migrations

from audit.guards import refuse_when

CHANGED = " OR ".join(
    f"OLD.{column} IS DISTINCT FROM NEW.{column}"
    for column in ("id", "trial_id", "label", "definition", "sha256", "effective_from", "published_at")
)
FINAL = "A published protocol version cannot be changed."
KEPT = "A published protocol version cannot be deleted."


class Migration(migrations.Migration):
    dependencies = [("trials", "0001_initial"), ("audit", "0001_initial")]

    operations = [
        refuse_when(
            "published_version_stays_as_it_is",
            table="trials_protocolversion",
            event="UPDATE",
            condition=CHANGED,
            message=FINAL,
        ),
        refuse_when(
            "published_version_stays",
            table="trials_protocolversion",
            event="DELETE",
            condition="true",
            message=KEPT,
        ),
    ]
