"""Wiring of the room."""

from django.apps import AppConfig


class EligibilityConfig(AppConfig):
    """Eligibility."""

    name = "eligibility"
    verbose_name = "Eligibility"
