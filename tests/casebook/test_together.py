"""A form while it is open: drafts, colleagues, one reason for the rest, values confirmed from the visit before."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client

from accounts.middleware import BY_ITSELF, SEEN
from audit.context import acting
from audit.models import Event
from casebook import services
from casebook.errors import EarlierValueError, EntryCompleteError, NothingOpenError
from casebook.models import Draft, Entry, EntryState, Query
from casebook.rules.cells import Typed
from casebook.selectors import entries
from casebook.tickets import ticket_for
from foundation import clock
from patients.models import Subject
from tests.cast import SETUP, Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_is_here() -> None:
    caches["presence"].clear()


def opened(cast: Cast, subject: Subject, form: str, visit: str = "SCR") -> Entry:
    at = Visit.objects.get(subject=subject, code=visit)
    return services.open_entry(actor=cast.actor(), subject=subject, visit=at, form=form)


def save(cast: Cast, entry: Entry, item: str, *typed: str, **more: Any) -> services.SaveResult:
    return services.save_item(actor=cast.actor(), entry=entry, item_id=item, typed=Typed(*typed), **more)


def address(subject: Subject, form: str = "LB", visit: str = "SCR") -> str:
    return f"/subjects/{subject.number}/{visit}/{form}/"


def keep(client: Client, where: str, items: dict[str, dict[str, str]]) -> int:
    return client.post(f"{where}draft/", {"items": json.dumps(items)}).status_code


# ---- what a browser sends again


def test_a_save_that_is_sent_again_is_done_once(cast: Cast) -> None:
    subject = cast.subject()
    where, client, number = f"{address(subject)}save/", cast.client("coordinator"), "a1b2c3d4e5f6"
    sent = {"item": "HGB", "value": "12.4", "unit": "g/dL", "expected": "{}"}
    client.post(where, sent, headers={"X-Request-ID": number})
    colleague = entries().get(subject=subject, form="LB")
    save(cast, colleague, "HGB", "12.9", "g/dL")
    before = Event.objects.count()
    again = client.post(where, {**sent, "again": number}, headers={"X-Request-ID": number})
    assert again.status_code == 200
    assert "12.9" in again.content.decode()  # what a colleague saved since is not undone
    assert Event.objects.count() == before


def test_a_value_corrected_before_the_answer_came_is_no_conflict_with_oneself(cast: Cast) -> None:
    subject = cast.subject()
    where, client = f"{address(subject)}save/", cast.client("coordinator")
    sent = {"item": "HGB", "value": "12.4", "unit": "g/dL", "expected": "{}"}
    client.post(where, sent, headers={"X-Request-ID": "first-one"})
    corrected = client.post(
        where, {**sent, "value": "12.5", "again": "first-one"}, headers={"X-Request-ID": "second-one"}
    )
    assert corrected.status_code == 200
    assert entries().get(subject=subject, form="LB").values["HGB"]["value"] == "12.5"


def test_somebody_else_in_between_is_still_a_conflict_and_is_named(cast: Cast) -> None:
    subject = cast.subject()
    where, client = f"{address(subject)}save/", cast.client("investigator")
    sent = {"item": "HGB", "value": "12.4", "unit": "g/dL", "expected": "{}"}
    client.post(where, sent, headers={"X-Request-ID": "first-one"})
    save(cast, entries().get(subject=subject, form="LB"), "HGB", "12.9", "g/dL")
    answer = client.post(where, {**sent, "value": "12.5", "again": "first-one"})
    assert answer.status_code == 409
    assert "Coordinator Person changed this at" in answer.content.decode()


def test_a_confirmation_and_a_new_row_that_are_sent_twice_count_once(cast: Cast) -> None:
    subject = cast.subject()
    entry = opened(cast, subject, "LB")
    save(cast, entry, "PLAT", "30", "10^9/L")
    for _ in range(2):
        services.confirm_finding(
            actor=cast.actor(), entry=entry, item_id="PLAT", check_id="LB-PLAT-01", reason="It is so"
        )
    assert entry.version == 2
    client, rows = cast.client("coordinator"), f"/subjects/{subject.number}/log/AE/"
    for _ in range(2):
        client.post(f"{rows}add/")
    assert Entry.objects.filter(subject=subject, form="AE").count() == 1


def test_a_question_that_is_sent_twice_is_asked_once(cast: Cast) -> None:
    subject = cast.subject()
    opened(cast, subject, "LB")
    client = cast.client("datamanager")
    for _ in range(2):
        client.post(f"{address(subject)}ask/", {"item": "HGB", "text": "Is the unit right?"})
    assert Query.objects.filter(subject=subject).count() == 1


# ---- messages


def test_an_impossible_value_has_one_message(cast: Cast) -> None:
    entry = opened(cast, cast.subject(), "LB")
    saved = save(cast, entry, "PLAT", "9999", "10^9/L")
    told = [finding for finding in saved.worked.picture.findings if finding.item == "PLAT"]
    assert [finding.level for finding in told] == ["stop"]


def test_a_missing_reason_can_be_typed(cast: Cast) -> None:
    entry = opened(cast, cast.subject(), "LB")
    save(cast, entry, "HGB", "nd")
    assert entries().get(pk=entry.pk).values["HGB"] == {"value": None, "missing": "ND"}


def test_a_date_of_two_readings_is_offered_in_words(cast: Cast) -> None:
    subject = cast.subject()
    answer = cast.client("coordinator").post(
        f"{address(subject)}save/", {"item": "LBDAT", "value": "03/04/25"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'data-pick="2025-04-03">03 Apr 2025<' in page
    assert 'data-pick="2025-03-04">04 Mar 2025<' in page


# ---- one reason for the rest


@pytest.mark.req("DAT-06")
def test_the_rest_gets_one_reason_in_one_event_and_is_emptied_again(cast: Cast) -> None:
    entry = opened(cast, cast.subject(), "LB")
    save(cast, entry, "HGB", "12.4", "g/dL")
    before = Event.objects.count()
    done = services.leave_blank(actor=cast.actor(), entry=entry, missing="ND")
    assert Event.objects.count() == before + 1
    assert "HGB" not in done.items
    assert done.saved.worked.picture.unanswered == ()
    assert again(entry).values["PLAT"] == {"value": None, "missing": "ND"}
    with pytest.raises(NothingOpenError):
        services.leave_blank(actor=cast.actor(), entry=entry, missing="ND")
    services.take_back_blanks(actor=cast.actor(), entry=entry, items=[*done.items, "HGB"])
    assert again(entry).values.keys() == {"HGB"}


def test_one_part_of_a_form_and_never_a_complete_one(cast: Cast) -> None:
    entry = opened(cast, cast.subject(), "VS")
    done = services.leave_blank(actor=cast.actor(), entry=entry, missing="NA", group=1)
    assert "WEIGHT" not in done.items
    assert "PULSE" in done.items
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.COMPLETE)
    with pytest.raises(EntryCompleteError):
        services.leave_blank(actor=cast.actor(), entry=again(entry), missing="NA")


def test_the_address_answers_with_rows_and_what_can_be_undone(cast: Cast) -> None:
    subject = cast.subject()
    client, where = cast.client("coordinator"), address(subject, "VS")
    answer = client.post(f"{where}blank/", {"missing": "ND", "group": ""}).json()
    assert "WEIGHT" in answer["undo"]
    assert "Not done" in answer["rows"]["WEIGHT"]
    back = client.post(f"{where}blank/undo/", {"item": answer["undo"]}).json()
    assert "missing-note" not in back["rows"]["WEIGHT"]


# ---- the visit before


def two_visits(cast: Cast) -> tuple[Entry, Entry]:
    subject = cast.subject()
    first, second = opened(cast, subject, "VS"), opened(cast, subject, "VS", "RAND")
    save(cast, first, "VSPOS", "SITTING")
    save(cast, first, "PULSE", "72")
    return first, second


def test_only_what_the_pack_allows_is_offered_and_nothing_is_stored(cast: Cast) -> None:
    first, second = two_visits(cast)
    offered = cast.client("coordinator").get(f"{address(second.subject, 'VS', 'RAND')}earlier/").json()
    assert offered["proposed"] == ["VSPOS"]
    assert 'data-origin="earlier"' in offered["rows"]["VSPOS"]
    assert "checked" not in offered["rows"]["VSPOS"]
    assert again(second).values == {}
    assert first.pk is not None


def test_a_confirmed_value_names_the_visit_in_the_trail(cast: Cast) -> None:
    first, second = two_visits(cast)
    answer = cast.client("coordinator").post(
        f"{address(second.subject, 'VS', 'RAND')}save/",
        {"item": "VSPOS", "value": "SITTING", "earlier": first.pk, "expected": "{}"},
    )
    assert answer.status_code == 200
    event = Event.objects.filter(table_name="casebook_entry").order_by("id").last()
    assert event is not None
    assert event.reason == "Confirmed from SCR"


@pytest.mark.parametrize(("item", "value"), [("PULSE", "72"), ("VSPOS", "SUPINE")])
def test_what_the_visit_before_does_not_hold_or_may_not_give_is_refused(
    cast: Cast, item: str, value: str
) -> None:
    first, second = two_visits(cast)
    with pytest.raises(EarlierValueError):
        services.save_carried(
            actor=cast.actor(), entry=second, item_id=item, typed=Typed(value), source_id=first.pk
        )


# ---- drafts


@pytest.mark.req("SES-01")
def test_a_draft_is_offered_to_the_same_person_only_and_never_applied(cast: Cast) -> None:
    subject = cast.subject()
    where = address(subject)
    assert keep(cast.client("coordinator"), where, {"HGB": {"value": "12,x", "unit": "g/dL"}}) == 204
    mine = cast.client("coordinator").get(where).content.decode()
    assert "You typed 1 value here" in mine
    assert "12,x" in mine
    assert "12,x" not in cast.client("investigator").get(where).content.decode()
    assert not Entry.objects.filter(subject=subject, form="LB").exists()


@pytest.mark.req("SES-01")
def test_a_draft_is_unreadable_in_the_database_and_in_the_trail(cast: Cast) -> None:
    subject = cast.subject()
    keep(cast.client("coordinator"), address(subject), {"HGB": {"value": "SECRETVALUE"}})
    assert "SECRETVALUE" not in Draft.objects.get().sealed
    events = Event.objects.filter(table_name="casebook_draft")
    assert events.exists()
    assert Draft.objects.get().sealed not in str([(event.before, event.after) for event in events])


def test_a_draft_ends_when_it_is_saved_old_or_thrown_away(cast: Cast) -> None:
    subject = cast.subject()
    client, where = cast.client("coordinator"), address(subject)
    keep(client, where, {"HGB": {"value": "12.4", "unit": "g/dL"}})
    client.post(f"{where}save/", {"item": "HGB", "value": "12.4", "unit": "g/dL"})
    assert "You typed" not in client.get(where).content.decode()
    keep(client, where, {"PLAT": {"value": "1"}})
    with acting(SETUP):
        Draft.objects.update(at=clock.now() - services.drafts.KEPT_FOR - timedelta(minutes=1))
    assert "You typed" not in client.get(where).content.decode()
    services.forget_old_drafts()
    assert not Draft.objects.exists()
    keep(client, where, {"PLAT": {"value": "1"}})
    keep(client, where, {})
    assert not Draft.objects.exists()


@pytest.mark.parametrize("sent", ["[1]", "no json", '{"HGB": 1}'])
def test_what_is_no_draft_is_refused(cast: Cast, sent: str) -> None:
    answer = cast.client("coordinator").post(f"{address(cast.subject())}draft/", {"items": sent})
    assert answer.status_code == 422


# ---- others in the same form


def test_a_look_at_an_unchanged_form_costs_one_statement_of_its_own(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    subject = cast.subject()
    entry = opened(cast, subject, "LB")
    client, where = cast.client("coordinator"), f"{address(subject)}live/"
    client.get(where)
    with statements() as nothing:
        client.get("/static-nothing/")
    with statements() as done:
        assert client.get(where, {"seen": entry.version, "with": ""}).status_code == 204
    own = [sql for sql in done.counted if "casebook_" in str(sql)]
    assert len(own) == 1, done.counted
    assert len(done.counted) <= len(nothing.counted) + 4


def test_who_else_is_there_and_what_they_saved(cast: Cast) -> None:
    subject = cast.subject()
    entry = opened(cast, subject, "LB")
    where = f"{address(subject)}live/"
    mine, theirs = cast.client("coordinator"), cast.client("investigator")
    mine.get(where, {"seen": 0})
    assert theirs.get(where, {"seen": 0}).json() == {"version": 0, "others": "Coordinator Person"}
    save(cast, entry, "HGB", "12.4", "g/dL")
    news = theirs.get(where, {"seen": 0, "with": "Coordinator Person"}).json()
    assert news["version"] == 1
    assert 'value="12.4"' in news["rows"]["HGB"]


@pytest.mark.req("SES-01")
def test_a_look_by_itself_does_not_prolong_the_session(cast: Cast) -> None:
    client = cast.client("coordinator")
    where = f"{address(cast.subject())}live/"
    client.get(where)
    session = client.session
    session[SEEN] = (clock.now() - timedelta(minutes=10)).isoformat()
    session.save()
    client.get(where, headers={BY_ITSELF: "1"})
    assert client.session[SEEN] == session[SEEN]
    client.get(where)
    assert client.session[SEEN] > session[SEEN]


def again(entry: Entry) -> Entry:
    return entries().get(pk=entry.pk)


# ---- earlier values beside an item


def test_earlier_values_are_drawn_in_one_unit_with_dates_and_as_a_table(cast: Cast) -> None:
    subject = cast.subject()
    first, second = opened(cast, subject, "LB"), opened(cast, subject, "LB", "RAND")
    with acting(SETUP):
        Visit.objects.filter(pk=first.visit_id).update(happened_on="2025-03-12", state="DONE")
    save(cast, first, "HGB", "124", "g/L")
    save(cast, second, "HGB", "13.1", "g/dL", "11.5", "16")
    panel = cast.client("coordinator").get(f"{address(subject, 'LB', 'RAND')}item/HGB/").content.decode()
    assert "Earlier values, g/dL" in panel
    assert "<td>12 Mar 2025</td><td>124 g/L</td><td>12.4</td>" in panel
    assert 'class="reference"' in panel
    one = cast.client("coordinator").get(f"{address(subject)}item/HGB/").content.decode()
    assert "Earlier values" not in one  # what came later is not earlier


# ---- two people on one field


def test_the_value_of_a_colleague_is_replaced_with_a_reason_only(cast: Cast) -> None:
    subject = cast.subject()
    entry = opened(cast, subject, "LB")
    save(cast, entry, "HGB", "12.9", "g/dL")
    where, client = f"{address(subject)}save/", cast.client("investigator")
    stood = json.dumps(entry.values["HGB"])
    sent = {"item": "HGB", "value": "12.4", "unit": "g/dL", "expected": stood, "confirm": "conflict"}
    asked = client.post(where, sent)
    assert asked.status_code == 428
    assert "Somebody else recorded this meanwhile" in asked.content.decode()
    assert entries().get(pk=entry.pk).values["HGB"]["value"] == "12.9"
    assert client.post(where, {**sent, "reason": "SOURCE"}).status_code == 200
    event = Event.objects.filter(table_name="casebook_entry").latest("id")
    assert event.reason == "The source was corrected"


# ---- after the session


def test_a_ticket_keeps_what_its_person_types_and_nothing_else(cast: Cast) -> None:
    subject = cast.subject()
    person = cast.people["coordinator"]
    ticket = ticket_for(person, (subject.number, "SCR", "LB", 1))
    sent = {"items": json.dumps({"HGB": {"value": "12.4"}}), "ticket": ticket}
    client = Client(enforce_csrf_checks=True)
    assert client.post("/drafts/", {**sent, "ticket": f"{ticket}x"}).status_code == 422
    assert not Draft.objects.exists()
    assert client.post("/drafts/", sent).status_code == 204
    kept = services.draft_of(person.pk, Entry(subject=subject, visit=screening(subject), form="LB"))
    assert kept is not None
    assert kept.items == {"HGB": {"value": "12.4"}}
    assert not Entry.objects.filter(subject=subject).exists()


@pytest.mark.parametrize("ended", ["password", "account", "rights", "time"])
def test_a_ticket_ends_with_what_it_stands_for(cast: Cast, ended: str) -> None:
    subject = cast.subject()
    person = cast.people["coordinator"]
    ticket = ticket_for(person, (subject.number, "SCR", "LB", 1))
    sent = {"items": json.dumps({"HGB": {"value": "12.4"}}), "ticket": ticket}
    with acting(SETUP):
        if ended == "password":
            person.set_password("another long one")
        person.is_active = ended != "account"
        person.save()
        if ended == "rights":
            person.grants.update(role="monitor")
    with time_machine.travel(clock.now() + timedelta(hours=73 if ended == "time" else 0), tick=True):
        assert Client().post("/drafts/", sent).status_code in {403, 404, 422}
    assert not Draft.objects.exists()


def screening(subject: Subject) -> Visit:
    return Visit.objects.get(subject=subject, code="SCR")
