"""Small pieces that every page uses: icons, status shapes with their words, bars.

Colour is never alone: a status is a shape of its own outline and a word. `docs/design-language.md` shows each piece.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy

from foundation import charts
from foundation.sprite import asset_url
from logic import units

register = template.Library()

SPRITE = "generated/sprite.svg"
FONT = "generated/inter-latin.woff2"
FAVICON = "generated/favicon.svg"


class Shown(NamedTuple):
    """How a status looks: the shape in the sprite, the tone of its colour, and its word."""

    shape: str
    tone: str
    word: Any


STATES: dict[str, Shown] = {
    # forms
    "planned": Shown("planned", "none", gettext_lazy("Planned")),
    "not-started": Shown("not-started", "none", gettext_lazy("Not started")),
    "in-progress": Shown("in-progress", "info", gettext_lazy("In progress")),
    "complete": Shown("complete", "ok", gettext_lazy("Complete")),
    "verified": Shown("verified", "ok", gettext_lazy("Verified")),
    "part-verified": Shown("part-verified", "ok", gettext_lazy("Partly verified")),
    "signed": Shown("signed", "signed", gettext_lazy("Signed")),
    "not-signed": Shown("not-started", "none", gettext_lazy("Not signed")),
    "sign-again": Shown("sign-again", "attention", gettext_lazy("To be signed again")),
    "reviewed": Shown("verified", "ok", gettext_lazy("Reviewed")),
    "review-again": Shown("verify-again", "attention", gettext_lazy("Changed since reviewed")),
    "changed": Shown("verify-again", "attention", gettext_lazy("Changed since verified")),
    "frozen": Shown("frozen", "signed", gettext_lazy("Frozen")),
    "locked": Shown("locked", "signed", gettext_lazy("Locked")),
    "overdue": Shown("overdue", "stop", gettext_lazy("Overdue")),
    "not-done": Shown("not-done", "none", gettext_lazy("Not done")),
    "struck-out": Shown("not-done", "none", gettext_lazy("Struck out")),
    # visits
    "due": Shown("visit-due", "info", gettext_lazy("Due")),
    "missed": Shown("not-done", "attention", gettext_lazy("Missed")),
    "not-needed": Shown("not-applicable", "none", gettext_lazy("Not needed")),
    "superseded": Shown("not-applicable", "none", gettext_lazy("Superseded")),
    "visit-planned": Shown("planned", "none", gettext_lazy("Planned")),
    "visit-due": Shown("visit-due", "info", gettext_lazy("Due")),
    "visit-done": Shown("visit-done", "ok", gettext_lazy("Done in window")),
    "visit-late": Shown("visit-late", "stop", gettext_lazy("Done out of window")),
    "visit-overdue": Shown("overdue", "stop", gettext_lazy("Overdue")),
    "visit-missed": Shown("not-done", "attention", gettext_lazy("Missed")),
    "visit-unscheduled": Shown("unscheduled", "info", gettext_lazy("Unscheduled")),
    "visit-superseded": Shown("not-applicable", "none", gettext_lazy("Superseded")),
    "visit-not-needed": Shown("not-applicable", "none", gettext_lazy("Not needed")),
    # queries
    "query": Shown("query-open", "attention", gettext_lazy("Open query")),
    "query-open": Shown("query-open", "attention", gettext_lazy("Query open")),
    "query-answered": Shown("query-answered", "info", gettext_lazy("Query answered")),
    "query-closed": Shown("query-closed", "none", gettext_lazy("Query closed")),
    # criteria and decisions
    "met": Shown("complete", "ok", gettext_lazy("Met")),
    "not-met": Shown("stop", "stop", gettext_lazy("Not met")),
    "absent": Shown("complete", "ok", gettext_lazy("Not present")),
    "present": Shown("stop", "stop", gettext_lazy("Present")),
    "unknown": Shown("unknown", "attention", gettext_lazy("Unknown")),
    "not-applicable": Shown("not-applicable", "none", gettext_lazy("Does not apply")),
    "eligible": Shown("complete", "ok", gettext_lazy("Eligible")),
    "ineligible": Shown("stop", "stop", gettext_lazy("Not eligible")),
    "undetermined": Shown("unknown", "attention", gettext_lazy("Not decided yet")),
    "hold": Shown("hold", "attention", gettext_lazy("Hold")),
    "stale": Shown("overdue", "attention", gettext_lazy("Out of date")),
    "pass": Shown("complete", "ok", gettext_lazy("Pass")),
    "fail": Shown("stop", "stop", gettext_lazy("Fail")),
    # levels of a message
    "stop": Shown("stop", "stop", gettext_lazy("Must be corrected")),
    "check": Shown("overdue", "attention", gettext_lazy("Check, please")),
    "info": Shown("info", "info", gettext_lazy("Information")),
    "ok": Shown("complete", "ok", gettext_lazy("In order")),
    # subjects
    "screening": Shown("in-progress", "info", gettext_lazy("In screening")),
    "enrolled": Shown("complete", "ok", gettext_lazy("Enrolled")),
    "on-treatment": Shown("in-progress", "info", gettext_lazy("On treatment")),
    "follow-up": Shown("in-progress", "info", gettext_lazy("In follow-up")),
    "completed": Shown("complete", "ok", gettext_lazy("Completed")),
    "discontinued": Shown("not-done", "none", gettext_lazy("Discontinued")),
    "screen-failure": Shown("not-done", "none", gettext_lazy("Screen failure")),
    # work in the background, images, exports
    "waiting": Shown("not-started", "none", gettext_lazy("Waiting")),
    "running": Shown("in-progress", "info", gettext_lazy("Running")),
    "ready": Shown("complete", "ok", gettext_lazy("Ready")),
    "done": Shown("complete", "ok", gettext_lazy("Done")),
    "failed": Shown("stop", "stop", gettext_lazy("Failed")),
    "received": Shown("in-progress", "info", gettext_lazy("Received")),
    "rejected": Shown("stop", "stop", gettext_lazy("Rejected")),
    "duplicate": Shown("not-applicable", "none", gettext_lazy("Already here")),
    "quarantined": Shown("hold", "attention", gettext_lazy("Quarantined")),
    "sent": Shown("in-progress", "info", gettext_lazy("Sent")),
    "answered": Shown("query-answered", "info", gettext_lazy("Answered")),
    "expired": Shown("not-done", "none", gettext_lazy("Expired")),
    "open": Shown("not-started", "info", gettext_lazy("Open")),
    "closed": Shown("not-applicable", "none", gettext_lazy("Closed")),
    "draft": Shown("in-progress", "none", gettext_lazy("Draft")),
}

ALIASES = {"empty": "not-started", "na": "not-applicable", "n-a": "not-applicable", "none": "not-applicable"}


def shown(name: object) -> Shown:
    """Shape, tone and word of a status.

    Parameters
    ----------
    name
        A key of ``STATES``, in any case, with blanks, underscores or hyphens: ``"IN_PROGRESS"``, ``"NOT MET"``.

    Raises
    ------
    TemplateSyntaxError
        The status is not known: a page must not show a shape that nobody defined.
    """
    key = str(name).strip().lower().replace("_", "-").replace(" ", "-").replace("/", "-")
    try:
        return STATES[ALIASES.get(key, key)]
    except KeyError:
        raise template.TemplateSyntaxError(f"There is no state called {name!r}.") from None


@register.simple_tag
def sprite_url() -> str:
    """Address of the sprite with all icons and status shapes."""
    return asset_url(SPRITE)


@register.simple_tag
def font_url() -> str:
    """Address of the font that every page needs at once, for a preload."""
    return asset_url(FONT)


@register.simple_tag
def icon_url() -> str:
    """Address of the picture in the browser's tab."""
    return asset_url(FAVICON)


