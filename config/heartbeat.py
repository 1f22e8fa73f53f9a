"""Worker and beat say every few seconds that they live; `/healthz` reads it.

Each writes a key with a short life into the broker, so that a killed process shows within `LIFE_SECONDS`, and asking
costs one round trip (`inspect ping` would wait for a busy worker).
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import redis
from celery.beat import PersistentScheduler
from celery.signals import worker_ready
from django.conf import settings

logger = logging.getLogger(__name__)

WORKER = "hilum:alive:worker"
BEAT = "hilum:alive:beat"
EVERY_SECONDS = 1.0
LIFE_SECONDS = 4


@cache
def broker(url: str) -> redis.Redis:
    """Client of the broker that gives up within half a second."""
    if url.startswith("redis+socket://"):
        url = url.replace("redis+socket://", "unix://", 1)
    return redis.Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5)


def say(key: str) -> None:
    """Write a sign of life; a broker that does not answer is somebody else's message."""
    try:
        broker(settings.CELERY_BROKER_URL).set(key, "1", ex=LIFE_SECONDS)
    except redis.RedisError as error:
        logger.debug("No sign of life: %s", error)


@worker_ready.connect
def worker_lives(sender: Any, **_: Any) -> None:
    """From now on, the worker's own timer writes its sign of life."""
    say(WORKER)
    sender.timer.call_repeatedly(EVERY_SECONDS, say, (WORKER,))


class Scheduler(PersistentScheduler):
    """Celery's scheduler that also writes beat's sign of life."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One turn; the next is at most `EVERY_SECONDS` away."""
        say(BEAT)
        return min(float(super().tick(*args, **kwargs)), EVERY_SECONDS)
