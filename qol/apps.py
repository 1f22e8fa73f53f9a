"""Wiring of the room."""

from django.apps import AppConfig


class QolConfig(AppConfig):
    """Quality of life."""

    name = "qol"
    verbose_name = "Quality of life"
