"""The door to Celery: queues, start on commit, and a broker that is not there."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from celery import Celery, current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from foundation import tasks

ran: list[int] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


@tasks.task(queue="imaging", every=timedelta(minutes=5))
def looked_at(number: int = 0) -> None:
    ran.append(number)


def test_a_task_goes_to_its_queue() -> None:
    assert tasks.route(looked_at.name) == {"queue": "imaging"}


def test_a_task_of_somebody_else_goes_to_the_default_queue() -> None:
    assert tasks.route("celery.backend_cleanup") == {"queue": "default"}


def test_a_task_is_acknowledged_after_it_ran() -> None:
    assert looked_at.acks_late
    assert looked_at.reject_on_worker_lost


def test_beat_starts_a_periodic_task() -> None:
    assert tasks.schedule()[looked_at.name]["schedule"] == timedelta(minutes=5)


@pytest.mark.django_db(transaction=True)
def test_a_task_starts_after_the_transaction() -> None:
    with transaction.atomic():
        tasks.enqueue(looked_at, 7)
        assert ran == []
    assert ran == [7]


@pytest.mark.django_db(transaction=True)
def test_a_task_of_a_transaction_that_failed_never_starts() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        tasks.enqueue(looked_at, 7)
        raise ZeroDivisionError
    assert ran == []


@pytest.mark.parametrize(
    "error", [OperationalError("refused"), ConnectionRefusedError("refused"), TimeoutError()]
)
def test_a_broker_that_is_down_is_logged_and_saving_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def refuse(**_: object) -> None:
        raise error

    monkeypatch.setattr(looked_at, "apply_async", refuse)
    with caplog.at_level(logging.WARNING, logger="foundation.tasks"):
        tasks._publish(looked_at, (1,))
    assert "a sweep will pick the work up" in caplog.text


def test_with_production_settings_a_dead_broker_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from config import settings

    app = Celery("dead", broker="redis://127.0.0.1:1/0", set_as_current=False)
    app.conf.update(
        task_publish_retry=settings.CELERY_TASK_PUBLISH_RETRY,
        broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        broker_connection_timeout=settings.CELERY_BROKER_CONNECTION_TIMEOUT,
    )
    with pytest.raises(OperationalError):
        app.send_task("anything")


def test_every_room_has_its_tasks_registered_in_this_process_too() -> None:
    named = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert named <= set(current_app.tasks)
