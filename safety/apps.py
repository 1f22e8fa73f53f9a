"""Wiring of the room."""

from django.apps import AppConfig


class SafetyConfig(AppConfig):
    """Safety."""

    name = "safety"
    verbose_name = "Safety"
