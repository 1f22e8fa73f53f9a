"""Wiring of the room."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Reports."""

    name = "reports"
    verbose_name = "Reports"
