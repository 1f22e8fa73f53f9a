"""Who else has a form open. Kept for less than a minute, never written to the database."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.core.cache import caches
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
CACHE = "presence"
SEEN_FOR = timedelta(seconds=45)
"""Three times the pause between two looks of a page."""


def others_at(place: str, person: int, name: str, now: datetime) -> tuple[str, ...]:
    """Say that a person has a form open, and hear who else does. Nobody, where the cache does not answer.

    Parameters
    ----------
    place
        The form's address.
    """
    try:
        here: dict[int, tuple[str, datetime]] = caches[CACHE].get(place) or {}
        here = {who: seen for who, seen in here.items() if now - seen[1] < SEEN_FOR}
        others = tuple(sorted(seen[0] for who, seen in here.items() if who != person))
        caches[CACHE].set(place, {**here, person: (name, now)}, SEEN_FOR.total_seconds())
    except (RedisError, OSError) as error:  # entry goes on without it
        logger.warning("Who has %s open is not known (%s).", place, type(error).__name__)
        return ()
    return others
