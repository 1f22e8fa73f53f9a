"""Wiring of the room."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from audit.installation import append_only, install


class AuditConfig(AppConfig):
    """Puts the trail into the database whenever tables may have changed."""

    name = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        post_migrate.connect(install, sender=self, dispatch_uid="audit.install")
        for table in ("audit_trailcheck", "audit_trailbundle", "audit_trailreview"):
            append_only(table)
