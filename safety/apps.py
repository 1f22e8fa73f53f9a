"""Wiring of the room."""

from __future__ import annotations

from django.apps import AppConfig
from django.urls import reverse

from foundation.panels import register


class SafetyConfig(AppConfig):
    """Safety: adverse events, reports of serious ones, suggested grades."""

    name = "safety"
    verbose_name = "Safety"

    def ready(self) -> None:
        # These read models, which exist only now.
        from casebook.registry import register_lock_condition  # noqa: PLC0415
        from safety.locking import unreported_events  # noqa: PLC0415

        register_lock_condition(
            "serious events", unreported_events, says="Serious events are reported, as far as they have to be"
        )
        register(
            "subject",
            order=50,
            title="Safety",
            url=lambda subject: reverse("safety", args=[subject.number]),
            permission="safety.view",
        )
