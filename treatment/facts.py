"""Facts that this room answers for packs that take them `from: registry`."""

from __future__ import annotations

from datetime import date

from casebook.rules.projection import Answer
from patients.models import Subject
from treatment.models import Allocation

RANDOMISED_ON = "RANDDAT"


def day_of_randomisation(subject: Subject, as_of: date) -> Answer | None:
    """Day of randomisation at the site; nothing before it."""
    on = Allocation.objects.filter(subject=subject, on__lte=as_of).values_list("on", flat=True).first()
    return Answer(on.isoformat(), on) if on else None
