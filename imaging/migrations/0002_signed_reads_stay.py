"""Refusals of the database itself: a signed read, a stored image and a batch's past stay as they are."""

from django.db import migrations

from audit.guards import refuse_when

INSTANCE_CHANGED = " OR ".join(
    f"OLD.{column} IS DISTINCT FROM NEW.{column}"
    for column in ("series_id", "subject_id", "uid", "file_key", "file_sha256", "pixel_sha256")
)


class Migration(migrations.Migration):
    dependencies = [("imaging", "0001_initial"), ("audit", "0001_initial")]

    operations = [
        refuse_when(
            "signed_read_stays_as_it_is",
            table="imaging_read",
            event="UPDATE",
            condition="OLD.state = 'SIGNED'",
            message="A signed read cannot be changed; a correction is a new version.",
        ),
        refuse_when(
            "read_is_never_deleted",
            table="imaging_read",
            event="DELETE",
            condition="true",
            message="A read is never deleted.",
        ),
        refuse_when(
            "stored_image_stays_as_it_is",
            table="imaging_instance",
            event="UPDATE",
            condition=INSTANCE_CHANGED,
            message="A stored image cannot be changed.",
        ),
        refuse_when(
            "stored_image_stays",
            table="imaging_instance",
            event="DELETE",
            condition="true",
            message="A stored image cannot be deleted.",
        ),
        refuse_when(
            "imaging_key_stays",
            table="imaging_imagingkey",
            event="UPDATE OR DELETE",
            condition="OLD.patient_digest <> ''",
            message="The imaging secret of a subject cannot be changed.",
        ),
    ]
