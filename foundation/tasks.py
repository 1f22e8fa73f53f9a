"""The door to Celery.

A task is written once, with its queue, and started after the transaction that asked for it has been committed. Nothing
depends on the message: a work queue is a query over the database, and periodic sweeps pick up what a dead broker lost.

Notes
-----
`shared_task(queue=…)` is deprecated (Celery 5.7), hence the router `route`. Tasks must be registered in the web
process too, or `delay` there falls back to Celery's defaults; `foundation.apps` imports every room's `tasks` module.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

from celery import Task, shared_task  # noqa: TID251 - the one place
from celery.schedules import crontab
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

Queue = Literal["default", "imaging", "reports"]
QUEUES: tuple[Queue, ...] = ("default", "imaging", "reports")

_queue_of: dict[str, str] = {}
_periodic: dict[str, dict[str, Any]] = {}


def task(
    queue: Queue = "default",
    *,
    every: timedelta | crontab | None = None,
) -> Callable[[Callable[..., Any]], Task[Any, Any]]:
    """Register a function as a Celery task.

    The task is acknowledged after it ran, so it may run twice, and must do no harm then. Its arguments are
    identifiers, and its body is one service call.

    Parameters
    ----------
    queue
        Where it runs; queues are named by cost.
    every
        How often beat starts it without arguments; not at all by default.
    """

    def register(function: Callable[..., Any]) -> Task[Any, Any]:
        made: Task[Any, Any] = shared_task(acks_late=True, reject_on_worker_lost=True, ignore_result=True)(
            function
        )
        _queue_of[made.name] = queue
        if every is not None:
            _periodic[made.name] = {"task": made.name, "schedule": every}
        return made

    return register


def enqueue(name: Task[Any, Any], *args: Any) -> None:
    """Start a task once the current transaction is committed (at once where there is none).

    A broker that does not answer is logged and otherwise ignored: saving goes on, and a sweep finds the work later.
    """
    transaction.on_commit(lambda: _publish(name, args))


def _publish(name: Task[Any, Any], args: tuple[Any, ...]) -> None:
    try:
        name.apply_async(args=args)
    except (OperationalError, OSError) as error:
        logger.warning("The broker did not take %s; a sweep will pick the work up (%s).", name.name, error)


def route(name: str, args: Any = None, kwargs: Any = None, options: Any = None, **_: Any) -> dict[str, str]:
    """Celery router: the queue that the task was registered with."""
    return {"queue": _queue_of.get(name, "default")}


def schedule() -> dict[str, dict[str, Any]]:
    """What beat starts, as Celery's `beat_schedule`."""
    return dict(_periodic)
