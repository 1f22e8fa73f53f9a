"""What a simulation finds, as it is shown and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from trials.rules.difference import Difference


@dataclass(frozen=True)
class VisitChange:
    """A visit that has not happened and would not stay as it is planned."""

    visit: str
    kind: str
    before: str
    after: str


@dataclass(frozen=True)
class QueryChange:
    """A query that would open or close."""

    form: str
    visit: str
    item: str
    kind: str
    why: str


@dataclass(frozen=True)
class Verdict:
    """A criterion or the whole verdict, and how it would change."""

    criterion: str
    label: str
    before: str
    after: str
    why: str


@dataclass(frozen=True)
class SubjectImpact:
    """What would change for one subject.

    Attributes
    ----------
    affected
        `randomised`, `treated` or empty: who is past the point where eligibility is judged.
    verdict
        The verdict before and after; None where it stays.
    signatures
        Signatures that would have to be given again, in words.
    retired
        Values that would be kept and no longer asked, as `FORM.ITEM`.
    """

    number: str
    site: str
    status: str
    version: str
    affected: str
    visits: tuple[VisitChange, ...]
    queries: tuple[QueryChange, ...]
    forms_open: tuple[str, ...]
    verdict: Verdict | None
    flips: tuple[Verdict, ...]
    signatures: tuple[str, ...]
    retired: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether anything at all would change."""
        return bool(
            self.visits
            or self.queries
            or self.forms_open
            or self.flips
            or self.verdict
            or self.signatures
            or self.retired
        )


@dataclass(frozen=True)
class Impact:
    """What an amendment would do, to the protocol and to each subject who could be moved."""

    trial: str
    on: date
    difference: Difference
    subjects: tuple[SubjectImpact, ...]
    left_out: int
    columns: Mapping[str, tuple[str, ...]]

    @property
    def document(self) -> dict[str, Any]:
        """Plain JSON values: what the command prints and what the page shows."""
        return {
            "trial": self.trial,
            "on": self.on.isoformat(),
            "difference": self.difference.document,
            "export_columns": {key: list(names) for key, names in self.columns.items()},
            "counts": self.counts(),
            "not_moved": self.left_out,
            "subjects": [{**asdict(each), "changes": each.changes} for each in self.subjects],
        }

    def counts(self) -> dict[str, int]:
        """How many subjects each kind of change would reach."""
        return {
            "subjects": len(self.subjects),
            "changed": sum(each.changes for each in self.subjects),
            "visits": sum(len(each.visits) for each in self.subjects),
            "queries": sum(len(each.queries) for each in self.subjects),
            "verdicts": sum(each.verdict is not None for each in self.subjects),
            "signatures": sum(len(each.signatures) for each in self.subjects),
            "randomised": sum(each.affected == "randomised" for each in self.subjects),
            "treated": sum(each.affected == "treated" for each in self.subjects),
        }
