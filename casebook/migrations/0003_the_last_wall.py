"""Refusals of the database itself: no silent change of complete data, no write to what is locked or frozen."""

from django.db import migrations

from audit.guards import REASON_GIVEN, refuse_when


class Migration(migrations.Migration):
    dependencies = [("casebook", "0002_initial"), ("audit", "0001_initial")]

    operations = [
        refuse_when(
            "complete_entry_changes_with_reason",
            table="casebook_entry",
            event="UPDATE",
            condition=(
                'OLD.state = \'COMPLETE\' AND OLD."values" IS DISTINCT FROM NEW."values"'
                f" AND NOT {REASON_GIVEN}"
            ),
            message="A complete form is changed with a reason only.",
        ),
        refuse_when(
            "locked_entry_is_not_written",
            table="casebook_entry",
            event="UPDATE",
            condition=(
                'OLD.locked AND NEW.locked AND (OLD."values" IS DISTINCT FROM NEW."values"'
                " OR OLD.state IS DISTINCT FROM NEW.state OR OLD.struck_out IS DISTINCT FROM NEW.struck_out)"
            ),
            message="A locked form is not written.",
        ),
        refuse_when(
            "frozen_entry_is_not_written",
            table="casebook_entry",
            event="UPDATE",
            condition='OLD.frozen AND NEW.frozen AND OLD."values" IS DISTINCT FROM NEW."values"',
            message="A frozen form is not written.",
        ),
        refuse_when(
            "entry_is_never_deleted",
            table="casebook_entry",
            event="DELETE",
            condition="true",
            message="What was entered is never deleted; strike it out instead.",
        ),
    ]
