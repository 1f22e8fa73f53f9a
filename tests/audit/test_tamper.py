"""The application cannot change the trail; whoever can is found out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg2
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from accounts.models import User
from audit import tasks
from audit.context import Actor, acting
from audit.models import Event, Seal
from audit.services import anchor_newest_seal, read_anchors, seal_events
from audit.tables import EXEMPT, tracked_tables
from audit.verification import Count, anchor_faults, faults
from tests.audit.conftest import run

FORBIDDEN = [
    "UPDATE audit_event SET actor = 'nobody'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
    "INSERT INTO audit_event SELECT * FROM audit_event LIMIT 1",
    "ALTER TABLE audit_event DROP COLUMN reason",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "ALTER TABLE accounts_user DISABLE TRIGGER ALL",
    "DROP TRIGGER zz_hilum_trail ON accounts_user",
    "SET session_replication_role = replica",
    "SET ROLE hilum_audit",
    "SELECT nextval('audit_event_id_seq')",
    "UPDATE audit_seal SET digest = previous",
    "DELETE FROM audit_seal",
    "TRUNCATE accounts_user CASCADE",
    "CREATE TABLE loophole (id int)",
    "CREATE OR REPLACE FUNCTION hilum_track() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TEMP TABLE forged (id int);"
    " CREATE TRIGGER f AFTER INSERT ON forged FOR EACH ROW EXECUTE FUNCTION hilum_track('id', '', '')",
    "COPY audit_event FROM PROGRAM 'true'",
    "DELETE FROM django_migrations",
]


@pytest.mark.django_db
@pytest.mark.req("AUD-03")
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_may_not(statement: str, actor: Actor) -> None:
    with (
        acting(actor),
        pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
        transaction.atomic(),
    ):
        run(statement)


@pytest.mark.django_db
@pytest.mark.req("AUD-03")
def test_the_application_connects_as_nobody_special() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False)
        cursor.execute(
            "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = current_user"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("AUD-03")
@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"]
)
def test_even_the_owner_of_the_tables_is_refused(
    statement: str, make_user: Callable[..., User], superuser: Any
) -> None:
    make_user("ada")
    superuser.execute(f'SET ROLE "{settings.DATABASES["owner"]["USER"]}"')
    with pytest.raises(psycopg2.Error, match="append-only"):
        superuser.execute(statement)


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("AUD-02")
def test_a_followed_table_is_not_truncated(superuser: Any) -> None:
    superuser.execute(f'SET ROLE "{settings.DATABASES["owner"]["USER"]}"')
    with pytest.raises(psycopg2.Error, match="not truncated"):
        superuser.execute("TRUNCATE accounts_user CASCADE")


@pytest.mark.django_db
@pytest.mark.req("AUD-01")
def test_every_table_is_followed_or_has_a_reason() -> None:
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'zz_hilum_trail' AND tgenabled = 'O'"
        )
        followed = {name for (name,) in cursor.fetchall()}
    assert present - followed == set(EXEMPT) & present
    assert {tracked.table for tracked in tracked_tables()} & present == followed
    assert all(len(reason) > 20 for reason in EXEMPT.values())


@pytest.mark.req("AUD-01")
def test_exempt_tables_are_not_ours() -> None:
    rooms = {app.label for app in apps.get_app_configs() if not app.path.count("site-packages")}
    assert {table for table in EXEMPT if table.split("_")[0] in rooms} == {"audit_event", "audit_seal"}


@pytest.mark.req("AUD-04")
def test_nothing_switches_the_trail_off() -> None:
    forbidden = re.compile(r"pgtrigger\.ignore|DISABLE TRIGGER|session_replication_role", re.IGNORECASE)
    sources = [
        path
        for room in settings.BASE_DIR.iterdir()
        if (room / "__init__.py").exists()
        for path in room.rglob("*.py")
    ]
    ours = [path for path in sources if "tests" not in path.relative_to(settings.BASE_DIR).parts]
    assert len(ours) > 50
    assert [path for path in ours if forbidden.search(path.read_text())] == []
    assert [name for name in dir(settings) if "AUDIT" in name or "TRAIL" in name] == []


# Seals --------------------------------------------------------------------------------------------------------------


def seal_everything() -> int:
    """Seal once no transaction runs that began before the last event: the horizon is the cluster's, and other tests
    run in the same cluster."""
    horizon = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s"
    last = Event.objects.latest("id").transaction_id if Event.objects.exists() else 0
    patience = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < patience:
            cursor.execute(horizon, [last % 1_000_000_000])
            if cursor.fetchone() == (True,):
                break
            time.sleep(0.02)
    return seal_events()


@pytest.fixture
def sealed(transactional_db: None, make_user: Callable[..., User]) -> list[Seal]:
    """Two blocks of three events each."""
    for names in (("ada", "ben", "cyd"), ("dan", "eve", "fay")):
        for name in names:
            make_user(name)
        assert seal_everything() == 3
    return list(Seal.objects.all())


def found() -> list[str]:
    return [str(fault) for fault in faults()]


@pytest.mark.req("AUD-05")
def test_an_untouched_trail_is_intact(sealed: list[Seal]) -> None:
    count = Count()
    assert list(faults(count)) == []
    assert (count.events, count.seals, count.unsealed) == (6, 2, 0)
    assert seal_events() == 0


def as_attacker(superuser: Any, statement: str) -> None:
    superuser.execute("SET session_replication_role = replica")
    superuser.execute(statement)


ATTACKS = {
    "altered": ("UPDATE audit_event SET actor = 'Nobody' WHERE id = {first}", "event {first}: its content"),
    "altered value": (
        'UPDATE audit_event SET after = after || \'{{"full_name": "Z"}}\' WHERE id = {first}',
        "event {first}: its content",
    ),
    "altered time": (
        "UPDATE audit_event SET at = at + interval '1 s' WHERE id = {first}",
        "event {first}: its content",
    ),
    "removed": (
        "DELETE FROM audit_event WHERE id = {first}",
        "seal {one} (events {first} to {third}): 1 of its 3 events",
    ),
    "last removed": ("DELETE FROM audit_event WHERE id = {last}", "seal {two} "),
    "all removed": ("DELETE FROM audit_event", "seal {one} (events {first} to {third}): 3 of its 3 events"),
    "re-ordered": (
        "UPDATE audit_event SET id = CASE id WHEN {first} THEN {third} + 1000 ELSE id END WHERE id = {first}",
        "event ",
    ),
    "slipped in": (
        "INSERT INTO audit_event SELECT (jsonb_populate_record(e, jsonb_build_object('id', {third} + 5000))).* "
        "FROM audit_event e WHERE id = {first};"
        "UPDATE audit_event e SET digest = sha256(convert_to(hilum_canonical(e), 'UTF8')) WHERE id = {third} + 5000",
        "event {forged}: it was slipped in",
    ),
    "altered with its digest": (
        "UPDATE audit_event e SET reason = 'forged';"
        "UPDATE audit_event e SET digest = sha256(convert_to(hilum_canonical(e), 'UTF8'))",
        "seal {one} ",
    ),
    "seal altered": ("UPDATE audit_seal SET events = 4 WHERE id = {one}", "seal {one} "),
    "seal removed": ("DELETE FROM audit_seal WHERE id = {one}", "seal {two} "),
}


@pytest.mark.req("AUD-05")
@pytest.mark.parametrize(("statement", "place"), ATTACKS.values(), ids=ATTACKS)
def test_an_alteration_is_found(statement: str, place: str, sealed: list[Seal], superuser: Any) -> None:
    one, two = sealed
    names = {
        "first": one.first_id,
        "third": one.last_id,
        "last": two.last_id,
        "forged": one.last_id + 5000,
        "one": one.pk,
        "two": two.pk,
    }
    as_attacker(superuser, statement.format(**names))
    assert any(fault.startswith(place.format(**names)) for fault in found()), found()
    with pytest.raises(CommandError, match="First broken place") as refusal:
        call_command("verify_trail")
    assert refusal.value.returncode == 1


@pytest.mark.req("AUD-05")
def test_verify_trail_says_what_it_saw(sealed: list[Seal], make_user: Callable[..., User]) -> None:
    make_user("gus")
    out = StringIO()
    call_command("verify_trail", stdout=out)
    assert out.getvalue() == "The trail is intact: 7 events, 2 seals, 1 events not sealed yet.\n"


@pytest.mark.req("AUD-05")
def test_the_nightly_check_raises_the_alarm(
    sealed: list[Seal], superuser: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tasks.verify()
    assert not caplog.records
    as_attacker(superuser, "UPDATE audit_event SET actor = 'Nobody'")
    tasks.verify()
    assert caplog.records[0].levelname == "CRITICAL"


@pytest.mark.req("AUD-06")
def test_a_rebuilt_chain_does_not_fit_the_anchor(sealed: list[Seal], superuser: Any) -> None:
    anchor_newest_seal()
    assert list(anchor_faults(read_anchors())) == []
    as_attacker(superuser, "UPDATE audit_event SET reason = 'forged'")
    superuser.execute("UPDATE audit_event e SET digest = sha256(convert_to(hilum_canonical(e), 'UTF8'))")
    superuser.execute("DELETE FROM audit_seal; SELECT setval('audit_seal_id_seq', %s, false)", [sealed[1].pk])
    seal_everything()
    assert found() == []
    assert "anchored outside" in str(next(anchor_faults(read_anchors())))
    with pytest.raises(CommandError, match="anchored outside"):
        call_command("verify_trail")


@pytest.mark.req("AUD-06")
def test_anchors_kept_elsewhere_are_compared(sealed: list[Seal], tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(f'{{"seal": {sealed[0].pk}, "digest": "{"0" * 64}"}}')
    with pytest.raises(CommandError, match=f"seal {sealed[0].pk}"):
        call_command("verify_trail", anchors=tmp_path)


@pytest.mark.req("AUD-05")
def test_a_late_commit_is_not_missed(
    transactional_db: None, make_user: Callable[..., User], actor: Actor
) -> None:
    """What a transaction wrote before a sealing, and committed after it, is sealed next time."""
    seal_everything()
    with acting(actor):
        User.objects.filter(username="somebody").update(full_name="Early")
        sealed_meanwhile = _in_another_thread(lambda: (make_user("late"), seal_events())[1])
    assert sealed_meanwhile == 0  # the early one still runs, so nothing after it may be sealed
    assert seal_everything() == 2
    assert found() == []


@pytest.mark.req("AUD-05")
def test_sealing_goes_on_while_others_write(transactional_db: None) -> None:
    def write(number: int) -> None:
        for step in range(15):
            with acting(Actor(id=number, name=f"Writer {number}")):
                User.objects.create(username=f"u{number}-{step}", full_name="x")
        connections.close_all()

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seal_events()
    for thread in threads:
        thread.join()
    seal_everything()
    count = Count()
    assert list(faults(count)) == []
    assert (count.events, count.unsealed) == (Event.objects.count(), 0)
    assert sum(Seal.objects.values_list("events", flat=True)) == count.events


@pytest.mark.req("AUD-05")
def test_a_restored_database_is_sealed_on(
    sealed: list[Seal], superuser: Any, make_user: Callable[..., User]
) -> None:
    """A new cluster counts its transactions from the start; here the old ones are moved into the future instead."""
    make_user("unsealed-in-the-dump")
    as_attacker(superuser, "UPDATE audit_event SET transaction_id = transaction_id + 1000000000")
    superuser.execute(
        "UPDATE audit_seal SET until_transaction = until_transaction + 1000000000,"
        " from_transaction = CASE from_transaction WHEN 0 THEN 0 ELSE from_transaction + 1000000000 END"
    )
    _seal_again_as_if_it_had_been_so(superuser)
    assert found() == []
    make_user("new")
    assert found() == []
    assert seal_events() == 1  # what came unsealed with the dump
    assert seal_everything() == 1
    make_user("newer")
    assert seal_everything() == 1
    count = Count()
    assert list(faults(count)) == []
    assert (count.events, count.unsealed, count.seals) == (9, 0, 5)
    as_attacker(superuser, "DELETE FROM audit_event WHERE id = (SELECT max(id) FROM audit_event)")
    assert len(found()) == 1


def _seal_again_as_if_it_had_been_so(superuser: Any) -> None:
    superuser.execute("UPDATE audit_event e SET digest = sha256(convert_to(hilum_canonical(e), 'UTF8'))")
    superuser.execute("SELECT id FROM audit_seal ORDER BY id")
    for (number,) in superuser.fetchall():
        superuser.execute(
            """UPDATE audit_seal s SET
                 previous = coalesce(
                   (SELECT digest FROM audit_seal p WHERE p.id < s.id ORDER BY p.id DESC LIMIT 1), s.previous)
               WHERE id = %(n)s;
               UPDATE audit_seal s SET digest = sha256(previous || convert_to(format('%%s %%s %%s %%s %%s %%s',
                 after_id, from_transaction, until_transaction, first_id, last_id, events), 'UTF8')
                 || (SELECT string_agg(digest, NULL ORDER BY id) FROM audit_event
                     WHERE id BETWEEN s.first_id AND s.last_id))
               WHERE id = %(n)s""",
            {"n": number},
        )


def _in_another_thread(work: Callable[[], Any]) -> Any:
    results: list[Any] = []

    def run_it() -> None:
        results.append(work())
        connections.close_all()

    thread = Thread(target=run_it)
    thread.start()
    thread.join()
    return results[0]
