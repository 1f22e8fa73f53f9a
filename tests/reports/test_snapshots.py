"""The lock of a site or a study keeps the data as they were locked, and the same bytes come out again later."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from accounts.models import User
from audit.context import acting
from audit.models import Event
from casebook.models import PlaceLock
from casebook.services import places, states
from foundation import clock
from reports.models import Export
from reports.services import make_export
from reports.snapshots import changed_snapshots, made_again
from tests.casebook.signing_case import Case, again
from tests.cast import SETUP, Cast
from tests.reports.test_exports import rows, unpacked

pytestmark = [pytest.mark.django_db, pytest.mark.req("LCK-04")]


@pytest.fixture
def case(cast: Cast) -> Case:
    """A site with one casebook, signed and locked."""
    case = Case(cast)
    case.whole_visit()
    for what in ("visit", "casebook"):
        case.sign(case.key(what))
    states.lock(actor=cast.actor("datamanager"), scope=case.scope())
    return case


@pytest.fixture
def lock(case: Case) -> PlaceLock:
    return places.lock_place(
        actor=case.cast.actor("datamanager"),
        trial=case.subject.trial,
        site=case.cast.home,
        reason="Database lock",
    )


@pytest.fixture
def snapshot(lock: PlaceLock) -> Export:
    made = Export.objects.get(lock=lock)
    make_export(made.pk)
    made.refresh_from_db()
    assert made.state == "DONE", made.problem
    return made


def test_it_holds_the_data_the_hashes_the_lock_and_the_head_of_the_trail(
    case: Case, lock: PlaceLock, snapshot: Export
) -> None:
    files = unpacked(snapshot)
    manifest = json.loads(files["manifest.json"])
    assert (manifest["lock"]["sha256"], manifest["lock"]["made_by"]) == (lock.digest, "Datamanager Person")
    assert manifest["trail"]["newest_event"] == lock.trail_head
    assert manifest["trail"]["sha256"] == bytes(Event.objects.get(pk=lock.trail_head).digest).hex()
    assert {each["name"] for each in manifest["files"]} == files.keys() - {"manifest.json"}
    [row] = rows(files["subjects.csv"])
    assert row["SUBJID"] == case.subject.number
    assert {row["LOCKED"] for row in rows(files["states.csv"])} == {"Y"}


def test_the_same_bytes_come_out_again_after_it_was_opened_and_changed(
    case: Case, lock: PlaceLock, snapshot: Export
) -> None:
    asked = places.ask_place_unlock(
        actor=case.cast.actor("datamanager"),
        trial=lock.trial,
        site=lock.site,
        reason="New data",
        hours=4,
    )
    places.approve_place_unlock(actor=case.cast.actor("monitor"), unlock=asked)
    opened = states.ask_unlock(
        actor=case.cast.actor("datamanager"), scope=case.scope(), reason="New data", hours=4
    )
    states.approve_unlock(actor=case.cast.actor("monitor"), unlock=opened)
    entry = next(part.entry for part in case.record(case.key("casebook")).parts if part.entry.form == "LB")
    case.save(again(entry), "HGB", "9.9", "g/dL", "Misread in the source")
    case.cast.subject("EXCALIBUR")
    with acting(SETUP, reason="Married"):
        User.objects.filter(pk=case.cast.people["datamanager"].pk).update(full_name="Another Name")
    assert made_again(PlaceLock.objects.select_related("trial", "site").get(pk=lock.pk)) == snapshot.sha256


def test_it_can_neither_be_changed_nor_deleted(snapshot: Export) -> None:
    for change in ({"sha256": "0" * 64}, {"state": "WAITING"}, {"lock": None}):
        with pytest.raises(IntegrityError), acting(SETUP), transaction.atomic():
            Export.objects.filter(pk=snapshot.pk).update(**change)
    with pytest.raises(IntegrityError), acting(SETUP), transaction.atomic():
        Export.objects.filter(pk=snapshot.pk).delete()
    make_export(snapshot.pk)
    assert Export.objects.get(pk=snapshot.pk).sha256 == snapshot.sha256


def test_a_file_that_is_not_the_one_that_was_made_is_found(snapshot: Export) -> None:
    assert list(changed_snapshots()) == []
    default_storage.delete(snapshot.file)
    assert list(changed_snapshots()) == [f"snapshot of lock {snapshot.lock_id}: its file is gone"]
    default_storage.save(snapshot.file, ContentFile(b"something else"))
    assert "is not what was made" in next(changed_snapshots())


def test_the_pages_lead_to_it_and_sponsor_and_data_manager_take_it_away(
    case: Case, lock: PlaceLock, snapshot: Export
) -> None:
    for who in ("sponsor", "datamanager"):
        client = case.cast.client(who)
        page = client.get(f"/locks/{lock.pk}/")
        if page.status_code == 200:
            assert f"/exports/lock/{lock.pk}/" in page.content.decode()
        assert client.get(f"/exports/lock/{lock.pk}/")["Location"] == f"/exports/{snapshot.pk}/"
        shown = client.get(f"/exports/{snapshot.pk}/").content.decode()
        assert lock.digest in shown
        assert client.get(f"/exports/{snapshot.pk}/file/").status_code == 200
        assert "snapshot of the lock" in client.get("/exports/").content.decode()
    for who in ("coordinator", "monitor", "outsider"):
        assert case.cast.client(who).get(f"/exports/lock/{lock.pk}/").status_code == 404


def test_its_progress_is_seen_while_a_worker_makes_it(case: Case, lock: PlaceLock) -> None:
    made = Export.objects.get(lock=lock)
    client = case.cast.client("sponsor")
    assert "data-url=" in client.get(f"/exports/{made.pk}/").content.decode()
    assert client.get(f"/exports/{made.pk}/status/").json()["state"] == "waiting"
    assert made.as_of == lock.made_at < clock.now() + timedelta(seconds=1)


def test_a_study_that_is_locked_has_one_too(case: Case, lock: PlaceLock) -> None:
    manager = case.cast.actor("datamanager")
    places.lock_place(actor=manager, trial=lock.trial, site=case.cast.away, reason="Nobody was screened")
    whole = places.lock_place(actor=manager, trial=lock.trial, site=None, reason="Database lock")
    made = Export.objects.get(lock=whole)
    make_export(made.pk)
    made.refresh_from_db()
    assert made.state == "DONE", made.problem
    assert made.manifest["site"] is None
    assert made_again(whole) == made.sha256
