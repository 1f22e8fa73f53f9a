"""Wiring of the room."""

from celery import current_app
from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from foundation.tasks import schedule


class FoundationConfig(AppConfig):
    """Imports every room's tasks in every process, and gives beat its schedule."""

    name = "foundation"
    verbose_name = "Foundation"

    def ready(self) -> None:
        autodiscover_modules("tasks")
        current_app.conf.beat_schedule = schedule()
