"""Numbers of doses as people read them: rounded once, for display."""

from __future__ import annotations

from decimal import Decimal

from django import template

from treatment.pages.treatment import difference_words
from treatment.rules.doses import ProcedureDose, shown

register = template.Library()


@register.filter
def rounded(number: Decimal | None, step: str) -> str:
    """A number to a step such as `0.01`; a dash where there is none."""
    return "–" if number is None else shown(number, step)


@register.filter
def difference(dose: ProcedureDose) -> str:
    """Given against planned dose, in per cent with its sign."""
    return difference_words(dose)
