"""Addresses of the casebook: by subject number, visit and form, never by a database key."""

from __future__ import annotations

from django.urls import reverse

from casebook.selectors import LOG
from patients.models import Subject
from visits.models import Visit


def form_url(subject: Subject, visit: Visit | None, form: str, repeat: int = 1) -> str:
    """Address of a form of a subject at a visit, or in a running log."""
    place = str(visit) if visit else LOG
    if repeat == 1:
        return reverse("form", args=[subject.number, place, form])
    return reverse("form-row", args=[subject.number, place, form, repeat])


def form_below(subject_url: str, visit: str, form: str) -> str:
    """The same below a subject's address that is known already, for pages with thousands of links."""
    return f"{subject_url}{visit}/{form}/"


def form_address(number: str, visit: str, form: str, repeat: int = 1) -> str:
    """The same from the parts of an address."""
    return f"{number}/{visit}/{form}/{repeat}"
