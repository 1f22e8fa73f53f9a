"""What this room hands to the casebook below it; imported once when all models are there."""

from __future__ import annotations

from casebook.registry import register_fact, register_opening_guard
from treatment.facts import RANDOMISED_ON, day_of_randomisation
from treatment.selectors.admission import objection_to_opening

register_fact(RANDOMISED_ON, day_of_randomisation)
register_opening_guard(objection_to_opening)
