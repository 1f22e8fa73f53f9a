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


class OverwriteReasonNeededError(ReasonNeededError):
    """A colleague recorded another value meanwhile: to put one's own in its place needs a reason."""

    template = "Somebody else recorded {item} meanwhile. Say why your value replaces theirs."


class ChangedMeanwhileError(DomainError):
    """Somebody else saved the same item first."""

    code = "changed_meanwhile"
    template = "{who} changed this at {at} to {value}. Keep {value}, or use yours with a reason."
    status = 409


class EntryClosedError(DomainError):
    """The form is frozen or locked."""

    code = "entry_closed"
    template = "This form is {state}. Ask the data manager to open it again."
    status = 409


class OtherDeskError(DomainError):
    """Whose turn it is answers."""

    code = "other_desk"
    template = "This query waits for: {desk}."
    status = 409


class VisitKeptError(DomainError):
    """The day of a visit stays while something of it is locked, and the visit while something stands in it."""

    code = "visit_kept"
    template = "{sentence}"
    status = 409


class NotReadyError(DomainError):
    """The form cannot be marked complete yet."""

    code = "not_ready"
    template = "{count} still to look at before this form is complete."
    status = 422


class ValuesStandError(DomainError):
    """A form in which values stand was done: its values count wherever a rule reads them."""

    code = "values_stand"
    template = "{what} in this form. Empty it first, or leave only the rest blank."
    status = 409


class NotStruckOutError(DomainError):
    """A row counts already."""

    code = "not_struck_out"
    template = "This row was not struck out."
    status = 409


class NotLeftOutError(DomainError):
    """Only what was recorded as not done can be opened again."""

    code = "not_left_out"
    template = "Nobody recorded that this form was not done."
    status = 409


class RowsStandError(DomainError):
    """A log with a row has something to record."""

    code = "rows_stand"
    template = "Something is entered here already. Strike it out first if it was a mistake."
    status = 409


class FormNotHereError(DomainError):
    code = "form_not_here"
    template = "{form} does not belong to {visit}."
    status = 422


class ReasonTooShortError(DomainError):
    code = "reason_too_short"
    template = "Say in a few words why."
    status = 422


class TextRefusedError(DomainError):
    """Words that cannot be kept to the letter."""

    code = "text_refused"
    template = "{why}"
    status = 422


class QueryStateError(DomainError):
    code = "query_state"
    template = "This query is {state}; it cannot be {verb} now."
    status = 409


class EmptyTextError(DomainError):
    code = "empty_text"
    template = "Write something first."
    status = 422


class EntryCompleteError(DomainError):
    """Something that is done to a form in progress only."""

    code = "entry_complete"
    template = "This form is complete. Change the fields one by one, each with its reason."
    status = 409


class NothingOpenError(DomainError):
    code = "nothing_open"
    template = "Nothing is left to do here."
    status = 409


class ChangedWhileWorkingError(DomainError):
    """Somebody else saved into the same form at the same moment."""

    code = "changed_while_working"
    template = "Somebody else saved in this form just now. Nothing was changed; look again and repeat it."
    status = 409


class EarlierValueError(DomainError):
    """What was confirmed is not what the earlier visit holds."""

    code = "earlier_value"
    template = "The earlier visit does not hold this value any more. Load the page again."
    status = 409


class DraftTooLargeError(DomainError):
    code = "draft_too_large"
    template = "This is too much to keep as a draft. Shorten it, or save it."
    status = 413


class ItemRetiredError(DomainError):
    code = "item_retired"
    template = (
        "“{item}” is not asked any more since protocol version {version}. What was entered stays as it is."
    )
    status = 409


class CasebookLockedError(DomainError):
    code = "casebook_locked"
    template = (
        "Every form of {number} is locked. Unlock what has to change before the subject moves to {version}."
    )
    status = 409


class StateRefusedError(DomainError):
    """The state of the form forbids it."""

    code = "state_refused"
    template = "{sentence}"
    status = 409


class RoleRefusedError(DomainError):
    """The role forbids it."""

    code = "role_refused"
    template = "{sentence}"
    status = 403


class NotDelegatedError(DomainError):
    """The delegation log of the site does not name the person for this."""

    code = "not_delegated"
    template = "{sentence}"
    status = 403


class NothingToSignError(DomainError):
    code = "nothing_to_sign"
    template = "Choose what you sign."
    status = 422


class PlaceLockedError(DomainError):
    """The site, or the whole study, is locked; the database says so, whatever was to be written."""

    code = "place_locked"
    template = "{sentence}"
    status = 409


class PlaceBusyError(DomainError):
    """A lock needs the site, or all sites of the study, for itself."""

    code = "place_busy"
    template = "Somebody is saving there at this moment. Nothing was locked; try again in a moment."
    status = 409
