"""What can go wrong with questionnaires, as sentences."""

from __future__ import annotations

from foundation.errors import Conflict, DomainError, NotFound


class InstrumentFileError(DomainError):
    """The file of a licence holder cannot be used as it is."""

    code = "instrument_file"
    template = "{path}: {problem}"
    status = 422


class LicenceReferenceMissingError(DomainError):
    """No instrument comes in without the licence that allows it."""

    code = "licence_reference_missing"
    template = "licence.reference: write the number of the licence. Without one, no wording is loaded."
    status = 422


class NoQuestionnaireError(DomainError):
    code = "no_questionnaire"
    template = "{visit} has no questionnaire that patients fill in."
    status = 422


class LicenceMissingError(DomainError):
    """Electronic use is not allowed: no licence in force, or no complete wording, for this language."""

    code = "licence_missing"
    template = "{instrument} may not be sent in {language}: {why}. Answers on paper can still be entered."
    status = 409


class WindowClosedError(Conflict):
    code = "window_closed"
    template = "The window of {visit} closed on {on}. Answers on paper can still be entered."


class SubjectEndedError(Conflict):
    code = "subject_ended"
    template = "The subject is {status}; no link is sent any more."


class NoConsentError(Conflict):
    code = "no_consent"
    template = "Record the informed consent first. Nothing is asked of a patient before it."


class AlreadyAnsweredError(Conflict):
    code = "already_answered"
    template = "{visit} already has answers. A correction is made on the form, with a reason."


class InvitationClosedError(Conflict):
    code = "invitation_closed"
    template = "This link is {state}."


class LinkUnknownError(NotFound):
    """No such link, or one that was taken back: the page does not say which."""

    code = "link_unknown"
    template = "This link does not work."


class AnswersMissingError(DomainError):
    """Every question is answered, or passed over knowingly."""

    code = "answers_missing"
    template = "{count} still to answer."
    status = 422
