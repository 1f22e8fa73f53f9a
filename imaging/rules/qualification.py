"""Whether somebody may be assigned reads of a trial, from what is on record of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

TRAINED, TESTED, INDEPENDENT = "TRAINED", "TESTED", "INDEPENDENT"
SUSPENDED, TOLD = "SUSPENDED", "TOLD"
LACKING: Final = {
    TRAINED: "training in the imaging charter",
    TESTED: "a passed set of test cases",
    INDEPENDENT: "a statement of independence",
}
"""What a reader needs on record, in words."""
SITE_ROLE: Final = "no role at a site of the study"


@dataclass(frozen=True)
class Noted:
    """One thing on record: what it is, from which day on, and the first day on which it does not hold any more."""

    kind: str
    on: date
    until: date | None = None


def lacking(records: Sequence[Noted], today: date, *, at_site: bool) -> tuple[str, ...]:
    """What a reader lacks before reads may be assigned; empty for one who may read.

    Parameters
    ----------
    records
        In the order in which they were recorded. A suspension has training and test done again after it.
    today
        The day for which it is asked.
    at_site
        Whether the person holds a role at a site of the study.

    References
    ----------
    FDA, Clinical Trial Imaging Endpoint Process Standards (2018): selection, training and qualification of readers.
    """
    stops = [index for index, each in enumerate(records) if each.kind == SUSPENDED and each.on <= today]
    since = records[stops[-1] + 1 :] if stops else records
    missing = [
        words
        for kind, words in LACKING.items()
        if not _holds(kind, records if kind == INDEPENDENT else since, today)
    ]
    return (*missing, *((SITE_ROLE,) if at_site else ()))


def _holds(kind: str, records: Sequence[Noted], today: date) -> bool:
    return any(
        each.kind == kind and each.on <= today and (each.until is None or today < each.until)
        for each in records
    )
