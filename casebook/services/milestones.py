"""Days of a trial before which every casebook is to be signed."""

from __future__ import annotations

from datetime import date

from audit.context import Actor, acting
from casebook.models import Milestone
from foundation.errors import Invalid
from trials.models import Trial


def keep_milestone(*, actor: Actor, trial: Trial, name: str, due_on: date) -> Milestone:
    """Enter a milestone of a trial, such as an interim analysis.

    Raises
    ------
    foundation.errors.Invalid
        No name, or one that the trial has already.

    References
    ----------
    ICH E6(R3) 3.16.1(o).
    """
    words = name.strip()
    if not words or len(words) > 80:
        raise Invalid({"name": "Give it a name of at most 80 characters."}, field="name")
    if Milestone.objects.filter(trial=trial, name=words).exists():
        raise Invalid({"name": "A milestone of this trial has this name already."}, field="name")
    with acting(actor):
        return Milestone.objects.create(trial=trial, name=words, due_on=due_on)
