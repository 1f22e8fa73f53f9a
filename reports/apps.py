"""Wiring of the room."""

from importlib import import_module

from django.apps import AppConfig
from django.urls import reverse

from audit.installation import append_only
from foundation.panels import register


class ReportsConfig(AppConfig):
    """Reports."""

    name = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        # These read models, which exist only now.
        from audit.registry import register_check  # noqa: PLC0415
        from casebook.registry import register_needs  # noqa: PLC0415
        from reports.impact.consents import moves_needed  # noqa: PLC0415
        from reports.snapshots import changed_snapshots  # noqa: PLC0415

        import_module("reports.receivers")
        register_check("snapshots of locks", changed_snapshots)
        register_needs("reconsent", "subject.amend", moves_needed)
        append_only("reports_casebookcopy")
        append_only("reports_exporttaken")
        register(
            "subject",
            order=90,
            title="Version",
            url=lambda subject: reverse("subject-version", args=[subject.number]),
            permission="subject.view",
        )
