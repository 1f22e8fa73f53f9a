"""Which role may do what. The table is the specification of access; the tests walk it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

COORDINATOR: Final = "coordinator"
INVESTIGATOR: Final = "investigator"
DATAMANAGER: Final = "datamanager"
MONITOR: Final = "monitor"
RADIOLOGIST: Final = "radiologist"
ADJUDICATOR: Final = "adjudicator"
SPONSOR: Final = "sponsor"
MEDICAL: Final = "medical"
ADMIN: Final = "admin"

ROLES: Final[dict[str, str]] = {
    COORDINATOR: "Site coordinator",
    INVESTIGATOR: "Investigator",
    DATAMANAGER: "Data manager",
    MONITOR: "Monitor",
    MEDICAL: "Medical reviewer",
    RADIOLOGIST: "Central radiologist",
    ADJUDICATOR: "Adjudicator",
    SPONSOR: "Sponsor",
    ADMIN: "Administrator",
}

BLINDED: Final = frozenset({RADIOLOGIST, ADJUDICATOR})
"""Roles of the central reading: they know a case by its code only."""

_SITE = frozenset({COORDINATOR, INVESTIGATOR})
_OVERSIGHT = frozenset({DATAMANAGER, MONITOR})
_CASEBOOK = _SITE | _OVERSIGHT | {MEDICAL}

PERMISSIONS: Final[dict[str, frozenset[str]]] = {
    "subject.view": _CASEBOOK,
    "subject.register": _SITE,
    "consent.record": _SITE,
    "visit.record": _SITE,
    "entry.view": _CASEBOOK,
    "entry.write": _SITE,
    "query.raise": _OVERSIGHT | {MEDICAL},
    "query.answer": _CASEBOOK,
    "query.close": _OVERSIGHT | {MEDICAL},
    "verify.entry": frozenset({MONITOR}),
    "review.entry": frozenset({DATAMANAGER, MEDICAL}),
    "freeze.entry": frozenset({DATAMANAGER}),
    "verification.view": _OVERSIGHT,
    "check.yield": frozenset({DATAMANAGER}),
    "laboratory.view": _CASEBOOK,
    "laboratory.write": frozenset({DATAMANAGER}),
    "sign.entry": frozenset({INVESTIGATOR}),
    "lock.entry": frozenset({DATAMANAGER}),
    "unlock.ask": _SITE | {DATAMANAGER},
    "unlock.approve": _OVERSIGHT,
    "delegation.view": _CASEBOOK,
    "delegation.keep": frozenset({INVESTIGATOR}),
    "eligibility.view": _CASEBOOK,
    "eligibility.sign": frozenset({INVESTIGATOR}),
    "allocate.subject": _SITE,
    "treatment.view": _CASEBOOK,
    "image.upload": _SITE,
    "image.match": _SITE | {DATAMANAGER},
    "image.view": _SITE | {DATAMANAGER},
    "read.perform": frozenset({RADIOLOGIST}),
    "read.open": frozenset({RADIOLOGIST, ADJUDICATOR}),
    "read.oversee": frozenset({DATAMANAGER}),
    "adjudicate.read": frozenset({ADJUDICATOR}),
    "qol.view": _CASEBOOK,
    "qol.invite": _SITE,
    "safety.view": _CASEBOOK,
    "report.view": _CASEBOOK | {SPONSOR},
    "export.run": frozenset({DATAMANAGER, SPONSOR}),
    "protocol.approve": frozenset({ADMIN, SPONSOR, DATAMANAGER}),
    "subject.amend": _SITE | {DATAMANAGER},
    "edit.stop": frozenset({ADMIN, DATAMANAGER}),
    "trial.admin": frozenset({ADMIN}),
    "user.admin": frozenset({ADMIN}),
    "audit.view": _OVERSIGHT | {INVESTIGATOR},
    "trail.export": frozenset({DATAMANAGER, SPONSOR, ADMIN}),
}


WRITES: Final[frozenset[str]] = frozenset(
    {
        "subject.register", "consent.record", "visit.record", "entry.write", "query.raise", "query.answer",
        "query.close", "verify.entry", "review.entry", "freeze.entry", "sign.entry", "lock.entry",
        "unlock.ask", "unlock.approve", "eligibility.sign", "allocate.subject", "image.upload", "image.match",
        "read.perform", "adjudicate.read", "qol.invite", "subject.amend",
    }
)  # fmt: skip
"""Permissions that write data of a trial. They end where edit access is withdrawn; reading, exports, and what concerns
people, protocols and laboratories go on: a laboratory serves several trials, and bringing its ranges into stored values
is refused by the database. `read.open` and `delegation.keep` are not among them: the one shows a case as well (what a
reader writes there is refused by the database), the other keeps a site's own log."""


def roles_with(permission: str) -> frozenset[str]:
    """The roles that hold a permission.

    Raises
    ------
    KeyError
        No such permission: a misspelt name must not quietly refuse everybody.
    """
    return PERMISSIONS[permission]


def reads_blinded(roles: Iterable[str]) -> bool:
    """Whether whoever holds these roles must not learn of sites, of their people, and whose images they are."""
    return not BLINDED.isdisjoint(roles)


def is_system_role(role: str) -> bool:
    """Whether a role is held for the whole installation instead of for a trial."""
    return role == ADMIN
