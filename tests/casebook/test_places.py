"""Sites and studies that are locked: the table, the services, and the database behind them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.policies import ROLES
from audit.context import Actor, acting
from audit.guards import refused_by
from audit.models import Event
from audit.moment import standing_at
from audit.tables import tracked_tables
from casebook import gates, registry, services
from casebook.closing import place_digest, sites_closing, standstills
from casebook.errors import (
    PlaceBusyError,
    PlaceLockedError,
    ReasonTooShortError,
    RoleRefusedError,
    StateRefusedError,
)
from casebook.models import Closure, Entry, LockRun, PlaceLock, PlaceUnlock
from casebook.records import casebook_key, record_of
from casebook.rules.places import PERMISSIONS, PlaceState, place_refusal
from casebook.services import lock_runs, places, states
from foundation import clock
from foundation.errors import DomainError
from patients.models import Subject
from patients.selectors import get_subject_by_key
from patients.services import screen_patient, set_status
from tests.casebook.signing_case import Case, again
from tests.cast import SETUP, Cast
from trials.models import Site
from visits.services import add_unscheduled_visit

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
def case(cast: Cast) -> Case:
    return Case(cast)


@pytest.fixture
def manager(cast: Cast) -> Actor:
    return cast.actor("datamanager")


@pytest.fixture
def condition() -> Iterator[Callable[..., None]]:
    """A room above that objects."""
    before = dict(registry._lock_conditions)
    yield registry.register_lock_condition
    registry._lock_conditions.clear()
    registry._lock_conditions.update(before)


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


# No write ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("LCK-02")
def test_no_service_writes_in_a_locked_site_and_says_why(case: Case, manager: Actor) -> None:
    patient = case.cast.patient()
    entry = case.form()
    locked_site(case)
    at_home = case.cast.actor()
    acts: list[Callable[[], object]] = [
        lambda: screen_patient(actor=at_home, patient=patient, trial=case.subject.trial),
        lambda: add_unscheduled_visit(
            actor=at_home, subject=case.subject, happened_on=clock.today("Europe/Oslo")
        ),
        lambda: services.raise_query(actor=manager, entry=again(entry), item="HGB", text="Really?"),
        lambda: states.ask_unlock(actor=manager, scope=case.scope(), reason="A value is wrong", hours=4),
        lambda: set_status(
            actor=at_home, subject=case.subject, status="SCREEN_FAILURE", on=clock.today("Europe/Oslo")
        ),
    ]
    for act in acts:
        with pytest.raises(PlaceLockedError, match="Oslo University Hospital, EXCALIBUR, is locked since"):
            act()
    assert not Subject.objects.filter(patient=patient).exists()
    screen_patient(actor=at_home, patient=patient, trial=case.cast.trials["THERMODOX"])


STATEMENTS = [
    "INSERT INTO patients_subject (patient_id, trial_id, site_id, version_id, number, sub_study, status)"
    " SELECT patient_id, trial_id, site_id, version_id, 'X-1', '', 'SCREENING' FROM patients_subject"
    " WHERE id = %(subject)s",
    "UPDATE patients_subject SET status = 'COMPLETED' WHERE id = %(subject)s",
    "UPDATE visits_visit SET because = 'x' WHERE subject_id = %(subject)s",
    "INSERT INTO visits_visit (subject_id, code, sequence, ordinal, because, state, missed_reason)"
    " VALUES (%(subject)s, 'UNS', 9, 99, '', 'PLANNED', '')",
    "DELETE FROM visits_visit WHERE subject_id = %(subject)s",
    "INSERT INTO casebook_entry (subject_id, form, repeat, values, state, not_done, struck_out, frozen, locked,"
    " signing, version) VALUES (%(subject)s, 'AE', 1, '{}', 'EMPTY', '', false, false, false, '', 0)",
    "UPDATE casebook_entry SET entered_under_id = NULL WHERE subject_id = %(subject)s",
    "UPDATE casebook_closure SET ended_at = now() WHERE subject_id = %(subject)s",
    "UPDATE trials_trialsite SET closed_on = '2030-01-01' WHERE trial_id = %(trial)s AND site_id = %(site)s",
    "INSERT INTO qol_invitation (subject_id, visit_id, instrument, form, language, digest, opens_at, expires_at,"
    " sent_by, state, answered_language, device_time, revoked_because) SELECT %(subject)s, id, 'x', 'x', 'en', 'x',"
    " now(), now(), 'x', 'OPEN', '', '', '' FROM visits_visit WHERE subject_id = %(subject)s LIMIT 1",
]


@pytest.mark.req("LCK-02")
@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("whole", [False, True], ids=["site", "study"])
def test_no_statement_of_the_application_writes_in_a_locked_place(
    case: Case, statement: str, *, whole: bool
) -> None:
    (locked_study if whole else locked_site)(case)
    subject = case.subject
    values = {"subject": subject.pk, "trial": subject.trial_id, "site": subject.site_id}
    with (
        pytest.raises(PlaceLockedError, match="The study EXCALIBUR is" if whole else "Oslo"),
        acting(SETUP, reason="By hand"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)


@pytest.mark.req("LCK-02")
def test_every_table_of_subjects_is_behind_the_gate_or_says_why_not() -> None:
    of_subjects = {each.table for each in tracked_tables() if each.subject}
    assert of_subjects - dict(gates.gated_tables()).keys() == gates.FREE.keys()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s AND NOT tgisinternal",
            [gates.GATE],
        )
        behind = {name for (name,) in cursor.fetchall()}
    assert behind == dict(gates.gated_tables()).keys()


@pytest.mark.req("LCK-02")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE casebook_placelock SET ended_at = now()",
        "UPDATE casebook_placelock SET open_until = now() + '1 day'",
        "UPDATE casebook_placelock SET manifest = '[]'",
        "DELETE FROM casebook_placelock",
        "INSERT INTO casebook_placeunlock (lock_id, reason, hours, state, asked_by_id, decided_by_id, answer)"
        " SELECT id, 'x', 1, 'APPROVED', %(person)s, %(other)s, '' FROM casebook_placelock",
        "INSERT INTO casebook_placelock (trial_id, site_id, reason, made_by_id, manifest, digest, trail_head)"
        " SELECT trial_id, NULL, 'x', %(person)s, '[]', '', 0 FROM casebook_placelock",
    ],
)
def test_no_statement_opens_or_forges_a_lock(case: Case, statement: str) -> None:
    locked_site(case)
    actor = case.cast.actor("datamanager")
    values = {"person": actor.id, "other": case.cast.people["monitor"].pk}
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        acting(actor, reason="By hand"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)


def test_a_site_is_not_locked_by_sql_while_a_casebook_is_open(case: Case, manager: Actor) -> None:
    case.form()
    with pytest.raises(IntegrityError, match="when every casebook is"), acting(manager, reason="By hand"):
        PlaceLock.objects.create(
            trial=case.subject.trial, site=case.cast.home, reason="x", made_by_id=manager.id, manifest=[],
            digest="", trail_head=0,
        )  # fmt: skip


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


# Several at once -----------------------------------------------------------------------------------------------------


def aside(work: Callable[[], object]) -> list[DomainError]:
    """Do something on a connection of its own, to the end; what was raised."""
    raised: list[DomainError] = []

    def run() -> None:
        try:
            work()
        except DomainError as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    return raised


@pytest.mark.django_db(transaction=True)
def test_a_site_is_not_locked_while_somebody_writes_there(case: Case, manager: Actor) -> None:
    signed(case)
    states.lock(actor=manager, scope=case.scope())
    trial, home = case.subject.trial, case.cast.home
    patient = case.cast.patient()

    def lock() -> None:
        places.lock_place(actor=manager, trial=trial, site=home, reason="Database lock")

    with acting(case.cast.actor()):
        screen_patient(actor=case.cast.actor(), patient=patient, trial=trial)
        (error,) = aside(lock)
        assert isinstance(error, PlaceBusyError)
    (error,) = aside(lock)
    assert isinstance(error, StateRefusedError)
    assert "1 casebook is not locked" in str(error)


@pytest.mark.django_db(transaction=True)
def test_a_query_opened_while_the_lock_is_under_way_comes_too_late(case: Case, manager: Actor) -> None:
    signed(case)
    states.lock(actor=manager, scope=case.scope())
    trial, home, patient = case.subject.trial, case.cast.home, case.cast.patient()
    raised: list[DomainError] = []

    def screen() -> None:
        try:
            screen_patient(actor=case.cast.actor(), patient=patient, trial=trial)
        except PlaceLockedError as error:
            raised.append(error)
        finally:
            connection.close()

    def lock_as_well() -> None:
        try:
            places.lock_place(actor=manager, trial=trial, site=home, reason="Me too")
        except StateRefusedError as error:
            raised.append(error)
        finally:
            connection.close()

    late = threading.Thread(target=screen)
    with acting(manager):
        places.lock_place(actor=manager, trial=trial, site=home, reason="Database lock")
        late.start()
        late.join(1)
        assert late.is_alive()
        second = threading.Thread(target=lock_as_well)
        second.start()
        second.join(1)
        assert second.is_alive()
    late.join(30)
    second.join(30)
    assert {type(error) for error in raised} == {PlaceLockedError, StateRefusedError}
    assert not Subject.objects.filter(patient=patient).exists()
    assert PlaceLock.objects.count() == 1


def test_the_gate_has_a_name_that_people_are_told_by(case: Case) -> None:
    locked_site(case)
    with pytest.raises(PlaceLockedError) as told:
        case.cast.subject()
    assert isinstance(told.value.__cause__, IntegrityError)
    assert refused_by(told.value.__cause__) == gates.GATE
    assert told.value.status == 409
