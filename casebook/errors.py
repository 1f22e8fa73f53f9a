"""What can go wrong in the casebook, as sentences."""

from __future__ import annotations

from foundation.errors import DomainError


class ItemRefusedError(DomainError):
    """What was typed cannot be this item's value."""

    code = "item_refused"
    template = "{message}"
    status = 422


class UnknownItemError(DomainError):
    code = "unknown_item"
    template = "Form {form} has no item {item} in this protocol version."
    status = 422


class ReasonNeededError(DomainError):
    """The form is complete: a change needs a reason."""

    code = "reason_needed"
    template = "This form is complete. Say why {item} changes."
    status = 428


class ChangedMeanwhileError(DomainError):
    """Somebody else saved the same item first."""

    code = "changed_meanwhile"
    template = "{who} changed this at {at} to {value}. Keep {value}, or use yours."
    status = 409


class EntryClosedError(DomainError):
    """The form is frozen or locked."""

    code = "entry_closed"
    template = "This form is {state}. Ask the data manager to open it again."
    status = 409


class NotReadyError(DomainError):
    """The form cannot be marked complete yet."""

    code = "not_ready"
    template = "{count} still to look at before this form is complete."
    status = 422


class FormNotHereError(DomainError):
    code = "form_not_here"
    template = "{form} does not belong to {visit}."
    status = 422


class ReasonTooShortError(DomainError):
    code = "reason_too_short"
    template = "Say in a few words why."
    status = 422


class QueryStateError(DomainError):
    code = "query_state"
    template = "This query is {state}; it cannot be {verb} now."
    status = 409


class EmptyTextError(DomainError):
    code = "empty_text"
    template = "Write something first."
    status = 422
