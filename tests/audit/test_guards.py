"""Refusals by the database itself, whoever writes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from audit.context import Actor, acting
from audit.guards import REASON_GIVEN, refuse_when, refused_by
from audit.models import Event
from tests.audit.conftest import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def guarded(scratch: str, superuser: Any) -> str:
    """A complete row changes, and goes, with a reason only; a locked one not at all."""
    for guard in (
        refuse_when(
            "complete_rows_change_with_a_reason",
            table="scratch",
            event="UPDATE OR DELETE",
            condition=f"OLD.kind = 'COMPLETE' AND NOT {REASON_GIVEN}",
            message="Say why this 100 % complete form's value changes.",
        ),
        refuse_when(
            "locked_rows_never_change",
            table="scratch",
            event="UPDATE",
            condition="OLD.kind = 'LOCKED'",
            message="Locked.",
        ),
    ):
        superuser.execute(guard.sql % ())
    return scratch


def enter(kind: str, actor: Actor) -> None:
    with acting(actor):
        run("INSERT INTO scratch VALUES (1, 7, %s, '', '{\"HGB\": \"12\"}')", [kind])


@pytest.mark.req("AUD-07")
def test_the_first_entry_needs_no_reason(guarded: str, actor: Actor) -> None:
    enter("COMPLETE", actor)
    assert Event.objects.latest("id").reason == ""


@pytest.mark.req("AUD-07")
@pytest.mark.parametrize(
    "statement", ['UPDATE scratch SET values = \'{"HGB": "13"}\'', "DELETE FROM scratch"]
)
def test_a_change_without_a_reason_is_refused_and_nothing_changes(
    guarded: str, actor: Actor, statement: str
) -> None:
    enter("COMPLETE", actor)
    last = Event.objects.latest("id").pk
    with (
        pytest.raises(IntegrityError, match="Say why this 100 % complete form's value changes") as refusal,
        acting(actor),
    ):
        run(statement)
    assert refused_by(refusal.value) == "complete_rows_change_with_a_reason"
    assert run('SELECT 1 FROM scratch WHERE values = \'{"HGB": "12"}\'') == 1
    assert Event.objects.latest("id").pk == last


@pytest.mark.req("AUD-07")
@pytest.mark.parametrize(
    "statement", ['UPDATE scratch SET values = \'{"HGB": "13"}\'', "DELETE FROM scratch"]
)
def test_a_change_with_a_reason_carries_it(guarded: str, actor: Actor, statement: str) -> None:
    enter("COMPLETE", actor)
    with acting(actor, reason="typing mistake"):
        run(statement)
    assert Event.objects.latest("id").reason == "typing mistake"


def test_before_it_is_complete_no_reason_is_asked(guarded: str, actor: Actor) -> None:
    enter("IN_PROGRESS", actor)
    with acting(actor):
        assert run("UPDATE scratch SET values = '{}'") == 1


def test_a_locked_row_does_not_change_even_with_a_reason(guarded: str, actor: Actor) -> None:
    enter("LOCKED", actor)
    with pytest.raises(IntegrityError, match="Locked"), acting(actor, reason="please"):
        run("UPDATE scratch SET kind = 'OPEN'")


def test_a_name_that_postgresql_would_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="short"):
        refuse_when("x" * 64, table="t", event="UPDATE", condition="true", message="m")


def test_other_errors_are_by_no_guard() -> None:
    assert refused_by(IntegrityError("something else")) == ""
