"""What stands beside a value: high or low, where its limits come from, the grade that it suggests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from casebook.pages.form import FormPage, ItemRow
from casebook.rules.grading import CHECK, EDITION, Suggestion
from casebook.rules.limits import LIMITS, limit_mark, provenance, shown_limit
from foundation.templatetags.pieces import icon, state
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
        parts.append(format_html('<span class="muted">{}</span>', source))
    return SafeString(" ".join(part for part in parts if part))


def _flag(mark: str, has_limits: bool) -> SafeString:
    if mark == "high":
        return format_html('<span class="flag stop">{}High</span>', icon("arrow-up"))
    if mark == "low":
        return format_html('<span class="flag stop">{}Low</span>', icon("arrow-down"))
    return NOTHING if has_limits else SafeString('<span class="muted">No range</span>')


@register.simple_tag
def grade_hint(row: ItemRow, shown: FormPage) -> SafeString:
    """The grade that a value suggests, under its field: shown, never filled in; left out where a message says it."""
    if row.note or not shown or any(finding.check_id == CHECK for finding in row.findings):
        return NOTHING
    suggestion = shown.worked.suggestion(row.item)
    if suggestion is None or not suggestion.grade:
        return NOTHING
    return format_html('<p class="hint">{}</p>', grade_words(suggestion))


def grade_words(suggestion: Suggestion) -> str:
    """`CTCAE v5: grade 2 by this value (Weight loss, …)`."""
    return f"{EDITION}: grade {suggestion.grade} by this value ({suggestion.because})"


@register.simple_tag(takes_context=True)
def verify_mark(context: Context, row: ItemRow) -> SafeString:
    """For monitors: how the item stands against its source, and the button that says that it agrees."""
    check = (context.get("verification") or {}).get(row.item.id, "")
    return verify_fragment(row.item.id, row.item.label, check, row.save_url.removesuffix("save/"))


def verify_fragment(item: str, label: str, check: str, form_address: str) -> SafeString:
    """The mark of one item; empty where the plan does not ask for it."""
    if not check:
        return NOTHING
    shown = state("verified" if check == "verified" else "changed", quiet=True) if check != "due" else NOTHING
    button = NOTHING
    if check != "verified":
        button = format_html(
            '<button type="button" class="button small quiet" data-verify hx-post="{}verify/" hx-target="#verify-{}"'
            ' hx-swap="outerHTML" hx-vals="{}" aria-label="Agrees with the source: {}" title="V">{}</button>',
            form_address,
            item,
            json.dumps({"item": item}),
            label,
            icon("check"),
        )
    return format_html('<span class="verify" id="verify-{}">{}{}</span>', item, shown, button)


@register.simple_tag
def to_verify(verification: Mapping[str, str]) -> str:
    """`3 to verify, 1 changed since verified`."""
    counts = Counter(verification.values())
    parts = [f"{counts['due']} to verify"] if counts["due"] else []
    parts += [f"{counts['changed']} changed since verified"] if counts["changed"] else []
    return ", ".join(parts) or "All that is planned is verified"
