"""What can go wrong with visits, as sentences."""

from __future__ import annotations

from foundation.errors import DomainError


class VisitInFutureError(DomainError):
    code = "visit_in_future"
    template = "{on} is in the future. A visit is recorded when it has happened."
    status = 422


class VisitClosedError(DomainError):
    code = "visit_closed"
    template = "{visit} is {state}; it cannot be changed this way."
    status = 409


class DayChangeReasonError(DomainError):
    code = "no_reason"
    template = "Say in a few words why the day of the visit changes: every value of its forms is dated by it."
    status = 422


class NotRecordedError(DomainError):
    code = "not_recorded"
    template = "{visit} was not recorded as done."
    status = 409


class NoReasonError(DomainError):
    code = "no_reason"
    template = "Say in a few words why the visit was missed."
    status = 422
