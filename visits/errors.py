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


class NoReasonError(DomainError):
    code = "no_reason"
    template = "Say in a few words why the visit was missed."
    status = 422
