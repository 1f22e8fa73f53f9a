"""A site that is locked, for tests of other rooms: its casebooks are taken as complete and signed."""

from __future__ import annotations

from audit.context import acting
from casebook.models import Closure, Entry, PlaceLock
from casebook.services.places import lock_place
from patients.models import Subject
from tests.cast import SETUP, Cast


def lock_site_of(cast: Cast, subject: Subject) -> PlaceLock:
    """Lock every casebook of a subject's site by hand, and then the site."""
    there = Subject.objects.filter(trial=subject.trial, site=subject.site)
    with acting(SETUP, reason="Set up"):
        Entry.objects.filter(subject__in=there).update(locked=True)
        Closure.objects.bulk_create(Closure(subject=each) for each in there)
    return lock_place(
        actor=cast.actor("datamanager"), trial=subject.trial, site=subject.site, reason="Database lock"
    )
