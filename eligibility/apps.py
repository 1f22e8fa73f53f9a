"""Wiring of the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.urls import reverse

from foundation.panels import register


class EligibilityConfig(AppConfig):
    """Eligibility."""

    name = "eligibility"
    verbose_name = "Eligibility"

    def ready(self) -> None:
        # These read models, which exist only now.
        from audit.installation import append_only  # noqa: PLC0415
        from audit.registry import register_check  # noqa: PLC0415
        from eligibility.selectors import unfitting_assessments  # noqa: PLC0415

        append_only("eligibility_assessment")
        register_check("eligibility assessments", unfitting_assessments)
        register(
            "subject",
            order=10,
            title="Eligibility",
            url=lambda subject: reverse("eligibility", args=[subject.number]),
            permission="eligibility.view",
        )
