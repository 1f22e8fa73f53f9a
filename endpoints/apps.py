"""Wiring of the room."""

from django.apps import AppConfig


class EndpointsConfig(AppConfig):
    """Endpoints."""

    name = "endpoints"
    verbose_name = "Endpoints"