@cache
def _svg(shape: str, css: str) -> SafeString:
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        asset_url(SPRITE),
        shape,
    )


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """A line icon, hidden from screen readers: the text beside it is the name.

    Parameters
    ----------
    name
        One of ``frontend/icons.json``.
    css
        Further classes.
    """
    return _svg(f"i-{name}", f"icon {css}".strip())


@register.simple_tag
def glyph(name: object, css: str = "") -> SafeString:
    """The shape of a status without its word; the caller says the word in another way."""
    looks = shown(name)
    return _svg(f"s-{looks.shape}", f"glyph {looks.tone} {css}".strip())


@register.simple_tag
def state(name: object, label: object = "", *, quiet: bool = False) -> SafeString:
    """A status: shape and word.

    Parameters
    ----------
    name
        See `shown`.
    label
        A word in place of the usual one.
    quiet
        Hide the word from sight, not from a screen reader.
    """
    looks = shown(name)
    return format_html(
        '<span class="state {}{}">{}<span class="{}">{}</span></span>',
        looks.tone,
        " quiet" if quiet else "",
        _svg(f"s-{looks.shape}", f"glyph {looks.tone}"),
        "visually-hidden" if quiet else "word",
        label or looks.word,
    )


@register.simple_tag
def pill(name: object, label: object = "") -> SafeString:
    """A status as a pill, for banners and lists."""
    looks = shown(name)
    return format_html(
        '<span class="pill {}">{}{}</span>',
        looks.tone,
        _svg(f"s-{looks.shape}", f"glyph {looks.tone}"),
        label or looks.word,
    )


@register.filter
def tone(name: object) -> str:
    """The tone of a status: none, info, ok, attention, stop or signed."""
    return shown(name).tone


@register.filter
def word(name: object) -> str:
    """The word of a status."""
    return str(shown(name).word)


@register.simple_tag
def bar(parts: Iterable[tuple[str, float]], label: str = "") -> SafeString:
    """A thin bar of coloured parts.

    Parameters
    ----------
    parts
        Pairs of tone, or state, and amount, in order.
    label
        What a screen reader says; without it the bar is decoration.
    """
    return charts.parts_bar(
        [(STATES[name].tone if name in STATES else name, n) for name, n in parts], label=label
    )


@register.simple_tag
def window_bar(**days: Any) -> SafeString:
    """The window of a visit as a small bar; see `foundation.charts.window_bar`."""
    return charts.window_bar(**days)


@register.filter
def as_attribute(value: object) -> SafeString:
    """A value as JSON, safe inside a double-quoted attribute."""
    return conditional_escape(json.dumps(value, ensure_ascii=False, default=str))


@register.simple_tag
def shortcut(*keys: str) -> SafeString:
    """Keys as the user sees them on the keyboard."""
    return mark_safe(" ".join(format_html("<kbd>{}</kbd>", gettext(key)) for key in keys))  # noqa: S308 - parts are escaped


@register.filter
def unit_in_words(unit: str) -> str:
    """A unit with its proper signs: `{{ "10^9/L"|unit_in_words }}` is ×10⁹/L."""
    return units.unit_in_words(unit)
