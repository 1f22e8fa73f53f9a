"""Edit access is withdrawn before a data cut: everybody keeps reading, nobody writes, and it is given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts import services
from accounts.access import Access, RoleGrant, Stop
from accounts.errors import (
    EditAccessReasonMissing,
    EditAccessStopEnded,
    EditAccessStopped,
    EditAccessWithdrawn,
    WritingStopped,
)
from accounts.models import EditStop
from accounts.policies import BLINDED, PERMISSIONS, ROLES, WRITES
from accounts.selectors import access_of
from audit.context import acting
from audit.models import Event
from casebook.services import open_entry, raise_query
from foundation.clock import now
from tests.casebook.signing_case import Case
from tests.cast import SETUP, Cast

pytestmark = [pytest.mark.django_db, pytest.mark.req("LCK-05")]

STAYS = {
    "subject.view", "entry.view", "verification.view", "check.yield", "laboratory.view", "laboratory.write",
    "delegation.view",
    "delegation.keep", "eligibility.view", "treatment.view", "image.view", "read.open", "read.oversee", "qol.view",
    "safety.view", "report.view", "export.run", "protocol.approve", "edit.stop", "trial.admin", "user.admin",
    "audit.view", "trail.export",
}  # fmt: skip


EDITORS = frozenset().union(*(PERMISSIONS[permission] for permission in WRITES))


def test_each_permission_writes_or_stays() -> None:
    assert PERMISSIONS.keys() == WRITES | STAYS
    assert not WRITES & STAYS


@pytest.mark.parametrize("role", ROLES)
def test_whatever_writes_ends_at_the_place_and_whatever_reads_stays(role: str) -> None:
    trial = "" if role == "admin" else "TDX"
    stop = Stop("TDX", "NO-01", now(), "Data cut")
    free = Access(1, "Ada", (RoleGrant(role, trial, ""),))
    bound = Access(1, "Ada", (RoleGrant(role, trial, ""),), stops=(stop,))
    for permission in PERMISSIONS:
        held = free.may(permission, "TDX", "NO-01")
        assert bound.may(permission, "TDX", "NO-01") == (held and permission not in WRITES)
        assert bound.may(permission, "TDX", "NO-02") == free.may(permission, "TDX", "NO-02")
        assert bound.may(permission, "EXC", "NO-01") == free.may(permission, "EXC", "NO-01")
        assert bound.may(permission, "TDX") == free.may(permission, "TDX")
        if held and permission in WRITES:
            told = r"TDX at NO-01 was withdrawn on .*: Data cut"
            blinded = role in BLINDED
            with pytest.raises(
                WritingStopped if blinded else EditAccessWithdrawn, match=None if blinded else told
            ):
                bound.require(permission, "TDX", "NO-01")
    assert bool(bound.withdrawn) == (role in EDITORS - BLINDED)


def test_who_reads_blinded_in_one_trial_is_told_of_the_other() -> None:
    roles = (RoleGrant("radiologist", "TDX", ""), RoleGrant("coordinator", "EXC", "NO-01"))
    stops = (Stop("TDX", "NO-01", now(), "Data cut"), Stop("EXC", "NO-01", now(), "Data cut"))
    access = Access(1, "Ada", roles, stops=stops)
    assert [stop.trial for stop in access.withdrawn] == ["EXC"]


def test_it_is_withdrawn_from_a_moment_on_and_given_back_with_a_reason(cast: Cast) -> None:
    manager, admin = cast.actor("datamanager"), cast.actor("admin")
    with pytest.raises(EditAccessReasonMissing):
        services.withdraw_edit_access(actor=manager, trial="EXCALIBUR", reason="")
    stop = services.withdraw_edit_access(
        actor=manager, trial="EXCALIBUR", reason="Data cut", starts=now() + timedelta(hours=1)
    )
    with pytest.raises(EditAccessStopped, match="EXCALIBUR is withdrawn already"):
        services.withdraw_edit_access(actor=admin, trial="EXCALIBUR", reason="Data cut")
    user = cast.people["coordinator"]
    assert access_of(user).may("entry.write", "EXCALIBUR", "NO-01")
    services.give_edit_access_back(actor=admin, stop=stop, reason="Wrong day")
    with pytest.raises(EditAccessStopEnded):
        services.give_edit_access_back(actor=admin, stop=stop, reason="Again")
    services.withdraw_edit_access(actor=manager, trial="EXCALIBUR", reason="Data cut")
    assert not access_of(user).may("entry.write", "EXCALIBUR", "NO-01")
    assert access_of(user).may("entry.write", "THERMODOX", "NO-01")
    told = Event.objects.filter(table_name="accounts_editstop").order_by("id")
    assert [event.reason for event in told] == ["Data cut", "Wrong day", "Data cut"]
    with pytest.raises(IntegrityError, match="stays known"), transaction.atomic(), acting(manager):
        EditStop.objects.update(reason="Something else")


def test_the_database_refuses_a_person_and_lets_a_patient_answer(cast: Cast) -> None:
    """Nothing depends on a service asking first."""
    case = Case(cast)
    entry = case.form(complete=False)
    stop = services.withdraw_edit_access(
        actor=cast.actor("datamanager"), trial=case.subject.trial.code, site="NO-01", reason="Data cut"
    )
    acts: list[Callable[[], object]] = [
        lambda: case.save(entry, "HGB", "9.9", "g/dL"),
        lambda: raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Really?"),
        cast.subject,
    ]
    for act in acts:
        with pytest.raises(EditAccessWithdrawn, match="Edit access to EXCALIBUR at NO-01 was withdrawn"):
            act()
    open_entry(actor=SETUP, subject=case.subject, visit=None, form="AE")
    services.give_edit_access_back(actor=cast.actor("admin"), stop=stop, reason="The cut is made")
    case.save(entry, "HGB", "9.9", "g/dL")


def test_those_concerned_see_it_on_every_page_and_nobody_else(cast: Cast) -> None:
    services.withdraw_edit_access(
        actor=cast.actor("datamanager"), trial="EXCALIBUR", site="NO-01", reason="Data cut"
    )
    said = "Edit access to EXCALIBUR at NO-01 was withdrawn"
    assert said in cast.client("coordinator").get("/subjects/").content.decode()
    assert said in cast.client("monitor").get("/queries/").content.decode()
    for stranger in ("coordinator2", "sponsor", "outsider"):
        assert said not in cast.client(stranger).get("/today/").content.decode()


def test_an_administrator_and_a_data_manager_do_it_on_a_page(cast: Cast) -> None:
    client = cast.client("admin")
    sent = {"place": "EXCALIBUR/", "reason": "Data cut", "starts": ""}
    assert client.post("/editing/", {**sent, "reason": ""}).status_code == 422
    past = client.post("/editing/", {**sent, "starts": "2020-01-01T00:00"})
    assert (past.status_code, "This is past" in past.content.decode()) == (422, True)
    assert client.post("/editing/", sent).status_code == 302
    stop = EditStop.objects.get()
    manager = cast.client("datamanager")
    assert "Data cut" in manager.get("/editing/").content.decode()
    assert manager.post(f"/editing/{stop.pk}/give-back/", {"reason": "Made"}).status_code == 302
    stop.refresh_from_db()
    assert stop.resumed_by == cast.people["datamanager"]


def test_it_costs_no_statement_of_its_own(cast: Cast, statements: Callable[[], Any]) -> None:
    client = cast.client("coordinator")
    client.get("/subjects/")

    def cost() -> int:
        with statements() as done:
            client.get("/subjects/")
        return len(done.counted)

    before = cost()
    services.withdraw_edit_access(actor=cast.actor("datamanager"), trial="EXCALIBUR", reason="Data cut")
    assert cost() == before
