"""A lock keeps what was locked, and the records of that moment say the same at any later time."""

from __future__ import annotations

import pytest

from audit.context import Actor
from audit.models import Event
from audit.moment import standing_at
from casebook.models import Closure, Entry
from casebook.records import record_of
from casebook.services import states
from patients.selectors import get_subject_by_key
from reports.copies import make_paper
from tests.casebook.signing_case import Case
from tests.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.req("LCK-04")]


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


@pytest.fixture
def closure(case: Case) -> Closure:
    """A casebook that was signed and locked."""
    case.whole_visit()
    for what in ("visit", "casebook"):
        case.sign(case.key(what))
    manager: Actor = case.cast.actor("datamanager")
    states.lock(actor=manager, scope=case.scope())
    return Closure.objects.get(visit=None)


def test_a_lock_keeps_every_form_with_its_digest_and_the_head_of_the_trail(
    case: Case, closure: Closure
) -> None:
    record = record_of(case.subject, case.key("casebook"))
    assert record is not None
    assert closure.manifest == record.manifest
    assert len(closure.manifest) == len(record.parts) > 1
    assert closure.digest == record.digest
    locked = Event.objects.filter(table_name="casebook_entry", id__lte=closure.trail_head).latest("id")
    assert locked.after is not None
    assert locked.after["locked"] is True


def test_what_was_locked_is_made_again_after_it_was_opened_and_changed(case: Case, closure: Closure) -> None:
    before = make_paper(case.subject.pk, closure.made_at, made_for="Monitor Person")
    asked = states.ask_unlock(
        actor=case.cast.actor("datamanager"), scope=case.scope(), reason="New data", hours=48
    )
    states.approve_unlock(actor=case.cast.actor("monitor"), unlock=asked)
    case.save(
        Entry.objects.get(subject=case.subject, form="LB"), "HGB", "9.9", "g/dL", "Misread in the source"
    )

    now = record_of(get_subject_by_key(case.subject.pk), case.key("casebook"))
    with standing_at(case.subject.pk, closure.made_at):
        then = record_of(get_subject_by_key(case.subject.pk), case.key("casebook"))
    assert now is not None
    assert then is not None
    assert now.digest != closure.digest
    assert (then.digest, then.manifest) == (closure.digest, closure.manifest)
    assert make_paper(case.subject.pk, closure.made_at, made_for="Somebody else").sha256 == before.sha256


def test_the_page_leads_to_the_casebook_as_it_was_locked(case: Case, closure: Closure) -> None:
    client = case.cast.client("monitor")
    page = client.get(f"/subjects/{case.subject.number}/signatures/").content.decode()
    assert closure.digest in page
    assert f"trail up to {closure.trail_head}" in page
    address = page.split('">Casebook as it was locked')[0].split('href="')[-1]
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-SHA-256"] == (
        make_paper(case.subject.pk, closure.made_at, made_for="x").sha256
    )
