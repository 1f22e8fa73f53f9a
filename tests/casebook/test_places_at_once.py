"""Several people at once at a site that is being locked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from audit.context import Actor, acting
from casebook.errors import PlaceBusyError, PlaceLockedError, StateRefusedError
from casebook.models import PlaceLock
from casebook.services import places, states
from foundation.errors import DomainError
from patients.models import Subject
from patients.services import screen_patient
from tests.casebook.place_case import locked_site, signed
from tests.casebook.signing_case import Case
from tests.conftest import superuser_connection
from trials.models import Site, Trial

pytestmark = pytest.mark.django_db(transaction=True)


class Aside:
    """Something done on a connection of its own."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.raised: DomainError | None = None
        self.work = work
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.work()
        except DomainError as error:
            self.raised = error
        finally:
            connection.close()

    def end(self) -> DomainError | None:
        """Wait until it is done; what was raised."""
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.raised


def wait_for(superuser: Any, waiting: int) -> None:
    """Until so many connections wait for a lock that another one holds."""
    deadline = time.monotonic() + 30
    while True:
        superuser.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if superuser.fetchone() == (waiting,):
            return
        assert time.monotonic() < deadline


def lock(manager: Actor, case: Case, reason: str = "Database lock") -> PlaceLock:
    return places.lock_place(actor=manager, trial=case.subject.trial, site=case.cast.home, reason=reason)


@contextmanager
def held_by_a_writer(trial: Trial, site: Site) -> Iterator[None]:
    """A write at a site is under way, as the gate holds the place for it."""
    writer = superuser_connection()
    with writer, writer.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [trial.pk, site.pk])
        yield
    writer.close()


def test_a_site_is_not_locked_while_somebody_writes_there(case: Case, manager: Actor) -> None:
    signed(case)
    states.lock(actor=manager, scope=case.scope())
    patient = case.cast.patient()
    with acting(case.cast.actor()):
        screen_patient(actor=case.cast.actor(), patient=patient, trial=case.subject.trial)
        assert isinstance(Aside(lambda: lock(manager, case)).end(), PlaceBusyError)
    error = Aside(lambda: lock(manager, case)).end()
    assert isinstance(error, StateRefusedError)
    assert "1 casebook is not locked" in str(error)


def test_what_is_written_while_the_lock_is_under_way_comes_too_late(
    case: Case, manager: Actor, superuser: Any
) -> None:
    signed(case)
    states.lock(actor=manager, scope=case.scope())
    trial, patient = case.subject.trial, case.cast.patient()
    with acting(manager):
        lock(manager, case)
        late = Aside(lambda: screen_patient(actor=case.cast.actor(), patient=patient, trial=trial))
        wait_for(superuser, 1)
        second = Aside(lambda: lock(manager, case, "Me too"))
        wait_for(superuser, 2)
    assert isinstance(late.end(), PlaceLockedError)
    assert "locked already" in str(second.end())
    assert not Subject.objects.filter(patient=patient).exists()
    assert PlaceLock.objects.count() == 1


def test_who_locks_a_locked_site_is_told_so_even_while_a_refused_write_still_holds_it(
    case: Case, manager: Actor
) -> None:
    locked_site(case)
    with (
        held_by_a_writer(case.subject.trial, case.cast.home),
        pytest.raises(StateRefusedError, match="The site is locked already"),
    ):
        lock(manager, case)
