"""Wiring of the room."""

from django.apps import AppConfig


class ImagingConfig(AppConfig):
    """Imaging."""

    name = "imaging"
    verbose_name = "Imaging"
