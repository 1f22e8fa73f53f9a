"""What stands beside a value: high or low, where its limits come from, the grade that it suggests."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from casebook.pages.form import FormPage, ItemRow
from casebook.rules.grading import EDITION, Suggestion
from casebook.rules.limits import LIMITS, limit_mark, provenance, shown_limit
from foundation.templatetags.pieces import icon
from logic.errors import UnitError

register = template.Library()
NOTHING = SafeString("")


@register.filter
def as_limit(limit: object) -> str:
    """A limit of normal for its field."""
    return shown_limit(limit)


@register.simple_tag
def lab_flag(row: ItemRow, shown: FormPage) -> SafeString:
    """Flag and suggested grade of a laboratory value; that no range is known is said, and never “normal”."""
    cell = shown.worked.entry.values.get(row.item.id)
    if row.note or not cell or cell.get("value") in (None, ""):
        return NOTHING
    try:
        mark = limit_mark(row.item, cell)
    except UnitError:
        return NOTHING
    parts = [_flag(mark, any(cell.get(name) for name in LIMITS))]
    suggestion = shown.worked.suggestion(row.item)
    if suggestion is not None and suggestion.grade:
        parts.append(
            format_html(
                '<span class="grade" title="{}">grade {}</span>', suggestion.because, suggestion.grade
            )
        )
    source = provenance(cell)
    if source == "typed by hand":
        parts.append(format_html('<span class="grade">{}</span>', source))
    return SafeString(" ".join(part for part in parts if part))


def _flag(mark: str, has_limits: bool) -> SafeString:
    if mark == "high":
        return format_html('<span class="flag stop">{}High</span>', icon("arrow-up"))
    if mark == "low":
        return format_html('<span class="flag stop">{}Low</span>', icon("arrow-down"))
    return NOTHING if has_limits else SafeString('<span class="muted">No range</span>')


@register.simple_tag
def grade_hint(row: ItemRow, shown: FormPage) -> SafeString:
    """The grade that a value suggests, under its field: shown, never filled in."""
    if row.note or not shown:
        return NOTHING
    suggestion = shown.worked.suggestion(row.item)
    if suggestion is None or not suggestion.grade:
        return NOTHING
    return format_html('<p class="hint">{}</p>', grade_words(suggestion))


def grade_words(suggestion: Suggestion) -> str:
    """`CTCAE v5: grade 2 by this value (Weight loss, …)`."""
    return f"{EDITION}: grade {suggestion.grade} by this value ({suggestion.because})"
