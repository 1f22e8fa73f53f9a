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
        register(
            "subject",
            order=50,
            title="Safety",
            url=lambda subject: reverse("safety", args=[subject.number]),
            permission="safety.view",
        )
