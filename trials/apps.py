"""Wiring of the room."""

from django.apps import AppConfig


class TrialsConfig(AppConfig):
    """Trials."""

    name = "trials"
    verbose_name = "Trials"
