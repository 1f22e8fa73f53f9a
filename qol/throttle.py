"""A brake on guessing links: so many wrong ones from one address, and it waits.

A token has 192 random bits, so that guessing is hopeless anyway; the brake keeps the log readable and the database
idle. It counts in the memory of each web process, and a link that works is never refused.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache

WRONG_LINKS = 20
SECONDS = 600


def too_many_wrong_links(address: str) -> bool:
    """Whether this address tried too many links that do not exist."""
    return int(cache.get(_key(address), 0)) >= WRONG_LINKS


def note_wrong_link(address: str) -> None:
    """One more wrong link from this address."""
    key = _key(address)
    if not cache.add(key, 1, SECONDS):
        try:
            cache.incr(key)
        except ValueError:  # it ran out between the two
            cache.set(key, 1, SECONDS)


def _key(address: str) -> str:
    return f"wrong-links-{hashlib.sha256(address.encode()).hexdigest()[:16]}"
