"""Sites and studies that are locked: the table, the services, and the database behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from accounts.policies import ROLES
from audit.context import Actor, acting
from audit.models import Event
from audit.moment import standing_at
from casebook import registry, services
from casebook.closing import place_digest, sites_closing, standstills
from casebook.errors import (
    PlaceLockedError,
    ReasonTooShortError,
    RoleRefusedError,
    StateRefusedError,
)
from casebook.models import Closure, Entry, LockRun, PlaceLock
from casebook.records import casebook_key, record_of
from casebook.rules.places import PERMISSIONS, PlaceState, place_refusal
from casebook.services import lock_runs, places, states
from foundation import clock
from patients.selectors import get_subject_by_key
from patients.services import set_status
from tests.casebook.place_case import locked_site, locked_study, signed, unlocked
from tests.casebook.signing_case import Case
from tests.cast import SETUP

pytestmark = pytest.mark.django_db

# The table -----------------------------------------------------------------------------------------------------------

MAY = {
    "lock-ready": {"datamanager"},
    "lock": {"datamanager"},
    "ask-unlock": {"coordinator", "investigator", "datamanager"},
    "approve-unlock": {"datamanager", "monitor"},
}
STANDINGS = ("", "locked", "open", "over")
EVERY_PLACE = [
    PlaceState(*axes)
    for axes in product(
        ("site", "study"), STANDINGS, STANDINGS, (0, 1, 3), (0, 2), (False, True), ("", "self", "other")
    )
    if axes[0] == "site" or not axes[2]
]


def legal(action: str, place: PlaceState) -> bool:
    """What the procedure says, written down a second time."""
    below_a_lock = place.above in {"locked", "over"}
    shut = place.standing in {"locked", "over"}
    return {
        "lock-ready": place.level == "site" and not shut and not below_a_lock and place.ready > 0,
        "lock": (
            place.standing != "locked"
            and not below_a_lock
            and not place.empty
            and (place.left, place.asked) == (0, "")
        ),
        "ask-unlock": shut and not below_a_lock and place.asked == "",
        "approve-unlock": place.asked == "other" and not below_a_lock,
    }[action]


@pytest.mark.req("LCK-01")
@pytest.mark.parametrize("action", PERMISSIONS)
def test_every_state_and_role_is_legal_or_refused_with_a_sentence(action: str) -> None:
    for place, role in product(EVERY_PLACE, ROLES):
        found = place_refusal(action, place, {role})  # type: ignore[arg-type]
        if role not in MAY[action]:
            assert found is not None, (action, role)
            assert found.by == "role"
        elif legal(action, place):
            assert found is None, (action, place)
        else:
            assert found is not None, (action, place)
            assert found.by == "state"
            assert found.sentence.endswith(".")


# A site that is ready ------------------------------------------------------------------------------------------------


@pytest.fixture
def condition() -> Iterator[Callable[..., None]]:
    """A room above that objects."""
    before = dict(registry._lock_conditions)
    yield registry.register_lock_condition
    registry._lock_conditions.clear()
    registry._lock_conditions.update(before)


@pytest.mark.req("LCK-01")
def test_a_site_is_locked_when_every_casebook_is(case: Case, manager: Actor) -> None:
    where = {"trial": case.subject.trial, "site": case.cast.home}
    with pytest.raises(StateRefusedError, match="1 casebook is not locked"):
        places.lock_place(actor=manager, **where, reason="Database lock")
    signed(case)
    with pytest.raises(StateRefusedError, match="1 casebook is not locked"):
        places.lock_place(actor=manager, **where, reason="Database lock")
    states.lock(actor=manager, scope=case.scope())
    with pytest.raises(ReasonTooShortError):
        places.lock_place(actor=manager, **where, reason="")
    for who in ("coordinator", "investigator", "monitor", "sponsor"):
        with pytest.raises(RoleRefusedError):
            places.lock_place(actor=case.cast.actor(who), **where, reason="Database lock")
    places.lock_place(actor=manager, **where, reason="Database lock")
    with pytest.raises(StateRefusedError, match="locked already"):
        places.lock_place(actor=manager, **where, reason="Database lock")


def test_every_casebook_means_those_of_whom_nothing_was_entered_as_well(case: Case, manager: Actor) -> None:
    """Only an empty casebook of a screening failure has nothing to lock."""
    signed(case)
    states.lock(actor=manager, scope=case.scope())
    empty = case.cast.subject()
    (left,) = standstills(case.subject.trial, case.cast.home)
    assert left.subject == empty
    assert left.obstacles == ("Nothing was entered here, and the subject did not fail screening.",)
    today = clock.today(empty.site.time_zone)
    set_status(actor=case.cast.actor(), subject=empty, status="SCREEN_FAILURE", on=today)
    assert standstills(case.subject.trial, case.cast.home) == []
    kept = places.lock_place(
        actor=manager, trial=case.subject.trial, site=case.cast.home, reason="Database lock"
    )
    assert [(line["subject"], line["forms"] > 0) for line in kept.manifest] == [
        (case.subject.number, True), (empty.number, False)
    ]  # fmt: skip


def test_what_is_in_the_way_is_a_list_to_work_off_and_agrees_with_the_lock(
    case: Case, manager: Actor, condition: Callable[..., None]
) -> None:
    entry = case.form(complete=False)
    query = services.raise_query(actor=manager, entry=entry, item="HGB", text="Really?")

    def left() -> str:
        return " ".join(standstills(case.subject.trial, case.cast.home)[0].obstacles)

    assert "Not complete: " in left()
    assert "1 query is not closed." in left()
    assert "has not signed the casebook" in left()
    case.whole_visit()
    services.close_query(actor=manager, query=query)
    assert "Not complete" not in left()
    case.sign(case.key("casebook"))
    condition("read", lambda wanted: {key.pk: ["A read is not signed."] for key in wanted})
    assert left() == "A read is not signed."
    with pytest.raises(StateRefusedError, match="A read is not signed"):
        states.lock(actor=manager, scope=case.scope())
    condition("read", lambda _wanted: {})
    assert left() == ""
    states.lock(actor=manager, scope=case.scope())
    condition("read", lambda wanted: {key.pk: ["A read is not signed."] for key in wanted})
    with pytest.raises(StateRefusedError, match="1 casebook is not locked"):
        places.lock_place(
            actor=manager, trial=case.subject.trial, site=case.cast.home, reason="Database lock"
        )


def test_what_is_in_the_way_costs_the_same_for_one_and_for_three(
    case: Case, statements: Callable[[], Any]
) -> None:
    case.form(complete=False)

    def cost() -> int:
        with statements() as done:
            standstills(case.subject.trial, case.cast.home)
            sites_closing(case.subject.trial, [case.cast.home, case.cast.away])
        return len(done.counted)

    one = cost()
    for _ in range(2):
        Case(case.cast).form(complete=False)
    assert cost() == one


# Kept ----------------------------------------------------------------------------------------------------------------


@pytest.mark.req("LCK-04")
def test_a_lock_keeps_every_casebook_and_is_made_again_later(case: Case, manager: Actor) -> None:
    kept = locked_site(case)
    closure = Closure.objects.get(visit=None)
    (line,) = kept.manifest
    assert (line["subject"], line["digest"], line["closure"]) == (
        case.subject.number, closure.digest, closure.pk
    )  # fmt: skip
    assert kept.digest == place_digest(kept.trial, kept.site, kept.manifest)
    assert Event.objects.get(table_name="casebook_placelock").reason == "Database lock"
    assert kept.trail_head < Event.objects.get(table_name="casebook_placelock").pk

    unlocked(case, case.cast.home)
    asked = states.ask_unlock(actor=manager, scope=case.scope(), reason="A value is wrong", hours=4)
    states.approve_unlock(actor=case.cast.actor("monitor"), unlock=asked)
    case.save(Entry.objects.get(subject=case.subject, form="LB"), "HGB", "9.9", "g/dL", "Misread")
    with standing_at(case.subject.pk, kept.made_at):
        then = record_of(get_subject_by_key(case.subject.pk), casebook_key(case.subject))
    assert then is not None
    assert then.digest == line["digest"]


def test_a_study_is_locked_when_every_site_is(case: Case, manager: Actor) -> None:
    trial = case.subject.trial
    locked_site(case)
    with pytest.raises(StateRefusedError, match="1 site is not locked"):
        places.lock_place(actor=manager, trial=trial, site=None, reason="Database lock")
    places.lock_place(actor=manager, trial=trial, site=case.cast.away, reason="Nobody was screened")
    study = places.lock_place(actor=manager, trial=trial, site=None, reason="Database lock")
    assert {line["site"]: line["casebooks"] for line in study.manifest} == {"NO-01": 1, "SE-02": 0}


# Unlocking -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("LCK-03")
def test_two_persons_open_from_above_and_it_is_locked_again_from_below(case: Case, manager: Actor) -> None:
    locked_study(case)
    trial, home = case.subject.trial, case.cast.home
    with pytest.raises(StateRefusedError, match="unlocked before one of its sites"):
        places.ask_place_unlock(actor=manager, trial=trial, site=home, reason="A value is wrong", hours=4)
    asked = places.ask_place_unlock(actor=manager, trial=trial, site=None, reason="A value is wrong", hours=4)
    with pytest.raises(StateRefusedError, match="waits for an answer"):
        places.ask_place_unlock(actor=manager, trial=trial, site=None, reason="Me too", hours=4)
    with pytest.raises(StateRefusedError, match="a second person does"):
        places.approve_place_unlock(actor=manager, unlock=asked)
    places.approve_place_unlock(actor=case.cast.actor("monitor"), unlock=asked)
    with pytest.raises(PlaceLockedError, match="Oslo"):
        states.ask_unlock(actor=manager, scope=case.scope(), reason="A value is wrong", hours=4)
    unlocked(case, home)
    one = states.ask_unlock(actor=manager, scope=case.scope(), reason="A value is wrong", hours=4)
    states.approve_unlock(actor=case.cast.actor("monitor"), unlock=one)
    case.save(Entry.objects.get(subject=case.subject, form="LB"), "HGB", "9.9", "g/dL", "Misread")
    with pytest.raises(StateRefusedError, match="1 casebook is not locked"):
        places.lock_place(actor=manager, trial=trial, site=home, reason="Corrected")
    with pytest.raises(StateRefusedError, match="signed"):
        states.lock(actor=manager, scope=case.scope())
    case.sign(case.key("casebook"))
    states.lock(actor=manager, scope=case.scope())
    with pytest.raises(StateRefusedError, match="1 site is not locked"):
        places.lock_place(actor=manager, trial=trial, site=None, reason="Corrected")
    again_locked = places.lock_place(actor=manager, trial=trial, site=home, reason="Corrected")
    places.lock_place(actor=manager, trial=trial, site=None, reason="Corrected")
    assert again_locked.digest != PlaceLock.objects.filter(site=home).order_by("pk")[0].digest
    assert PlaceLock.objects.standing().filter(trial=trial).count() == 3
    assert PlaceLock.objects.filter(trial=trial).count() == 5


@pytest.mark.req("LCK-03")
def test_when_the_time_is_over_the_site_is_locked_again_by_itself(
    case: Case, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked_site(case)
    real = clock.now
    monkeypatch.setattr("foundation.clock.now", lambda: real() - timedelta(hours=9))
    unlocked(case, case.cast.home, hours=4)
    monkeypatch.undo()
    with pytest.raises(PlaceLockedError, match="the time for changes is over"):
        case.cast.subject()
    where = {"trial": case.subject.trial, "site": case.cast.home}
    asked = places.ask_place_unlock(actor=manager, **where, reason="Not finished", hours=1)
    with pytest.raises(StateRefusedError, match="waits for an answer"):
        places.lock_place(actor=manager, **where, reason="Locked anew")
    places.refuse_place_unlock(actor=case.cast.actor("monitor"), unlock=asked, answer="It was enough")
    places.lock_place(actor=manager, **where, reason="Locked anew")


@pytest.mark.req("LCK-03")
def test_a_refusal_leaves_a_site_locked(case: Case, manager: Actor) -> None:
    locked_site(case)
    where = {"trial": case.subject.trial, "site": case.cast.home}
    asked = places.ask_place_unlock(actor=case.cast.actor(), **where, reason="Why not", hours=1)
    with pytest.raises(ReasonTooShortError):
        places.refuse_place_unlock(actor=manager, unlock=asked, answer="")
    places.refuse_place_unlock(actor=manager, unlock=asked, answer="A note to file does")
    with pytest.raises(StateRefusedError, match="Nobody has asked"):
        places.approve_place_unlock(actor=manager, unlock=asked)
    with pytest.raises(PlaceLockedError):
        case.cast.subject()


# All that is ready ---------------------------------------------------------------------------------------------------


def test_every_casebook_that_is_ready_is_locked_in_one_step(case: Case, manager: Actor) -> None:
    signed(case)
    other = Case(case.cast)
    other.form(complete=False)
    run = lock_runs.request_lock_run(
        actor=manager, trial=case.subject.trial, site=case.cast.home, reason="Database lock"
    )
    same = lock_runs.request_lock_run(
        actor=manager, trial=case.subject.trial, site=case.cast.home, reason="Database lock"
    )
    assert same == run
    lock_runs.make_lock_run(run.pk)
    lock_runs.make_lock_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.done, run.total, run.locked, run.refused) == ("DONE", 1, 1, 1, {})
    (left,) = standstills(case.subject.trial, case.cast.home)
    assert left.subject == other.subject
    told = Event.objects.filter(table_name="casebook_entry", subject_id=case.subject.pk).latest("id")
    assert (told.actor, told.reason) == ("Datamanager Person", "Database lock")
    with pytest.raises(StateRefusedError, match="No casebook is ready"):
        lock_runs.request_lock_run(
            actor=manager, trial=case.subject.trial, site=case.cast.home, reason="Database lock"
        )


def test_a_run_has_the_rights_of_whoever_asked_at_that_time(case: Case, manager: Actor) -> None:
    signed(case)
    run = lock_runs.request_lock_run(
        actor=manager, trial=case.subject.trial, site=case.cast.home, reason="Database lock"
    )
    with acting(SETUP):
        case.cast.people["datamanager"].grants.update(ends=clock.now())
    lock_runs.make_lock_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.locked) == (LockRun._meta.get_field("state").choices[3][0], 0)
    assert "may not lock here any more" in run.problem
