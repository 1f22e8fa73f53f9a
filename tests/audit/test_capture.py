"""Every way to write leaves one event per changed row; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from audit.context import Actor, acting, service_actor
from audit.installation import _track
from audit.models import Event
from audit.tables import Tracked
from foundation.clock import now
from tests.audit.conftest import run


def events_since(mark: int) -> list[Event]:
    return list(Event.objects.filter(pk__gt=mark).order_by("id"))


@pytest.fixture
def people(make_user: Callable[..., User]) -> list[User]:
    return [make_user(name) for name in ("ada", "ben", "cyd")]


@pytest.fixture
def mark(people: list[User], actor: Actor) -> int:
    return Event.objects.latest("id").pk


def create(people: list[User]) -> None:
    User.objects.create(username="new", full_name="New")


def save(people: list[User]) -> None:
    people[0].full_name = "Ada L"
    people[0].save()


def update(people: list[User]) -> None:
    User.objects.filter(username="ada").update(full_name="Ada L")


def bulk_create(people: list[User]) -> None:
    User.objects.bulk_create([User(username=name, full_name=name) for name in ("x", "y")])


def bulk_update(people: list[User]) -> None:
    for user in people:
        user.full_name += "!"
    User.objects.bulk_update(people, ["full_name"])


def raw(people: list[User]) -> None:
    run("UPDATE accounts_user SET full_name = 'Ada L' WHERE username = 'ada'")


@pytest.mark.django_db
@pytest.mark.req("AUD-02")
@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (create, ["I"]),
        (save, ["U"]),
        (update, ["U"]),
        (bulk_create, ["I"] * 2),
        (bulk_update, ["U"] * 3),
        (raw, ["U"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_way_to_write_is_recorded(
    write: Callable[[list[User]], None], expected: list[str], people: list[User], actor: Actor, mark: int
) -> None:
    with acting(actor, reason="spelling"):
        write(people)
    events = events_since(mark)
    assert [event.action for event in events] == expected
    assert {(event.actor_id, event.actor, event.role, event.reason) for event in events} == {
        (actor.id, "Some Body", "coordinator", "spelling")
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("AUD-02")
@pytest.mark.parametrize("statement", ["DELETE FROM scratch WHERE id = 1", "DELETE FROM scratch"])
def test_a_deleted_row_is_recorded_whole(scratch: str, actor: Actor, statement: str) -> None:
    with acting(actor):
        run("INSERT INTO scratch VALUES (1, 7, 'lab', '', '{\"HGB\": {\"value\": \"12.4\"}}')")
    with acting(actor, reason="entered twice"):
        run(statement)
    event = Event.objects.latest("id")
    assert (event.action, event.row_id, event.subject_id, event.reason) == ("D", "1", 7, "entered twice")
    assert event.before["values"] == {"HGB": {"value": "12.4"}}
    assert event.after is None


@pytest.mark.django_db
@pytest.mark.req("AUD-08")
@pytest.mark.parametrize(
    "write", [create, save, update, bulk_create, bulk_update, raw], ids=lambda f: f.__name__
)
def test_a_write_without_an_actor_fails(write: Callable[[list[User]], None], people: list[User]) -> None:
    names = set(User.objects.values_list("full_name", flat=True))
    with pytest.raises(DatabaseError, match="hilum: no actor"), transaction.atomic():
        write(people)
    assert set(User.objects.values_list("full_name", flat=True)) == names


@pytest.mark.django_db
@pytest.mark.req("AUD-08")
def test_the_actor_is_gone_when_acting_ends(people: list[User], actor: Actor) -> None:
    with acting(actor):
        update(people)
    with pytest.raises(DatabaseError, match="no actor"), transaction.atomic():
        create(people)


@pytest.mark.django_db
@pytest.mark.req("AUD-08")
def test_a_system_job_has_a_name_and_is_no_person(people: list[User], mark: int) -> None:
    with acting(service_actor("reminders"), origin="task"):
        update(people)
    event = events_since(mark)[0]
    assert (event.actor_id, event.actor, event.role, event.origin) == (None, "reminders", "service", "task")


def test_an_actor_has_a_name() -> None:
    with pytest.raises(ValueError, match="name"), acting(Actor(id=1, name="")):
        pass


@pytest.mark.django_db
@pytest.mark.req("AUD-01")
def test_an_event_says_who_what_when_why(people: list[User], actor: Actor, mark: int) -> None:
    with acting(actor, reason="married", origin="api", request_id="abc-1"):
        update(people)
    event = events_since(mark)[0]
    assert (event.table_name, event.row_id) == ("accounts_user", str(people[0].pk))
    assert (event.before, event.after) == ({"full_name": "Ada"}, {"full_name": "Ada L"})
    assert (event.reason, event.origin, event.request_id) == ("married", "api", "abc-1")
    assert len(event.digest) == 32


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("AUD-01")
def test_a_row_that_belongs_to_a_subject_by_another_row_finds_it(
    scratch: str, actor: Actor, superuser: Any
) -> None:
    superuser.execute("CREATE TABLE scratch_note (id bigint PRIMARY KEY, about_id bigint)")
    app = settings.DATABASES["default"]["USER"]
    superuser.execute(
        f'GRANT SELECT, INSERT ON scratch_note TO "{app}"; GRANT SELECT ON scratch TO hilum_audit'
    )
    path = "SELECT t0.subject_id FROM public.scratch t0 WHERE t0.id = ($1->>'about_id')::bigint"
    with superuser.connection.cursor() as cursor:
        _track(cursor, Tracked("scratch_note", key="id", subject=path, masked=()))
    try:
        with acting(actor):
            run("INSERT INTO scratch VALUES (1, 7, 'lab', '', NULL)")
            run("INSERT INTO scratch_note VALUES (5, 1)")
        assert Event.objects.get(table_name="scratch_note").subject_id == 7
    finally:
        superuser.execute("DROP TABLE scratch_note")


@pytest.mark.django_db
@pytest.mark.req("AUD-01")
def test_the_name_at_that_time_stays(people: list[User], actor: Actor, mark: int) -> None:
    ada = people[0]
    with acting(Actor(id=ada.pk, name=ada.full_name)):
        bulk_create(people)
        update(people)
    assert {event.actor for event in events_since(mark)} == {"Ada"}


@pytest.mark.django_db
@pytest.mark.req("TIM-01")
def test_the_time_is_the_databases(people: list[User], actor: Actor, mark: int) -> None:
    with acting(actor):
        update(people)
        run("SELECT pg_sleep(0.01)")
        User.objects.filter(username="ben").update(full_name="B")
    first, second = events_since(mark)
    assert first.at.utcoffset() == timedelta(0)
    assert second.at - first.at >= timedelta(milliseconds=10)  # clock_timestamp, not the transaction's start
    assert abs(now() - second.at) < timedelta(minutes=1)
    assert first.transaction_id == second.transaction_id


@pytest.mark.django_db
def test_a_write_that_changes_nothing_is_no_event(people: list[User], actor: Actor, mark: int) -> None:
    with acting(actor):
        people[0].save()
        User.objects.update(is_active=True)
    assert events_since(mark) == []


@pytest.mark.django_db(transaction=True)
def test_only_changed_items_of_a_json_column_are_kept(scratch: str, actor: Actor) -> None:
    with acting(actor):
        run('INSERT INTO scratch VALUES (1, 7, \'lab\', \'\', \'{"HGB": "12", "ALB": "40", "K": "4"}\')')
        run('UPDATE scratch SET values = values - \'K\' || \'{"HGB": "13", "NA": "140"}\'')
        run("UPDATE scratch SET values = NULL, kind = 'x'")
    changed, emptied = Event.objects.filter(table_name="scratch", action="U").order_by("id")
    assert changed.before == {"values": {"HGB": "12", "K": "4"}}
    assert changed.after == {"values": {"HGB": "13", "NA": "140"}}
    assert emptied.before == {"values": {"HGB": "13", "NA": "140", "ALB": "40"}, "kind": "lab"}
    assert emptied.after == {"values": None, "kind": "x"}


@pytest.mark.django_db(transaction=True)
def test_secrets_do_not_enter_the_trail(scratch: str, actor: Actor) -> None:
    with acting(actor):
        run("INSERT INTO scratch VALUES (1, 7, 'lab', 'swordfish', NULL)")
        run("UPDATE scratch SET secret = 'sesame'")
        run("UPDATE scratch SET kind = 'x'")
        run("DELETE FROM scratch")
    events = Event.objects.filter(table_name="scratch").order_by("id")
    assert not any(
        word in str((event.before, event.after)) for event in events for word in ("swordfish", "sesame")
    )
    assert (events[1].before, events[1].after) == ({"secret": "***"}, {"secret": "***"})
    assert "secret" not in events[2].after


@pytest.mark.django_db
def test_password_hashes_do_not_enter_the_trail(people: list[User]) -> None:
    stored = str(list(Event.objects.filter(table_name="accounts_user").values_list("before", "after")))
    assert people[0].password not in stored
    assert people[0].session_salt not in stored


@pytest.mark.django_db
@pytest.mark.req("AUD-17")
def test_a_failed_transaction_leaves_no_event(people: list[User], actor: Actor, mark: int) -> None:
    with pytest.raises(ZeroDivisionError), acting(actor):
        update(people)
        _ = 1 // 0
    assert events_since(mark) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("AUD-17")
def test_a_killed_worker_leaves_data_and_trail_alike(scratch: str, actor: Actor, superuser: Any) -> None:
    with acting(actor):
        run("INSERT INTO scratch VALUES (1, 7, 'kept', '', NULL)")
    with pytest.raises(DatabaseError), acting(actor):
        run("INSERT INTO scratch VALUES (2, 7, 'lost', '', NULL)")
        superuser.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        run("SELECT 1")
    connection.close()
    superuser.execute("SELECT array_agg(id::text) FROM scratch")
    assert superuser.fetchone()[0] == ["1"]
    assert list(Event.objects.filter(table_name="scratch").values_list("row_id", flat=True)) == ["1"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("AUD-01")
def test_writers_at_the_same_time_keep_their_own_names(scratch: str) -> None:
    together = Barrier(4)

    def write(number: int) -> None:
        together.wait(timeout=10)
        for step in range(10):
            with acting(Actor(id=number, name=f"Writer {number}"), reason=f"step {step}"):
                run("INSERT INTO scratch VALUES (%s, %s, 'x', '', NULL)", [number * 100 + step, number])
        connection.close()

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = Event.objects.filter(table_name="scratch")
    assert events.count() == 40
    for event in events:
        number, step = divmod(int(event.row_id), 100)
        assert (event.actor, event.actor_id, event.subject_id) == (f"Writer {number}", number, number)
        assert event.reason == f"step {step}"


@pytest.mark.django_db
class TestNesting:
    """One transaction, one actor at a time; an inner reason wins, and is gone afterwards."""

    def test_an_inner_reason_wins_and_ends(self, people: list[User], actor: Actor, mark: int) -> None:
        with acting(actor, reason="outer"):
            with acting(actor, reason="inner"):
                User.objects.filter(username="ada").update(full_name="1")
            with acting(actor):
                User.objects.filter(username="ben").update(full_name="2")
        assert [event.reason for event in events_since(mark)] == ["inner", "outer"]

    def test_an_error_inside_undoes_the_whole(self, people: list[User], actor: Actor, mark: int) -> None:
        with pytest.raises(ZeroDivisionError), acting(actor):
            update(people)
            with acting(service_actor("other")):
                _ = 1 // 0
        assert events_since(mark) == []

    def test_it_costs_one_statement(self, actor: Actor, statements: Any) -> None:
        with statements() as done, acting(actor, reason="a"), acting(actor), acting(actor, reason="a"):
            pass
        assert len(done.counted) == 1

    def test_a_new_reason_costs_two_more(self, actor: Actor, statements: Any) -> None:
        with statements() as done, acting(actor), acting(actor, reason="b"):
            pass
        assert len(done.counted) == 3


@pytest.mark.django_db(transaction=True)
def test_outside_of_tests_it_costs_one_statement_too(actor: Actor, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3) as captured, acting(actor):  # BEGIN, the settings, COMMIT
        pass
    assert [query["sql"].split(" ")[0] for query in captured.captured_queries] == [
        "BEGIN",
        "SELECT",
        "COMMIT",
    ]
