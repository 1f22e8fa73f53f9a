"""The house itself: joins rooms that stand side by side and know nothing of each other."""

from importlib import import_module

from django.apps import AppConfig


class HouseConfig(AppConfig):
    """Installed last, when every room is ready."""

    name = "config"
    verbose_name = "House"

    def ready(self) -> None:
        import_module("config.joints")
