"""Wiring of the room."""

from django.apps import AppConfig


class TreatmentConfig(AppConfig):
    """Treatment."""

    name = "treatment"
    verbose_name = "Treatment"
