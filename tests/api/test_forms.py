"""Forms: item by item, nothing lost, nobody overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from audit.context import acting
from audit.models import Event
from casebook.models import Entry, EntryState, Query
from casebook.services import raise_query
from patients.models import Subject
from tests.api.conftest import Program, problem, type_program
from tests.cast import SETUP, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def subject(cast: Cast) -> Subject:
    return cast.subject()


@pytest.fixture
def lab(subject: Subject) -> str:
    return f"subjects/{subject.number}/forms/SCR/LB/1/"


def kept() -> dict[str, Any]:
    values: dict[str, Any] = Entry.objects.get().values
    return values


HGB = {"value": "12.40", "unit": "g/dL", "low": "11.5", "high": "16"}


def test_a_form_that_nobody_opened_is_shown_empty_and_stays_unopened(lab: str, program: type_program) -> None:
    shown = program("monitor").get(lab).json()
    assert (shown["opened"], shown["state"], shown["values"]) == (False, "EMPTY", {})
    assert "HGB" in shown["shown"]
    assert Entry.objects.count() == 0


def test_items_are_kept_as_sent(lab: str, program: type_program) -> None:
    answer = program("coordinator").patch(
        lab, {"items": {"HGB": HGB, "PLAT": {"missing": "ND"}, "LBDAT": {"value": "2025-11-10"}}}
    )
    assert answer.status_code == 200, answer.content
    assert [(each["item"], each["status"], each["changed"]) for each in answer.json()["results"]] == [
        ("HGB", 200, True), ("PLAT", 200, True), ("LBDAT", 200, True),
    ]  # fmt: skip
    assert kept()["HGB"] == HGB
    assert kept()["PLAT"] == {"value": None, "missing": "ND"}
    assert answer.json()["form"]["values"]["HGB"]["value"] == "12.40"
    assert program("coordinator").get(lab).json() == answer.json()["form"]


def test_one_refused_item_keeps_no_other_out(lab: str, program: type_program) -> None:
    items = {
        "HGB": {"value": "12"},
        "PLAT": {"value": "240", "unit": "10^9/L"},
        "NOSUCH": {"value": "1"},
        "ALT": {"value": 31, "unit": "U/L"},
        "LBDAT": {"value": "2199-01-01"},
        "CREAT": {"value": "80", "unit": "umol/L", "units": "x"},
    }
    answer = program("coordinator").patch(lab, {"items": items})
    found = problem(answer, 422, "items_refused")
    results = {each["item"]: each for each in found["results"]}
    assert {item for item, each in results.items() if each["status"] == 200} == {"PLAT"}
    assert set(kept()) == {"PLAT"}
    assert set(found["errors"]) == set(items) - {"PLAT"}
    assert "Which unit?" in found["errors"]["HGB"]
    assert "quotes" in found["errors"]["ALT"]
    assert "units" in found["errors"]["CREAT"]
    assert results["LBDAT"]["problem"]["type"] == "urn:hilum:problem:item_refused"


def test_refusals_of_one_kind_keep_their_kind(lab: str, program: type_program) -> None:
    items = {"HGB": {"value": "4,l", "unit": "g/dL"}, "LBDAT": {"value": "31 Nov 2025"}}
    found = problem(program("coordinator").patch(lab, {"items": items}), 422, "item_refused")
    assert set(found["errors"]) == {"HGB", "LBDAT"}


def test_nobody_is_overwritten_unseen(lab: str, program: type_program) -> None:
    mine = program("coordinator")
    mine.patch(lab, {"items": {"HGB": HGB}})
    other = {"value": "13", "unit": "g/dL", "expected": {}}
    found = problem(mine.patch(lab, {"items": {"HGB": other}}), 409, "changed_meanwhile")
    assert found["results"][0]["stored"] == HGB
    assert "12.40" in found["errors"]["HGB"]
    assert kept()["HGB"] == HGB
    assert mine.patch(lab, {"items": {"HGB": {**other, "expected": HGB}}}).status_code == 200
    assert kept()["HGB"]["value"] == "13"


def test_a_complete_form_wants_a_reason_for_each_change(lab: str, program: type_program) -> None:
    mine = program("coordinator")
    mine.patch(lab, {"items": {"HGB": HGB}})
    with acting(SETUP):
        Entry.objects.update(state=EntryState.COMPLETE)
    change = {"value": "13", "unit": "g/dL"}
    problem(mine.patch(lab, {"items": {"HGB": change}}), 428, "reason_needed")
    assert kept()["HGB"] == HGB
    answer = mine.patch(lab, {"items": {"HGB": change}, "reason": "Source corrected"})
    assert answer.status_code == 200
    event = Event.objects.filter(table_name="casebook_entry").latest("id")
    assert event.reason == "Source corrected"


def test_a_frozen_form_takes_nothing(lab: str, program: type_program) -> None:
    mine = program("coordinator")
    mine.patch(lab, {"items": {"HGB": HGB}})
    with acting(SETUP):
        Entry.objects.update(frozen=True)
    problem(mine.patch(lab, {"items": {"HGB": {"value": ""}}}), 409, "entry_closed")
    assert kept()["HGB"] == HGB


def test_completing_says_what_is_missing_and_then_completes(subject: Subject, program: type_program) -> None:
    mine = program("coordinator")
    form = f"subjects/{subject.number}/forms/SCR/LB/1/"
    found = problem(mine.post(f"{form}complete/"), 422, "not_ready")
    assert found["errors"]["LBDAT"] == "Not answered yet."
    missing = {item: {"missing": "ND"} for item in found["errors"]}
    assert mine.patch(form, {"items": {**missing, "LBDAT": {"value": "2025-11-10"}}}).status_code == 200
    done = mine.post(f"{form}complete/")
    assert (done.status_code, done.json()["state"]) == (200, "COMPLETE"), done.content


def test_a_form_can_be_left_out_with_a_reason(lab: str, program: type_program) -> None:
    mine = program("coordinator")
    problem(mine.post(f"{lab}not-done/", {"reason": "x"}), 422, "reason_too_short")
    assert mine.post(f"{lab}not-done/", {"reason": "No blood taken"}).json()["not_done"] == "No blood taken"


@pytest.mark.parametrize(
    ("role", "read", "write"),
    [("coordinator", 200, 200), ("investigator", 200, 200), ("monitor", 200, 403), ("datamanager", 200, 403),
     ("sponsor", 404, 404), ("radiologist", 404, 404), ("admin", 404, 404), ("coordinator2", 404, 404),
     ("outsider", 404, 404)],
)  # fmt: skip
@pytest.mark.req("ACC-02")
def test_forms_by_role(lab: str, program: type_program, role: str, read: int, write: int) -> None:
    mine = program(role)
    assert mine.get(lab).status_code == read
    assert mine.patch(lab, {"items": {"HGB": HGB}}).status_code == write
    ecog = lab.replace("/LB/", "/RS/")
    assert mine.post(f"{ecog}not-done/", {"reason": "not asked"}).status_code == write
    if write == 200:
        problem(mine.post(f"{lab}not-done/", {"reason": "no sample"}), 409, "values_stand")
    assert Entry.objects.exists() is (write == 200)


@pytest.mark.parametrize(
    "place", ["NOSUCH/LB/1", "SCR/NOSUCH/1", "SCR/AE/1", "SCR.99999999999/LB/1", "log/LB/1"]
)
def test_forms_that_are_not_planned_are_not_there(
    subject: Subject, program: type_program, place: str
) -> None:
    problem(program("coordinator").get(f"subjects/{subject.number}/forms/{place}/"), 404, "not_found")


def test_the_list_of_forms_tells_what_is_entered_in_a_constant_number_of_statements(
    subject: Subject, lab: str, program: type_program, statements: Callable[[], Any]
) -> None:
    mine = program("coordinator")
    address = f"subjects/{subject.number}/forms/"
    with statements() as before:
        empty = {(each["visit"], each["form"]): each for each in mine.get(address).json()["items"]}
    mine.patch(lab, {"items": {"HGB": HGB}})
    with statements() as after:
        filled = {(each["visit"], each["form"]): each for each in mine.get(address).json()["items"]}
    assert (empty["SCR", "LB"]["repeats"], filled["SCR", "LB"]["repeats"]) == ([], [1])
    assert any(visit == "log" for visit, _ in filled)
    assert len(before.counted) == len(after.counted) <= 9


def test_saving_an_item_costs_little(lab: str, program: type_program, statements: Callable[[], Any]) -> None:
    mine = program("coordinator")
    mine.patch(lab, {"items": {"HGB": HGB}})
    costs = []
    for items in (["HGB"], ["HGB", "PLAT", "ALT"]):
        sent = {item: {"missing": "ND" if len(costs) else "UNK"} for item in items}
        with statements() as done:
            assert mine.patch(lab, {"items": sent}).status_code == 200
        costs.append(len(done.counted))
    assert (costs[1] - costs[0]) / 2 <= 5


# Rows, findings, queries --------------------------------------------------------------------------------------------


def test_rows_of_a_log_are_added_one_by_one(subject: Subject, program: type_program) -> None:
    mine = program("coordinator")
    logs = [e for e in mine.get(f"subjects/{subject.number}/forms/").json()["items"] if e["visit"] == "log"]
    repeating = next(e["form"] for e in logs if subject.version.protocol.form(e["form"]).repeating)
    address = f"subjects/{subject.number}/forms/log/{repeating}/rows/"
    assert [mine.post(address).json()["repeat"] for _ in range(2)] == [
        1,
        1,
    ]  # the same row while nothing is in it
    problem(program("monitor").post(address), 403, "forbidden")


def asked(cast: Cast, lab: str, mine: Program) -> Query:
    mine.patch(lab, {"items": {"HGB": HGB}})
    return raise_query(actor=cast.actor("monitor"), entry=Entry.objects.get(), item="HGB", text="Really?")


def test_a_query_is_listed_answered_and_closed(cast: Cast, lab: str, program: type_program) -> None:
    site, monitor = program("coordinator"), program("monitor")
    query = asked(cast, lab, site)
    [row] = site.get("queries/").json()["items"]
    assert (row["id"], row["item"], row["visit"], row["last_words"]) == (query.pk, "HGB", "SCR", "Really?")
    assert site.get(lab).json()["queries"] == [{"id": query.pk, "item": "HGB", "state": "OPEN"}]
    address = f"queries/{query.pk}/"
    problem(monitor.post(f"{address}answer/", {"text": "Yes"}), 409, "other_desk")
    problem(program("coordinator2").post(f"{address}answer/", {"text": "Yes"}), 404, "not_found")
    assert "text" in problem(site.post(f"{address}answer/", {"text": " "}), 422, "invalid")["errors"]
    answered = site.post(f"{address}answer/", {"text": "Yes, seen on the source."})
    assert [each["text"] for each in answered.json()["messages"]] == ["Really?", "Yes, seen on the source."]
    problem(site.post(f"{address}answer/", {"text": "Yes"}), 409, "query_state")
    problem(site.post(f"{address}close/", {}), 403, "forbidden")
    assert monitor.post(f"{address}close/", {}).json()["state"] == "CLOSED"
    assert site.get("queries/").json()["items"] == []
    assert len(site.get("queries/", state="CLOSED").json()["items"]) == 1
    assert monitor.post(f"{address}reopen/", {"text": "Once more"}).json()["state"] == "OPEN"


def test_the_list_of_queries_costs_the_same_for_one_and_for_ten(
    cast: Cast, lab: str, program: type_program, statements: Callable[[], Any]
) -> None:
    site = program("coordinator")
    asked(cast, lab, site)
    counts = []
    for _ in range(2):
        with statements() as done:
            site.get("queries/")
        counts.append(len(done.counted))
        for number in range(9):
            raise_query(
                actor=cast.actor("monitor"), entry=Entry.objects.get(), item="", text=f"Question {number}"
            )
    assert counts[0] == counts[1]
    assert len(site.get("queries/", limit="3").json()["items"]) == 3
