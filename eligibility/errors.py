"""What can go wrong when eligibility is assessed and signed, as sentences."""

from __future__ import annotations

from foundation.errors import Conflict, DomainError


class NotEligibleError(DomainError):
    """“Eligible” cannot be signed."""

    code = "not_eligible"
    template = "“Eligible” cannot be signed: {because} There are no waivers."
    status = 422


class CommentNeededError(DomainError):
    """The decision differs from the criteria."""

    code = "comment_needed"
    template = "This differs from what the criteria say. Write why, in a few words."
    status = 422


class FactsChangedError(Conflict):
    """Something was entered between looking and signing."""

    code = "facts_changed"
    template = "Facts changed since you opened this page, so nothing was signed. Look at the criteria again."


class AlreadySignedError(Conflict):
    """The same decision on the same facts."""

    code = "already_signed"
    template = "This decision was signed by {name} on {on}, and no fact has changed since."


class FutureAssessmentError(DomainError):
    """Eligibility on a day that has not come."""

    code = "assessment_in_future"
    template = "{on} is in the future. Eligibility can be judged up to today."
    status = 422


class NoCriteriaError(DomainError):
    """The protocol has nothing to judge by."""

    code = "no_criteria"
    template = "Protocol {version} has no eligibility criteria."
    status = 422
