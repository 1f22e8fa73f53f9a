"""The patients room: people at sites, and subjects (a patient in a trial)."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"
    verbose_name = "Patients and subjects"
