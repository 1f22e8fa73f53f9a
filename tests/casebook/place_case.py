"""A site and a study that are ready to be locked, locked, and opened again."""

from __future__ import annotations

from casebook.models import PlaceLock, PlaceUnlock
from casebook.services import places, states
from tests.casebook.signing_case import Case
from trials.models import Site


def signed(case: Case) -> None:
    """The casebook is complete and signed by the principal investigator."""
    case.whole_visit()
    case.sign(case.key("visit"))
    case.sign(case.key("casebook"))


def locked_site(case: Case) -> PlaceLock:
    """The case's site with its one casebook locked, and locked itself."""
    manager = case.cast.actor("datamanager")
    signed(case)
    states.lock(actor=manager, scope=case.scope())
    return places.lock_place(
        actor=manager, trial=case.subject.trial, site=case.cast.home, reason="Database lock"
    )


def locked_study(case: Case) -> PlaceLock:
    """Both sites locked, and the study."""
    manager, trial = case.cast.actor("datamanager"), case.subject.trial
    locked_site(case)
    places.lock_place(actor=manager, trial=trial, site=case.cast.away, reason="Nobody was screened")
    return places.lock_place(actor=manager, trial=trial, site=None, reason="Database lock")


def unlocked(case: Case, site: Site | None, hours: int = 4) -> PlaceUnlock:
    """One asks, another approves."""
    trial = case.subject.trial
    asked = places.ask_place_unlock(
        actor=case.cast.actor("datamanager"), trial=trial, site=site, reason="A value is wrong", hours=hours
    )
    return places.approve_place_unlock(actor=case.cast.actor("monitor"), unlock=asked)
