"""Where the sprite of icons lies."""

from __future__ import annotations

import hashlib
from functools import cache

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static


@cache
def sprite_url() -> str:
    """Address of the sprite, with a digest of its content so that browsers may keep it."""
    found = finders.find(settings.SPRITE)
    address = static(settings.SPRITE)
    if not isinstance(found, str):
        return address
    with open(found, "rb") as file:
        return f"{address}?v={hashlib.sha256(file.read()).hexdigest()[:10]}"
