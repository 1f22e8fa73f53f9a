"""Wiring of the room."""

from django.apps import AppConfig


class TrialsConfig(AppConfig):
    """Trials."""

    name = "trials"
    verbose_name = "Trials"

    def ready(self) -> None:
        # It reads models, which exist only now.
        from accounts.places import register_places  # noqa: PLC0415
        from trials.selectors import places  # noqa: PLC0415

        register_places(places)
