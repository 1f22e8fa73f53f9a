"""A visit that was recorded by mistake."""

from __future__ import annotations

from audit.context import Actor, acting
from casebook.errors import VisitKeptError
from casebook.models import Entry, EntryState
from casebook.registry import holds_of
from casebook.services.anchors import replan
from visits.models import Visit
from visits.services import take_visit_back

ENTERED = "Something is entered at this visit. Empty it first, or correct the day."


def visit_did_not_happen(*, actor: Actor, visit: Visit, reason: str) -> Visit:
    """Take back that a visit happened, where nothing stands in it; what counts from it is planned anew.

    Raises
    ------
    VisitKeptError
        A form is begun, an upper room has something there, or something of it is locked.
    visits.errors.DayChangeReasonError, visits.errors.NotRecordedError
    """
    with acting(actor, reason=reason):
        taken = take_visit_back(actor=actor, visit=visit, reason=reason)
        begun = Entry.objects.filter(visit=visit, struck_out=False).exclude(state=EntryState.EMPTY)
        sentences = [ENTERED] if begun.exists() else holds_of(visit)
        if sentences:
            raise VisitKeptError(sentence=sentences[0])
        replan(actor=actor, subject=visit.subject)
    return taken
