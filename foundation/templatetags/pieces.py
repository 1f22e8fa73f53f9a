"""Small pieces of every page: icons and the shapes of a state."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from foundation.sprite import sprite_url

register = template.Library()

# State of a thing -> the word beside its shape. Colour alone never tells (UI rule); the symbol is `s-<state>`.
STATES: dict[str, str] = {
    "empty": "Not started",
    "in-progress": "In progress",
    "complete": "Complete",
    "query": "Open query",
    "answered": "Answered",
    "verified": "Verified",
    "changed": "Changed since verified",
    "signed": "Signed",
    "frozen": "Frozen",
    "locked": "Locked",
    "missed": "Missed",
    "due": "Due",
    "overdue": "Overdue",
    "not-needed": "Not needed",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon from the sprite; it says nothing to a screen reader, so words stand beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#i-{}"></use></svg>', sprite_url(), name
    )


@register.simple_tag
def state(name: str, word: str = "", *, quiet: bool = False) -> SafeString:
    """The shape of a state with its word; `quiet` hides the word from sight only.

    Unknown states are an error: a page must not show a shape that nobody defined.
    """
    key = str(name).lower().replace("_", "-")
    if key not in STATES:
        raise template.TemplateSyntaxError(f"There is no state called {name!r}.")
    return format_html(
        '<span class="state state-{}"><svg class="state-shape" aria-hidden="true" focusable="false">'
        '<use href="{}#s-{}"></use></svg><span class="{}">{}</span></span>',
        key,
        sprite_url(),
        key,
        "visually-hidden" if quiet else "state-word",
        word or STATES[key],
    )
