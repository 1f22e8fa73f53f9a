"""Wiring of the room."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.urls import reverse

from audit.installation import append_only
from foundation import panels
from qol.rules.questionnaire import questionnaire_of

if TYPE_CHECKING:
    from patients.models import Subject


class QolConfig(AppConfig):
    """Quality of life."""

    name = "qol"
    verbose_name = "Quality of life"

    def ready(self) -> None:
        import_module("qol.receivers")
        append_only("qol_instrumenttext")
        panels.register("subject", order=40, title="Quality of life", url=_page_of, permission="qol.view")


def _page_of(subject: Subject) -> str | None:
    """The page of a subject whose protocol has a questionnaire that is scored here."""
    if questionnaire_of(subject.version.protocol) is None:
        return None
    return reverse("quality-of-life", args=[subject.number])
