"""One thing that waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from patients.models import Subject

KINDS = {
    "visits": "Visits",
    "forms": "Forms",
    "queries": "Queries",
    "signatures": "Signatures",
    "eligibility": "Eligibility",
    "treatment": "Treatment",
    "safety": "Serious events",
    "images": "Images",
    "reads": "Reads",
    "questionnaires": "Questionnaires",
    "amendments": "New versions",
    "verification": "Source verification",
    "unlocks": "Unlocking",
    "exports": "Exports",
}


@dataclass(frozen=True)
class Task:
    """Something that waits for a person.

    Attributes
    ----------
    kind
        Key of `KINDS`.
    state
        Name of the status shape.
    due
        The day by which it should be done; None when it has no day of its own.
    trial, site
        Codes, where it belongs to one.
    """

    kind: str
    state: str
    title: str
    detail: str
    url: str
    due: date | None = None
    trial: str = ""
    site: str = ""

    def when(self, today: date) -> str:
        """The deadline in words."""
        if self.due is None:
            return ""
        days = (self.due - today).days
        if days < 0:
            return f"{-days} d late"
        return "today" if days == 0 else f"in {days} d"

    def tone(self, today: date) -> str:
        """How loud the deadline is."""
        if self.due is None:
            return ""
        days = (self.due - today).days
        return "stop" if days < 0 else "attention" if days <= 2 else ""


def of_subject(
    kind: str, state: str, subject: Subject, title: str, detail: str, url: str, due: date | None = None
) -> Task:
    """A task about one subject, whose number comes first."""
    return Task(
        kind, state, f"{subject.number} · {title}", detail, url, due, subject.trial.code, subject.site.code
    )


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 form`, `2 forms`."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"
