"""Parts of the casebook's addresses."""

from __future__ import annotations


class FormCode:
    """A form's code, in capitals, so that no other page under a subject is taken for a form."""

    regex = r"[A-Z][A-Z0-9_]*"

    def to_python(self, value: str) -> str:
        """Take the code as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Give the code as it is."""
        return value


class VisitName:
    """A visit's code with its number where there are several (`D14.2`), or `log`."""

    regex = r"[A-Z][A-Za-z0-9_-]*(?:\.\d+)?|log"

    def to_python(self, value: str) -> str:
        """Take the name as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Give the name as it is."""
        return value


class QueryVerb(FormCode):
    """What may be done to a query."""

    regex = r"answer|close|reopen"


class StateVerb(FormCode):
    """What may be done to the state of a form, a visit or a casebook."""

    regex = r"review|freeze|unfreeze|lock|ask-unlock"


class PlaceVerb(FormCode):
    """What may be done to the lock of a site or a study."""

    regex = r"lock-ready|lock|ask-unlock"


class UnlockAnswer(FormCode):
    """How a second person answers who asks to unlock."""

    regex = r"approve|refuse"
