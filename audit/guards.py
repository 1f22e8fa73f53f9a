"""Refusals that the database makes by itself, whoever writes: the last wall behind the services.

A room installs them in its own migration, as a list of operations::

    from audit.guards import REASON_GIVEN, refuse_when

    operations = [
        refuse_when(
            "complete_entry_changes_with_reason",
            table="casebook_entry",
            event="UPDATE",
            condition=f"OLD.state = 'COMPLETE' AND OLD.values IS DISTINCT FROM NEW.values AND NOT {REASON_GIVEN}",
            message="A complete form is changed with a reason only.",
        ),
    ]

and depends on `("audit", "0001_initial")`. The condition is SQL over OLD and NEW (no subqueries) and names what is
*not* allowed. A refusal arrives in Python as `django.db.IntegrityError`; `refused_by` tells which guard it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from django.db import IntegrityError, migrations

from foundation.errors import DomainError

type_event = Literal["INSERT", "UPDATE", "DELETE", "INSERT OR UPDATE", "UPDATE OR DELETE"]

REASON_GIVEN = "(coalesce(current_setting('hilum.reason', true), '') <> '')"


def refuse_when(
    name: str, *, table: str, event: type_event, condition: str, message: str
) -> migrations.RunSQL:
    """A trigger that refuses a change of a row.

    Parameters
    ----------
    name
        The sentence that holds, as an identifier; at most 63 characters.
    table
        Table in the schema `public`.
    event
        Kind of change; OLD is there for UPDATE and DELETE only, NEW for INSERT and UPDATE only.
    condition
        SQL that is true where the change is refused; `true` refuses always.
    message
        What the refusal says.
    """
    if len(name) > 63:
        raise ValueError(f"PostgreSQL would cut the name {name!r} short.")
    quoted = message.replace("'", "''").replace("%", "%%")
    return migrations.RunSQL(
        sql=f'CREATE OR REPLACE TRIGGER "{name}" BEFORE {event} ON public."{table}" FOR EACH ROW'
        f" WHEN ({condition.replace('%', '%%')}) EXECUTE FUNCTION public.hilum_refuse('{quoted}')",
        reverse_sql=f'DROP TRIGGER "{name}" ON public."{table}"',
    )


def refused_by(error: IntegrityError) -> str:
    """Name of the guard (or constraint) that refused; empty where the error is of another kind."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""


type_telling = Callable[[str, str], DomainError]

_sentences: dict[str, type_telling] = {}


def register_refusal(guard: str, error: type_telling) -> None:
    """Let a guard's refusal reach people as an error of the house, whichever service ran into it.

    Parameters
    ----------
    guard
        Name of the guard.
    error
        Makes the error from the sentence that the guard said, and the role of whoever is told.
    """
    _sentences[guard] = error


def as_told(error: IntegrityError, role: str) -> DomainError | None:
    """The error that somebody in this role is told in place of a refusal; None where none is registered for it."""
    told = _sentences.get(refused_by(error))
    if told is None:
        return None
    diagnostics = getattr(error.__cause__, "diag", None)
    return told(str(getattr(diagnostics, "message_primary", "")), role)
