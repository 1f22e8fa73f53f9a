"""Wiring of the room."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.urls import reverse

from foundation.panels import register

if TYPE_CHECKING:
    from patients.models import Subject


class TreatmentConfig(AppConfig):
    """Treatment: procedures with their dose and times, and randomisation."""

    name = "treatment"
    verbose_name = "Treatment"

    def ready(self) -> None:
        import_module("treatment.wiring")
        import_module("treatment.receivers")
        register("subject", order=20, title="Treatment", url=treatment_page, permission="treatment.view")


def treatment_page(subject: Subject) -> str | None:
    """Address of the page, where the protocol has a dose, timing rules or an allocation by chance."""
    protocol = subject.version.protocol
    applies = protocol.dose or protocol.timing or any(each.randomised for each in protocol.sub_studies)
    return reverse("treatment", args=[subject.number]) if applies else None
