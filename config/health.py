"""`/healthz`: is everything up that should be?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connections
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase

from config.heartbeat import BEAT, WORKER, broker

PATH = "/healthz"
OK = "ok"


class HealthMiddleware:
    """Answers `/healthz` before anything that needs a session, a user or a certain host name.

    200 when database, broker, worker and beat are up; 503 with the culprit named otherwise. Public: the answer tells
    nothing about data.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path != PATH:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        report = health()
        well = all(value == OK for value in report.values())
        response = JsonResponse(report, status=200 if well else 503)
        response["Cache-Control"] = "no-store"
        setattr(response, "_has_been_logged", True)  # noqa: B010 - Django's mark: whoever asked knows, the log need not
        return response


def health() -> dict[str, str]:
    """State of each part: `ok`, or what is wrong with it."""
    return {"database": _database(), **_broker_and_those_behind()}


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
        signs: Any = broker(settings.CELERY_BROKER_URL).mget(WORKER, BEAT)
    except redis.RedisError:
        unknown = "unknown, for the broker does not answer"
        return {"broker": "does not answer", "worker": unknown, "beat": unknown}
    return {
        "broker": OK,
        **{
            name: OK if sign else "no sign of life"
            for name, sign in zip(("worker", "beat"), signs, strict=True)
        },
    }
