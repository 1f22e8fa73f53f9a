"""The patients room: people at sites, and subjects (a patient in a trial)."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"
    verbose_name = "Patients and subjects"

    def ready(self) -> None:
        # It reads models, which exist only now.
        from audit.registry import register_subjects  # noqa: PLC0415
        from patients.selectors import subjects_visible_to  # noqa: PLC0415

        register_subjects(subjects_visible_to)
