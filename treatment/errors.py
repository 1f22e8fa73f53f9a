"""What can go wrong in the treatment room, as sentences."""

from __future__ import annotations

from foundation.errors import Conflict, DomainError


class TooManyProceduresError(DomainError):
    """One more procedure would break a hard rule of the protocol (TD-T8)."""

    code = "too_many_procedures"
    template = (
        "{done} already recorded ({on}), and the protocol says: “{rule}”. Another one cannot be opened. "
        "What is recorded stays as it is; if a date or a procedure number above is wrong, correct it there."
    )


class NotYetEligibleError(DomainError):
    """ACC-12: eligibility is confirmed and signed before treatment."""

    code = "not_yet_eligible"
    template = (
        "{form} cannot be opened yet: subject {number} is “{status}”. "
        "Treatment begins after the investigator has signed that the subject is eligible."
    )


class NotYetAllocatedError(DomainError):
    """ACC-12: allocation comes before treatment."""

    code = "not_yet_allocated"
    template = (
        "{form} cannot be opened yet: subject {number} is not randomised. Randomise on the Treatment page."
    )


class OtherArmError(DomainError):
    """The visit belongs to an arm that the subject is not in."""

    code = "other_arm"
    template = "{form} belongs to {arms}. Subject {number} is in {arm}."


class AlreadyAllocatedError(Conflict):
    """A subject is allocated once."""

    code = "already_allocated"
    template = "Subject {number} was randomised on {on}, to {arm}. A subject is randomised once."


class NotAllocatableError(DomainError):
    """Something is missing before a subject can be randomised."""

    code = "not_allocatable"
    template = "Subject {number} cannot be randomised: {because}"
    status = 422


class ListUnreadableError(DomainError):
    """The seed of the list cannot be opened with the key of this installation."""

    code = "list_unreadable"
    template = (
        "The randomisation list of {sub_study} cannot be opened with the secret key of this installation. "
        "Nothing was allocated. Tell whoever runs Hilum."
    )
    status = 503
