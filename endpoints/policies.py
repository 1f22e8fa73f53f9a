"""Who sees which results before the trial is locked. Pure; the tables are the specification."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from accounts.policies import ADJUDICATOR, RADIOLOGIST, SPONSOR

FROM_CENTRAL_READS: Final = frozenset(
    {"local_control", "time_to_loss_of_control", "time_to_local_recurrence", "progression_free_survival"}
)
"""Kinds of endpoints that rest on central reads of images."""

SPONSOR_SEES_BEFORE_LOCK: Final = frozenset({"overall_survival"})
"""Kinds of which the sponsor sees aggregates while the trial runs: nothing that shows how well the treatment works in
the images or for the patient."""

BLINDED: Final = frozenset({RADIOLOGIST, ADJUDICATOR})
"""Roles that see no clinical result of any subject, whatever else their person may do."""


def may_see_results(roles: Collection[str]) -> bool:
    """Whether somebody with these roles in a trial may see results of its subjects at all."""
    return bool(roles) and not BLINDED & set(roles)


def may_see_aggregate(kind: str, roles: Collection[str], *, locked: bool) -> bool:
    """Whether somebody with these roles may see the results of all subjects together.

    Parameters
    ----------
    kind
        Derivation of the endpoint, as the protocol names it.
    locked
        Whether every form of the trial is locked.

    References
    ----------
    FDA guidance on clinical trial imaging endpoint process standards (2018): no interim results to the sponsor.
    """
    if not may_see_results(roles):
        return False
    return locked or SPONSOR not in roles or kind in SPONSOR_SEES_BEFORE_LOCK


def may_see_central_result(kind: str, roles: Collection[str], stop_on: str) -> bool:
    """Whether somebody at a subject's page may see a result that rests on central reads.

    Parameters
    ----------
    stop_on
        Whose reading of local recurrence ends the imaging visits, as the imaging charter says: a site must know
        the central result only where it steers what the site does.
    """
    if not may_see_results(roles):
        return False
    return kind not in FROM_CENTRAL_READS or stop_on in {"CENTRAL", "EITHER"}
