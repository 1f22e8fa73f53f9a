"""Pages of the casebook: the same number of statements whatever the size, and what they must say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit.context import acting
from casebook import services
from casebook.models import Entry
from casebook.rules.cells import Typed
from casebook.rules.status import planned_forms
from foundation import clock
from patients.models import Subject
from tests.cast import SETUP, Cast
from visits.models import Visit
from visits.services import add_unscheduled_visit, plan_visits_for

pytestmark = pytest.mark.django_db


def fill(subject: Subject) -> None:
    """Every form of every visit, opened and half entered."""
    protocol = subject.version.protocol
    with acting(SETUP):
        Entry.objects.bulk_create(
            Entry(subject=subject, visit=visit, form=form, state="IN_PROGRESS", values={})
            for visit in Visit.objects.filter(subject=subject)
            for form in planned_forms(protocol, visit.code)
        )


@pytest.mark.parametrize("trial", ["EXCALIBUR", "THERMODOX"])
@pytest.mark.parametrize("address", ["", "SCR/LB/", "eligibility/"])
def test_a_page_costs_the_same_for_an_empty_and_for_a_full_casebook(
    cast: Cast, statements: Callable[[], Any], trial: str, address: str
) -> None:
    empty, full = cast.subject(trial), cast.subject(trial)
    anchor = clock.today() - timedelta(days=300)
    plan_visits_for(actor=cast.actor(), subject=full, anchors={"PROCEDURES": [anchor]})
    fill(full)
    lab = Visit.objects.get(subject=empty, code="SCR")
    services.open_entry(actor=cast.actor(), subject=empty, visit=lab, form="LB")
    client = cast.client("coordinator")
    client.get("/subjects/")
    counted = []
    for subject in (empty, full):
        with statements() as done:
            assert client.get(f"/subjects/{subject.number}/{address}").status_code == 200
        counted.append(len(done.counted))
    assert counted[0] == counted[1]
    assert counted[1] <= 14


def test_the_whole_request_of_a_save_costs_few_statements(cast: Cast, statements: Callable[[], Any]) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    client = cast.client("coordinator")
    address = f"/subjects/{subject.number}/SCR/LB/save/"
    client.post(address, {"item": "PLAT", "value": "188", "unit": "10^9/L"})
    with statements() as done:
        answer = client.post(address, {"item": "HGB", "value": "12.4", "unit": "g/dL"})
    assert answer.status_code == 200
    assert len(done.counted) <= 7, done.counted


def test_the_list_of_subjects_costs_the_same_for_two_and_for_twenty(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    client = cast.client("coordinator")
    for _ in range(2):
        cast.subject()
    client.get("/subjects/")
    with statements() as two:
        client.get("/subjects/")
    for _ in range(8):
        cast.subject()
    with statements() as ten:
        client.get("/subjects/")
    assert len(two.counted) == len(ten.counted)


def test_an_unscheduled_visit_appears_when_it_happened_and_takes_forms(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    client = cast.client("coordinator")
    assert "Unscheduled visit 1" not in client.get(f"/subjects/{subject.number}/").content.decode()
    add_unscheduled_visit(actor=cast.actor(), subject=subject, happened_on=clock.today())
    assert "Unscheduled visit 1" in client.get(f"/subjects/{subject.number}/").content.decode()


def test_a_row_struck_out_stays_readable_and_no_longer_counts(cast: Cast) -> None:
    subject = cast.subject()
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=None, form="AE")
    services.save_item(actor=cast.actor(), entry=entry, item_id="AETERM", typed=Typed("Fever"))
    address = f"/subjects/{subject.number}/log/AE/"
    client = cast.client("coordinator")
    assert (
        client.post(f"{address}strike-out/", {"reason": "Entered for the wrong subject"}).status_code == 302
    )
    page = client.get(address).content.decode()
    assert "struck out" in page
    assert "Fever" in page
    assert client.post(f"{address}save/", {"item": "AETERM", "value": "Chills"}).status_code == 409


def test_a_monitor_verifies_and_a_later_change_is_told(cast: Cast) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    services.save_item(actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("12.4", "g/dL"))
    address = f"/subjects/{subject.number}/SCR/LB/"
    monitor = cast.client("monitor")
    assert monitor.post(f"{address}verify/", {"item": "HGB"}).status_code == 302
    assert "Verified" in monitor.get(f"{address}item/HGB/").content.decode()
    services.save_item(actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("12.9", "g/dL"))
    assert "Changed since verified" in monitor.get(f"{address}item/HGB/").content.decode()
    assert cast.client("coordinator").post(f"{address}verify/", {"item": "HGB"}).status_code in {403, 404}


def test_the_history_of_an_item_names_who_when_and_why(cast: Cast) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    for value in ("12.4", "13.4"):
        services.save_item(
            actor=cast.actor(),
            entry=entry,
            item_id="HGB",
            typed=Typed(value, "g/dL"),
            reason="Typing mistake",
        )
    panel = cast.client("monitor").get(f"/subjects/{subject.number}/SCR/LB/item/HGB/").content.decode()
    for words in ("12.4 g/dL", "13.4 g/dL", "Typing mistake", "Coordinator Person"):
        assert words in panel


@pytest.mark.parametrize(
    ("item", "was", "typed", "before", "now"),
    [
        ("PULSE", "66", "68,5", "66", "68.5"),
        ("WEIGHT", "71", "72", "71 kg", "72 kg"),
        ("VSDAT", "2026-03-01", "02mar26", "01 Mar 2026", "02 Mar 2026"),
        ("VSPOS", "SITTING", "SUPINE", "Sitting", "Lying"),
    ],
)
def test_a_change_of_a_complete_form_asks_why_and_shows_both_values(
    cast: Cast, item: str, was: str, typed: str, before: str, now: str
) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="VS")
    unit = "kg" if item == "WEIGHT" else ""
    services.save_item(actor=cast.actor(), entry=entry, item_id=item, typed=Typed(was, unit))
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state="COMPLETE")
    sent = {"item": item, "value": typed, **({"unit": unit} if unit else {})}
    client, address = cast.client("coordinator"), f"/subjects/{subject.number}/SCR/VS/save/"
    answer = client.post(address, sent)
    assert answer.status_code == 428
    for words in ("Why did this value change?", f"<b>{before}</b>", f"<b>{now}</b>"):
        assert words in answer.content.decode()
    saved = client.post(address, {**sent, "reason": "TYPO"})
    assert saved.status_code == 200


def test_a_frozen_form_says_that_it_is_and_who_can_open_it(cast: Cast) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="VS")
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state="COMPLETE", frozen=True)
    page = cast.client("coordinator").get(f"/subjects/{subject.number}/SCR/VS/").content.decode()
    assert "This form is frozen: no value can be changed. Ask the data manager" in page
    assert "data-complete" not in page


# ---- all rows in one table


EVENTS = (
    {"AETERM": "Nausea", "AESTDAT": "2025-03-12", "AETOXGR": "2"},
    {"AETERM": "Fever", "AESTDAT": "2025-02", "AETOXGR": "1"},
    {"AETERM": "Rash"},
)


def log_of_events(cast: Cast, subject: Subject, events: Sequence[Mapping[str, str]] = EVENTS) -> list[Entry]:
    rows = []
    for repeat, event in enumerate(events, start=1):
        entry = services.open_entry(actor=cast.actor(), subject=subject, visit=None, form="AE", repeat=repeat)
        for item, text in event.items():
            services.save_item(actor=cast.actor(), entry=entry, item_id=item, typed=Typed(text))
        rows.append(entry)
    return rows


def table(client: Client, subject: Subject, query: str = "") -> str:
    return client.get(f"/subjects/{subject.number}/log/AE/rows/{query}").content.decode()


def first_words(page: str) -> list[str]:
    return re.findall(r"data-line>([^<]+)<", page)


def test_a_log_shows_all_its_rows_in_one_table_and_struck_ones_as_such(cast: Cast) -> None:
    subject = cast.subject()
    rows = log_of_events(cast, subject)
    services.strike_out(actor=cast.actor(), entry=rows[2], reason="Entered twice")
    services.raise_query(actor=cast.actor("monitor"), entry=rows[0], item="AETERM", text="Really?")
    services.verify_entry(actor=cast.actor("monitor"), entry=rows[1])
    page = table(cast.client("coordinator"), subject)
    assert first_words(page) == ["Nausea", "Fever", "Rash"]
    assert "12 Mar 2025" in page
    assert page.count('class="struck"') == 1
    assert "Struck out" in page
    assert "2 rows" in page
    assert page.count("s-query-open") >= 1
    assert "Verified</span>" in page
    assert "Add a row" in page
    assert "Add a row" not in table(cast.client("monitor"), subject)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("?sort=AESTDAT", ["Fever", "Nausea", "Rash"]),
        ("?sort=-AESTDAT", ["Nausea", "Fever", "Rash"]),
        ("?sort=AETERM", ["Fever", "Nausea", "Rash"]),
        ("?sort=NOTHING", ["Nausea", "Fever", "Rash"]),
    ],
)
def test_a_table_is_sorted_by_a_column_and_what_is_unknown_comes_last(
    cast: Cast, query: str, order: list[str]
) -> None:
    subject = cast.subject()
    log_of_events(cast, subject)
    assert first_words(table(cast.client("coordinator"), subject, query)) == order


def test_a_table_costs_the_same_for_two_rows_and_for_twenty(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    few, many = cast.subject(), cast.subject()
    log_of_events(cast, few, EVENTS[:2])
    with acting(SETUP):
        Entry.objects.bulk_create(
            Entry(subject=many, form="AE", repeat=row, state="IN_PROGRESS", values={"AETERM": {"value": "x"}})
            for row in range(1, 21)
        )
    client = cast.client("coordinator")
    table(client, few)
    counted = []
    for subject in (few, many):
        with statements() as done:
            table(client, subject)
        counted.append(len(done.counted))
    assert counted[0] == counted[1]
    assert counted[1] <= 12


def test_an_empty_log_offers_to_say_that_there_is_none(cast: Cast) -> None:
    subject = cast.subject()
    client = cast.client("coordinator")
    page = table(client, subject)
    assert "None to record" in page
    assert "Nothing recorded here" in page
    client.post(f"/subjects/{subject.number}/log/AE/none/")
    page = table(client, subject)
    assert "None to record" in page
    assert 'action="/subjects/' + subject.number + '/log/AE/none/"' not in page


def test_a_form_of_one_row_has_no_table(cast: Cast) -> None:
    subject = cast.subject()
    assert cast.client("coordinator").get(f"/subjects/{subject.number}/SCR/LB/rows/").status_code == 404
