"""What waits for the site in one casebook: images that are expected and were not sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from django.urls import reverse

from casebook.registry import Need
from casebook.rules.projection import Row
from imaging.selectors.missing import missing_images
from patients.models import Subject
from visits.models import Visit
from visits.rules.schedule import day_in_words


def images_needed(subject: Subject, rows: Sequence[Row], today: date) -> Iterator[Need]:
    """Images of visits that took place, as Today lists them."""
    visits = Visit.objects.filter(subject=subject).select_related(
        "subject__trial", "subject__site", "subject__version"
    )
    for each in missing_images(visits):
        yield Need(
            "overdue" if each.due < today else "not-started",
            f"Images of {each.name}",
            f"The visit was on {day_in_words(each.happened_on)}; to be sent by {day_in_words(each.due)}.",
            reverse("visit-images", args=[subject.number, str(each.visit)]),
        )
