"""How far a form is, worked out from what is recorded. Pure; nothing of it is stored."""

from __future__ import annotations

from datetime import date
from typing import Literal

from trials.rules.heritage import retired_in
from trials.schema import Protocol

Status = Literal[
    "planned", "not-started", "in-progress", "complete", "verified", "signed", "locked", "overdue", "not-done"
]

WORDS: dict[Status, str] = {
    "planned": "Planned",
    "not-started": "Not started",
    "in-progress": "In progress",
    "complete": "Complete",
    "verified": "Verified",
    "signed": "Signed",
    "locked": "Locked",
    "overdue": "Overdue",
    "not-done": "Not done",
}
GRACE_DAYS = 5
"""Days after a visit within which its forms are expected; a house rule, shown on screen."""


def form_status(
    *,
    state: str | None,
    not_done: bool = False,
    verified: bool = False,
    signed: bool = False,
    locked: bool = False,
    visit_state: str = "PLANNED",
    happened_on: date | None = None,
    latest: date | None = None,
    today: date,
) -> Status:
    """Status of one form at one visit.

    Parameters
    ----------
    state
        State of the entry; None when nobody opened the form yet.
    latest
        Last day of the visit's window.

    Returns
    -------
    Status
        The furthest of the steps that the data took; `overdue` only while they are not complete.
    """
    if locked:
        return "locked"
    if signed:
        return "signed"
    if state == "COMPLETE":
        if not_done:
            return "not-done"
        return "verified" if verified else "complete"
    if is_overdue(happened_on=happened_on, latest=latest, visit_state=visit_state, today=today):
        return "overdue"
    if state == "IN_PROGRESS":
        return "in-progress"
    if visit_state == "MISSED":
        return "not-done"
    return "not-started" if happened_on else "planned"


def is_overdue(*, happened_on: date | None, latest: date | None, visit_state: str, today: date) -> bool:
    """Whether a form that is not complete should have been: days after the visit, or after its window closed."""
    if visit_state in {"MISSED", "SUPERSEDED"}:
        return False
    if happened_on is not None:
        return (today - happened_on).days > GRACE_DAYS
    return latest is not None and today > latest


UNSCHEDULED = "UNS"


def planned_forms(protocol: Protocol, visit_code: str | None) -> tuple[str, ...]:
    """Codes of the forms that may be entered at a visit (None: the running logs).

    An unscheduled visit holds the forms that the protocol gives it, else any form of a scheduled visit.
    """
    if visit_code is None:
        return tuple(protocol.logs)
    codes = {visit.code for visit in protocol.visits}
    if visit_code == UNSCHEDULED and visit_code not in codes:
        follow_up = [form for visit in protocol.visits if visit.scheduled for form in visit.forms]
        return tuple(dict.fromkeys(follow_up))
    return tuple(code for code in protocol.visit(visit_code).forms if not retired_in(protocol.form(code)))
