"""The visits room: schedule, windows, reminders."""

from django.apps import AppConfig


class VisitsConfig(AppConfig):
    name = "visits"
    verbose_name = "Visits"
