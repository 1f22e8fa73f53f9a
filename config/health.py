"""`/healthz`: is everything up that should be?"""

from __future__ import annotations

from typing import Any

import redis
from django.conf import settings
from django.db import Error, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.heartbeat import BEAT, WORKER, broker

OK = "ok"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker, worker and beat are up; 503 with the culprit named otherwise.

    Public: it tells nothing about data, and opens no session.
    """
    report = {"database": _database(), **_broker_and_those_behind()}
    return JsonResponse(report, status=200 if set(report.values()) == {OK} else 503)


def _database() -> str:
    connection = connections["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except Error:
        connection.close()
        return "does not answer"
    return OK


def _broker_and_those_behind() -> dict[str, str]:
    try:
        answers: Any = broker(settings.CELERY_BROKER_URL).mget(WORKER, BEAT)
    except redis.RedisError:
        unknown = "unknown: the broker does not answer"
        return {"broker": "does not answer", "worker": unknown, "beat": unknown}
    worker, beat = answers
    return {
        "broker": OK,
        "worker": OK if worker else "no heartbeat",
        "beat": OK if beat else "no heartbeat",
    }
