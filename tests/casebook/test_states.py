"""States of a form on their axes: the table, the services, and the database behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.policies import ROLES
from audit.context import Actor, acting
from audit.models import Event
from casebook import registry, services
from casebook.errors import EntryClosedError, ReasonTooShortError, RoleRefusedError, StateRefusedError
from casebook.models import Closure, Entry, Query, Review, Unlock
from casebook.rules.states import LABELS, PERMISSIONS, TABLE, FormState, refusal
from casebook.services import states
from foundation import clock
from tests.casebook.signing_case import Case, again, closed
from tests.cast import SETUP

pytestmark = pytest.mark.django_db

# The table ----------------------------------------------------------------------------------------------------------

MAY = {
    "review": {"datamanager", "medical"},
    "freeze": {"datamanager"},
    "unfreeze": {"datamanager"},
    "sign": {"investigator"},
    "lock": {"datamanager"},
    "ask-unlock": {"coordinator", "investigator", "datamanager"},
    "approve-unlock": {"datamanager", "monitor"},
}
EVERY_STATE = [
    FormState(*axes)
    for axes in product(
        ("empty", "in-progress", "complete"), (False, True), (0, 2), ("", "SIGNED", "AGAIN"), (False, True),
        (False, True), ("", "open", "over"), ("", "self", "other"), ((), ("A read is not signed.",)),
    )
]  # fmt: skip


def legal(action: str, form: FormState) -> bool:
    """What the procedure says, written down a second time: the whole truth of the table."""
    finished = form.data == "complete" or form.struck_out
    clean = form.queries == 0 and form.signing == "SIGNED" and not form.objections
    return {
        "review": finished and not form.locked,
        "freeze": finished and not form.locked and not form.frozen,
        "unfreeze": form.frozen and not form.locked,
        "sign": finished and not form.locked and form.signing != "SIGNED",
        "lock": finished and clean and not form.locked,
        "ask-unlock": form.asked == "" and form.window != "open" and (form.locked or form.window == "over"),
        "approve-unlock": form.asked == "other",
    }[action]


@pytest.mark.req("LCK-01")
@pytest.mark.parametrize("action", TABLE)
def test_every_state_and_role_is_legal_or_refused_with_a_sentence(action: str) -> None:
    for form, role in product(EVERY_STATE, ROLES):
        found = refusal(action, form, {role})  # type: ignore[arg-type]
        if role not in MAY[action]:
            assert found is not None, (action, role)
            assert found.by == "role"
        elif legal(action, form):
            assert found is None, (action, form)
        else:
            assert found is not None, (action, form)
            assert found.by == "state"
            assert found.sentence.endswith(".")


def test_each_action_has_rules_a_permission_and_a_word() -> None:
    assert set(TABLE) == set(PERMISSIONS) == set(LABELS) == set(MAY)


# The services --------------------------------------------------------------------------------------------------------


@pytest.fixture
def condition() -> Iterator[Callable[..., None]]:
    """A room above that objects."""
    before = dict(registry._lock_conditions)
    yield registry.register_lock_condition
    registry._lock_conditions.clear()
    registry._lock_conditions.update(before)


def signed(case: Case, form: str = "LB") -> Entry:
    entry = case.form(form)
    assert not case.sign(case.key(entry=entry)).refused
    return again(entry)


def test_a_review_holds_for_what_was_looked_at(case: Case, manager: Actor) -> None:
    entry = case.form()
    (kept,) = states.review(actor=manager, scope=case.scope(entry, case.visit))
    assert kept.digest == case.record(case.key(entry=entry)).parts[0].digest
    case.save(entry, "HGB", "12.9", "g/dL")
    assert kept.digest != case.record(case.key(entry=entry)).parts[0].digest


def test_a_medical_review_is_told_from_that_of_data_management(case: Case) -> None:
    entry = case.form()
    doctor = case.cast.people["monitor"]
    states.review(
        actor=Actor(doctor.pk, doctor.full_name, "medical"), scope=case.scope(entry, case.visit), comment="ok"
    )
    assert Review.objects.get().get_kind_display() == "Medical review"


def test_frozen_takes_no_entry_and_still_takes_queries(case: Case, manager: Actor) -> None:
    entry = case.form()
    assert states.freeze(actor=manager, scope=case.scope(entry, case.visit)) == 1
    with pytest.raises(EntryClosedError):
        case.save(entry, "HGB", "9", "g/dL")
    services.raise_query(actor=manager, entry=again(entry), item="HGB", text="Really?")
    with pytest.raises(ReasonTooShortError):
        states.unfreeze(actor=manager, scope=case.scope(again(entry), case.visit), reason="")
    states.unfreeze(actor=manager, scope=case.scope(again(entry), case.visit), reason="To be corrected")
    case.save(entry, "HGB", "9", "g/dL")


def test_a_visit_is_frozen_and_locked_as_a_whole(case: Case, manager: Actor) -> None:
    case.whole_visit()
    number = Entry.objects.filter(visit=case.visit).count()
    assert states.freeze(actor=manager, scope=case.scope(visit=case.visit)) == number
    with pytest.raises(StateRefusedError, match="not signed: "):
        states.lock(actor=manager, scope=case.scope(visit=case.visit))
    case.sign(case.key("visit"))
    assert states.lock(actor=manager, scope=case.scope(visit=case.visit)) == number
    assert Closure.objects.filter(visit=case.visit, ended_at=None).count() == 1
    with pytest.raises(StateRefusedError, match="locked already"):
        states.lock(actor=manager, scope=case.scope(visit=case.visit))


def test_what_is_locked_in_a_casebook_is_left_as_it_is_by_the_rest(case: Case, manager: Actor) -> None:
    case.whole_visit()
    case.sign(case.key("visit"))
    states.lock(actor=manager, scope=case.scope(visit=case.visit))
    event = case.form_of_a_log()
    assert [each.entry_id for each in states.review(actor=manager, scope=case.scope())] == [event.pk]
    assert states.freeze(actor=manager, scope=case.scope()) == 1
    assert states.unfreeze(actor=manager, scope=case.scope(), reason="One more to come") == 1
    for action in (states.review, states.freeze):
        with pytest.raises(StateRefusedError, match="locked"):
            action(actor=manager, scope=case.scope(visit=case.visit))


def test_a_casebook_is_locked_after_the_principal_investigator_signed_it(case: Case, manager: Actor) -> None:
    case.whole_visit()
    case.sign(case.key("visit"))
    with pytest.raises(StateRefusedError, match="not signed"):
        states.lock(actor=manager, scope=case.scope())
    case.sign(case.key("casebook"))
    states.lock(actor=manager, scope=case.scope())
    with pytest.raises(EntryClosedError, match="locked"):
        services.open_entry(actor=case.cast.actor(), subject=case.subject, visit=None, form="AE")
    with pytest.raises(IntegrityError, match="Nothing is opened"), transaction.atomic(), acting(SETUP):
        Entry.objects.create(subject=case.subject, visit=case.visit, form="AE", repeat=9)


@pytest.mark.req("LCK-01")
def test_what_is_in_the_way_of_a_lock_is_said(
    case: Case, manager: Actor, condition: Callable[..., None]
) -> None:
    entry = case.form(complete=False)

    def refused() -> str:
        with pytest.raises(StateRefusedError) as found:
            states.lock(actor=manager, scope=case.scope(again(entry), case.visit))
        return found.value.message

    assert refused() == "The form is not complete."
    closed(case.cast.actor(), entry)
    query = services.raise_query(actor=manager, entry=again(entry), item="HGB", text="Really?")
    assert refused() == "A query is not closed."
    services.close_query(actor=manager, query=query)
    assert refused() == "The form is not signed."
    case.sign(case.key(entry=entry))
    case.save(entry, "HGB", "12.8", "g/dL")
    assert refused() == "The form has to be signed again."
    case.sign(case.key(entry=entry))
    condition(
        "read",
        lambda wanted: {key.pk: [f"{len(forms)} read is not signed."] for key, forms in wanted.items()},
    )
    assert refused() == "1 read is not signed."
    condition("read", lambda _wanted: {})
    states.lock(actor=manager, scope=case.scope(again(entry), case.visit))
    assert again(entry).locked


@pytest.mark.parametrize("who", ["coordinator", "investigator", "monitor", "sponsor"])
def test_only_a_data_manager_locks(case: Case, who: str) -> None:
    with pytest.raises(RoleRefusedError):
        states.lock(actor=case.cast.actor(who), scope=case.scope(signed(case), case.visit))


# Unlocking ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("LCK-03")
def test_two_persons_unlock_for_a_time_and_it_is_signed_again_before_it_is_locked(
    case: Case, manager: Actor
) -> None:
    entry = signed(case)
    scope = case.scope(entry, case.visit)
    states.lock(actor=manager, scope=scope)
    asked = states.ask_unlock(actor=manager, scope=scope, reason="Wrong unit", hours=4)
    with pytest.raises(StateRefusedError, match="a second person does"):
        states.approve_unlock(actor=manager, unlock=asked)
    assert again(entry).locked
    states.approve_unlock(actor=case.cast.actor("monitor"), unlock=asked)
    opened = again(entry)
    assert (opened.locked, opened.signing) == (False, "AGAIN")
    assert opened.unlocked_until is not None
    case.save(entry, "HGB", "8.7", "g/dL", reason="Unit was g/dL")
    with pytest.raises(StateRefusedError, match="signed again"):
        states.lock(actor=manager, scope=case.scope(again(entry), case.visit))
    case.sign(case.key(entry=entry))
    states.lock(actor=manager, scope=case.scope(again(entry), case.visit))
    assert (again(entry).locked, again(entry).unlocked_until) == (True, None)
    reasons = set(Event.objects.filter(table_name="casebook_unlock").values_list("reason", flat=True))
    assert reasons == {"Wrong unit"}


@pytest.mark.req("LCK-03")
def test_when_the_time_is_over_nothing_is_written(
    case: Case, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = signed(case)
    states.lock(actor=manager, scope=case.scope(entry, case.visit))
    real = clock.now
    monkeypatch.setattr("foundation.clock.now", lambda: real() - timedelta(hours=9))
    case.unlocked(again(entry), hours=4)
    monkeypatch.undo()
    with pytest.raises(EntryClosedError, match="time for changes is over"):
        case.save(entry, "HGB", "7.7", "g/dL")
    with (
        pytest.raises(IntegrityError, match="time for changes is over"),
        transaction.atomic(),
        acting(SETUP, reason="By hand"),
    ):
        Entry.objects.filter(pk=entry.pk).update(values={})
    states.ask_unlock(
        actor=manager, scope=case.scope(again(entry), case.visit), reason="Not finished", hours=1
    )


@pytest.mark.req("LCK-03")
def test_a_refusal_leaves_it_locked_and_says_why(case: Case, manager: Actor) -> None:
    entry = signed(case)
    states.lock(actor=manager, scope=case.scope(entry, case.visit))
    asked = states.ask_unlock(
        actor=case.cast.actor("coordinator"),
        scope=case.scope(again(entry), case.visit),
        reason="Why not",
        hours=1,
    )
    with pytest.raises(ReasonTooShortError):
        states.refuse_unlock(actor=manager, unlock=asked, answer="")
    states.refuse_unlock(actor=manager, unlock=asked, answer="Use a note to file")
    assert again(entry).locked
    with pytest.raises(StateRefusedError):
        states.approve_unlock(actor=manager, unlock=asked)


def test_a_casebook_is_unlocked_with_its_visits(case: Case, manager: Actor) -> None:
    case.whole_visit()
    for what, scope in (("visit", case.scope(visit=case.visit)), ("casebook", case.scope())):
        case.sign(case.key(what))
        if what == "casebook":
            states.lock(actor=manager, scope=scope)
    asked = states.ask_unlock(actor=manager, scope=case.scope(), reason="New data", hours=48)
    states.approve_unlock(actor=case.cast.actor("monitor"), unlock=asked)
    assert not Closure.objects.filter(ended_at=None).exists()
    assert not Entry.objects.filter(subject=case.subject, locked=True).exists()
    services.open_entry(actor=case.cast.actor(), subject=case.subject, visit=None, form="AE")


# The database -------------------------------------------------------------------------------------------------------


def locked(case: Case) -> Entry:
    entry = signed(case)
    services.close_query(
        actor=case.cast.actor("datamanager"),
        query=services.raise_query(
            actor=case.cast.actor("datamanager"), entry=entry, item="HGB", text="Really?"
        ),
    )
    states.lock(actor=case.cast.actor("datamanager"), scope=case.scope(entry, case.visit))
    return again(entry)


GUARDS = "locked|[Tt]wo persons|never deleted|under their own name"


@pytest.mark.req("LCK-02")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE casebook_entry SET values = '{}' WHERE id = %(entry)s",
        "UPDATE casebook_entry SET not_done = 'x' WHERE id = %(entry)s",
        "UPDATE casebook_entry SET locked = false WHERE id = %(entry)s",
        "UPDATE casebook_entry SET locked = false, values = '{}' WHERE id = %(entry)s",
        "UPDATE casebook_entry SET locked = false, unlocked_until = now() + '1 day' WHERE id = %(entry)s",
        "UPDATE casebook_entry SET repeat = 7 WHERE id = %(entry)s",
        "DELETE FROM casebook_entry WHERE id = %(entry)s",
        "INSERT INTO casebook_query (entry_id, subject_id, item, origin, check_id, state, led_to_change)"
        " VALUES (%(entry)s, %(subject)s, 'HGB', 'MANUAL', '', 'OPEN', false)",
        "UPDATE casebook_query SET state = 'OPEN' WHERE entry_id = %(entry)s",
        "INSERT INTO casebook_querymessage (query_id, author_name, author_role, text)"
        " SELECT id, 'x', '', 'x' FROM casebook_query WHERE entry_id = %(entry)s",
        "INSERT INTO casebook_review (entry_id, subject_id, kind, digest, by_id)"
        " VALUES (%(entry)s, %(subject)s, 'DATA', '', %(person)s)",
        "INSERT INTO casebook_unlock (subject_id, entry_id, reason, hours, state, asked_by_id, decided_by_id, answer)"
        " VALUES (%(subject)s, %(entry)s, 'x', 1, 'APPROVED', %(person)s, %(other)s, '')",
        "INSERT INTO casebook_unlock (subject_id, entry_id, reason, hours, state, asked_by_id, answer)"
        " VALUES (%(subject)s, %(entry)s, 'x', 1, 'ASKED', %(other)s, '')",
    ],
)
def test_no_statement_of_the_application_gets_past_a_lock(case: Case, change: str) -> None:
    entry = locked(case)
    actor = case.cast.actor("datamanager")
    values = {
        "entry": entry.pk, "subject": entry.subject_id, "person": actor.id, "other": case.cast.people["monitor"].pk
    }  # fmt: skip
    with (
        pytest.raises(IntegrityError, match=GUARDS),
        transaction.atomic(),
        acting(actor, reason="By hand"),
        connection.cursor() as cursor,
    ):
        cursor.execute(change, values)


@pytest.mark.req("LCK-02")
@pytest.mark.parametrize(
    "change", [{"values": {}}, {"values": {}, "frozen": False}, {"not_done": "x"}, {"struck_out": True}]
)
def test_no_statement_of_the_application_writes_to_what_is_frozen(
    case: Case, manager: Actor, change: dict[str, object]
) -> None:
    entry = case.form()
    states.freeze(actor=manager, scope=case.scope(entry, case.visit))
    with pytest.raises(IntegrityError), transaction.atomic(), acting(manager, reason="By hand"):
        Entry.objects.filter(pk=entry.pk).update(**change)


@pytest.mark.req("LCK-03")
def test_one_person_cannot_approve_by_sql(case: Case, manager: Actor) -> None:
    entry = locked(case)
    asked = states.ask_unlock(
        actor=manager, scope=case.scope(entry, case.visit), reason="Wrong unit", hours=4
    )
    with pytest.raises(IntegrityError), transaction.atomic(), acting(manager):
        Unlock.objects.filter(pk=asked.pk).update(state="APPROVED", decided_by=manager.id)
    with pytest.raises(IntegrityError), transaction.atomic(), acting(manager):
        Unlock.objects.filter(pk=asked.pk).update(state="APPROVED", decided_by=case.cast.people["monitor"])
    assert Query.objects.filter(entry=entry).exists()


@pytest.mark.req("AUD-12")
def test_each_step_is_in_the_trail_with_its_reason(case: Case, manager: Actor) -> None:
    entry = case.form()
    scope = case.scope(entry, case.visit)
    states.freeze(actor=manager, scope=scope, reason="Interim analysis")
    states.unfreeze(actor=manager, scope=case.scope(again(entry), case.visit), reason="One more value")
    case.sign(case.key(entry=entry))
    states.lock(actor=manager, scope=case.scope(again(entry), case.visit), reason="Database lock")
    told = Event.objects.filter(table_name="casebook_entry", row_id=str(entry.pk)).order_by("id")
    assert [each.reason for each in told][-4:] == [
        "Interim analysis", "One more value", "Signed", "Database lock"
    ]  # fmt: skip
