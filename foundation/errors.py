"""Errors that a person is told about.

An error is a class with a code, named data and an HTTP status; the sentence is made from the data, so that a page,
the API and a test all say the same.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A rule of the trade was broken.

    Parameters
    ----------
    field
        Name of the form field where the message belongs, if it belongs to one.
    **data
        Values for the places in `template`.
    """

    code: ClassVar[str] = "refused"
    template: ClassVar[str] = "This could not be done."
    status: ClassVar[int] = 400

    def __init__(self, *, field: str | None = None, **data: Any) -> None:
        self.field = field
        self.data = data
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The sentence for the person in front of the screen."""
        return self.template.format_map(self.data)


class NotFound(DomainError):
    """Not there, or not there for this person: strangers learn no difference."""

    code = "not_found"
    template = "There is nothing at this address, or you have no access to it."
    status = 404


class Forbidden(DomainError):
    """The person sees the thing, and may not do this to it."""

    code = "forbidden"
    template = "Your role does not allow this."
    status = 403


class Conflict(DomainError):
    """Somebody else was faster."""

    code = "conflict"
    template = "This was changed by somebody else in the meantime. Nothing of yours was saved."
    status = 409


class Invalid(DomainError):
    """One or more values were refused.

    Parameters
    ----------
    errors
        Message for each field by name.
    """

    code = "invalid"
    template = "Please check what is marked."
    status = 422

    def __init__(
        self, errors: dict[str, str] | None = None, *, field: str | None = None, **data: Any
    ) -> None:
        self.errors = dict(errors or {})
        super().__init__(field=field, **data)
