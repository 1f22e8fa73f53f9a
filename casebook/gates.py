"""Puts the gate of locked sites and studies before every table that belongs to subjects, after every migration.

The gate (migration `0013_guards_of_places`) refuses a write to a subject of a place that is locked, and a person's
write where edit access was withdrawn. A new table of any room is behind it from its first migration, unless it is
listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections
from psycopg2 import sql

from accounts.access import ROLES_APART
from accounts.errors import EditAccessWithdrawn, WritingStopped
from accounts.policies import reads_blinded
from audit.guards import register_refusal
from audit.tables import tracked_tables
from casebook.errors import PlaceLockedError, VisitKeptError
from foundation.errors import DomainError

GATE = "a_locked_place_takes_no_write"
DAY = "the_day_of_a_locked_visit_stays"
STOP = "without_edit_access_nothing_is_written"
BY_PLACE = ("patients_subject", "trials_trialsite")
"""Tables that say trial and site themselves."""
FREE = {
    "casebook_draft": "what somebody typed and has not saved: nothing of the casebook, forgotten by itself",
    "reports_casebookcopy": "that somebody took a copy away; reading goes on after a lock",
    "reports_copyrequest": "that somebody asked for a copy; reading goes on after a lock",
    "reports_export": "that somebody asked for images and reads; reading goes on after a lock",
}
"""Tables of subjects that are written after a lock as well, and why."""

_TRIGGER = sql.SQL(
    "CREATE OR REPLACE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW"
    " EXECUTE FUNCTION public.casebook_place_gate({})"
)


def gated_tables() -> Iterator[tuple[str, str]]:
    """Every table behind the gate, and how the gate finds the place of a row."""
    yield from ((table, "place") for table in BY_PLACE)
    for tracked in tracked_tables():
        if tracked.subject and tracked.table not in {*FREE, *BY_PLACE}:
            yield tracked.table, "subject" if tracked.subject == ".subject_id" else tracked.subject


def install(*, using: str, **_: Any) -> None:
    """Triggers before all these tables. Receiver of `post_migrate`.

    Parameters
    ----------
    using
        Alias of the owner's connection.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regproc('public.casebook_place_gate') IS NOT NULL")
        if not cursor.fetchone()[0]:  # a migration can stop half-way
            return
        present = set(connections[using].introspection.table_names(cursor))
        for table, way in gated_tables():
            if table in present:
                cursor.execute(_TRIGGER.format(sql.Identifier(GATE), sql.Identifier(table), sql.Literal(way)))


def register() -> None:
    """Let what the gate refuses arrive as a sentence for the person."""
    register_refusal(GATE, _told(PlaceLockedError))
    register_refusal(DAY, _told(VisitKeptError))
    register_refusal(STOP, _told(EditAccessWithdrawn))


def _told(error: type[DomainError]) -> Callable[[str, str], DomainError]:
    """The guard's own sentence; whoever reads blinded is not told of the place that it names."""

    def telling(sentence: str, role: str) -> DomainError:
        return WritingStopped() if reads_blinded(role.split(ROLES_APART)) else error(sentence=sentence)

    return telling
