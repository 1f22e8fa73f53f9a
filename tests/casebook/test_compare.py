"""Two moments side by side: what was entered, changed and asked between them, by whom and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from casebook import services
from casebook.models import Entry
from casebook.pages.compare import compare
from casebook.rules.cells import Typed
from casebook.rules.difference import Step, difference
from casebook.rules.moment import moment_in_addresses
from casebook.services import states
from foundation import clock
from patients.models import Subject
from tests.audit.conftest import moment_of_the_database
from tests.casebook.signing_case import Case
from tests.cast import Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def corrected(cast: Cast) -> tuple[Subject, datetime]:
    """A haemoglobin that was there before a moment, and what happened afterwards."""
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    save(cast, entry, "HGB", "21.0")
    since = moment_of_the_database()
    save(cast, entry, "HGB", "21.5", "typing mistake")
    save(cast, entry, "HGB", "12.0", "digits swapped")
    save(cast, entry, "ALB", "41", unit="g/L")
    services.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Really so low?")
    return subject, since


def save(cast: Cast, entry: Entry, item: str, value: str, reason: str = "", unit: str = "g/dL") -> None:
    services.save_item(actor=cast.actor(), entry=entry, item_id=item, typed=Typed(value, unit), reason=reason)


def test_changes_of_one_value_are_joined() -> None:
    now = clock.now()
    found = difference(Step(now, "A", "", "", old, new) for old, new in ((1, 2), (2, 3), (3, 1)))
    assert (found.old, found.new, len(found.steps), found.undone) == (1, 1, 3, True)


def test_corrections_entries_and_queries_are_told_apart(corrected: tuple[Subject, datetime]) -> None:
    subject, since = corrected
    compared = compare(subject, since, moment_of_the_database())
    (form,) = compared.forms
    (changed,) = [item for item in form.changed if item.label == "Haemoglobin"]
    assert (changed.difference.old, changed.difference.new) == ("21.0 g/dL", "12.0 g/dL")
    assert [step.reason for step in changed.difference.steps] == ["typing mistake", "digits swapped"]
    assert changed.url.endswith("#row-HGB")
    assert "Albumin" in [item.label for item in form.entered]
    assert any("Really so low?" in str(change.new) for each in compared.queries for change in each.changes)


@pytest.mark.req("AUD-12")
def test_states_of_many_forms_stand_together_and_signatures_are_told(cast: Cast) -> None:
    case = Case(cast)
    since = moment_of_the_database()
    case.whole_visit()
    case.sign(case.key("visit"))
    states.lock(actor=cast.actor("datamanager"), scope=case.scope(visit=case.visit), reason="Cleaned")
    compared = compare(case.subject, since, moment_of_the_database())
    forms = Entry.objects.filter(subject=case.subject).count()
    (locked,) = [each for each in compared.moved if each.label == "locked"]
    assert (locked.word, len(locked.forms), locked.step.reason) == ("yes", forms, "Cleaned")
    assert not any(each.label == "frozen" for each in compared.moved)
    assert not compared.corrected
    (signature,) = [each for each in compared.signatures if each.what.startswith("Signature")]
    assert signature.what == "Signature, visit SCR"
    assert {change.name: change.new for change in signature.changes}["meaning"] == "Approval"
    assert cast.client("monitor").get(signature.url).status_code == 200


def test_the_page_tells_old_and_new_and_offers_spans(cast: Cast, corrected: tuple[Subject, datetime]) -> None:
    subject, since = corrected
    address = f"/subjects/{subject.number}/compare/"
    page = cast.client("coordinator").get(address, {"from": moment_in_addresses(since)}).content.decode()
    assert '<del class="old">21.0 g/dL</del>' in page
    assert '<ins class="new">12.0 g/dL</ins>' in page
    assert "digits swapped" in page
    assert "Since my last change here" in page
    assert "Last 7 days" in page
    assert f"?as_of={moment_in_addresses(since)}" in page
    nothing = cast.client("coordinator").get(address, {"from": moment_in_addresses(moment_of_the_database())})
    assert "Nothing changed." in nothing.content.decode()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"from": "soon"}, "is not a moment"),
        ({"to": "2150-01-01"}, "is in the future"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "later than the second"),
    ],
)
def test_what_cannot_be_compared_is_said_at_its_place(cast: Cast, asked: dict[str, str], said: str) -> None:
    subject = cast.subject()
    answer = cast.client("monitor").get(f"/subjects/{subject.number}/compare/", asked)
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_it_costs_the_same_for_one_change_and_for_many(
    cast: Cast, corrected: tuple[Subject, datetime], statements: Callable[[], Any]
) -> None:
    subject, _since = corrected
    client, counted = cast.client("coordinator"), []
    address = f"/subjects/{subject.number}/compare/"
    client.get(address)
    for values in (("12.1",), ("12.2", "12.3", "12.4", "12.5")):
        for value in values:
            save(cast, Entry.objects.get(subject=subject, form="LB"), "HGB", value, "again")
        with statements() as done:
            assert client.get(address).status_code == 200
        counted.append(len(done.counted))
    assert counted[0] == counted[1]
    assert counted[1] <= 22
