"""Wiring of the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.urls import reverse

from foundation import panels

if TYPE_CHECKING:
    from patients.models import Subject


class EndpointsConfig(AppConfig):
    """Endpoints."""

    name = "endpoints"
    verbose_name = "Endpoints"

    def ready(self) -> None:
        # It reads models, which exist only now.
        from endpoints.central_reads import signed_scans  # noqa: PLC0415
        from endpoints.sources import register_scans  # noqa: PLC0415

        register_scans(signed_scans)
        panels.register("subject", order=60, title="Endpoints", url=_page_of, permission="report.view")


def _page_of(subject: Subject) -> str:
    return reverse("subject-endpoints", args=[subject.number])
