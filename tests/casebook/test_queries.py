"""Queries: whose turn it is, what closes itself, closing many, and what each check is worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from audit.context import acting
from casebook import services
from casebook.errors import OtherDeskError
from casebook.models import CheckFiring, Desk, Entry, EntryState, Query, QueryMessage, QueryState
from casebook.pages.yields import yields_of
from casebook.rules.cells import Typed
from casebook.selectors import entries, worked_form
from casebook.services.queries import assign_query
from patients.models import Subject
from tests.cast import SETUP, Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


def form(cast: Cast, subject: Subject, code: str, visit: str | None = "SCR") -> Entry:
    place = Visit.objects.get(subject=subject, code=visit) if visit else None
    return services.open_entry(actor=cast.actor(), subject=subject, visit=place, form=code)


def save(cast: Cast, entry: Entry, item: str, value: str, reason: str = "", **parts: str) -> Entry:
    services.save_item(
        actor=cast.actor(), entry=again(entry), item_id=item, typed=Typed(value, **parts), reason=reason
    )
    return again(entry)


def again(entry: Entry) -> Entry:
    return entries().get(pk=entry.pk)


def complete(entry: Entry) -> Entry:
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.COMPLETE)
    return again(entry)


def low(cast: Cast, subject: Subject) -> Query:
    """A query of a check: haemoglobin below 8 g/dL on a complete form."""
    entry = complete(save(cast, form(cast, subject, "LB"), "HGB", "7.5", unit="g/dL"))
    save(cast, entry, "HGB", "7.4", unit="g/dL", reason="Typing mistake")
    return Query.objects.get(entry=entry, item="HGB")


def test_a_query_closes_when_its_field_does_not_apply_any_more(cast: Cast) -> None:
    """The end of an event is asked only while the event is over."""
    entry = form(cast, cast.subject(), "AE", None)
    for item, value in (("AESTDAT", "2026-03-05"), ("AEONGO", "N"), ("AEENDAT", "2026-03-06")):
        entry = save(cast, entry, item, value)
    entry = save(cast, complete(entry), "AEENDAT", "2026-03-01", "Typing mistake")
    query = Query.objects.get(entry=entry, item="AEENDAT")
    assert query.state == QueryState.OPEN
    save(cast, entry, "AEONGO", "Y", "New information")
    query.refresh_from_db()
    assert query.state == QueryState.CLOSED


def test_a_value_whose_field_does_not_apply_any_more_stays_in_sight(cast: Cast) -> None:
    subject = cast.subject()
    entry = form(cast, subject, "AE", None)
    for item, value in (("AESTDAT", "2026-03-05"), ("AEONGO", "N"), ("AEENDAT", "2026-03-06")):
        entry = save(cast, entry, item, value)
    client, address = cast.client("coordinator"), f"/subjects/{subject.number}/log/AE/save/"
    answer = client.post(address, {"item": "AEONGO", "value": "Y"}).content.decode()
    assert "this does not apply, and it holds a value" in answer
    assert "AEENDAT" in worked_form(again(entry)).picture.shown
    answer = client.post(address, {"item": "AEENDAT", "value": ""}).content.decode()
    assert "holds a value" not in answer
    assert "AEENDAT" not in worked_form(again(entry)).picture.shown


def test_a_query_closes_when_another_form_takes_its_cause_away_and_opens_when_it_gives_one(
    cast: Cast,
) -> None:
    subject = cast.subject()
    consent = save(cast, form(cast, subject, "DS_IC"), "DSSTDAT", "2026-03-10")
    event = complete(save(cast, form(cast, subject, "AE", None), "AESTDAT", "2026-03-05"))
    save(cast, event, "AETERM", "Fever", "New information")
    query = Query.objects.get(entry=event, item="AESTDAT")
    assert query.state == QueryState.OPEN
    save(cast, consent, "DSSTDAT", "2026-03-01")
    query.refresh_from_db()
    assert query.state == QueryState.CLOSED
    save(cast, consent, "DSSTDAT", "2026-03-12")
    assert Query.objects.filter(entry=event, item="AESTDAT", state=QueryState.OPEN).count() == 1


def test_what_no_longer_counts_is_not_asked_about(cast: Cast) -> None:
    entry = form(cast, cast.subject(), "AE", None)
    for item, value in (("AESTDAT", "2026-03-05"), ("AEONGO", "N"), ("AEENDAT", "2026-03-06")):
        entry = save(cast, entry, item, value)
    entry = save(cast, complete(entry), "AEENDAT", "2026-03-01", "Typing mistake")
    assert Query.objects.filter(entry=entry, state=QueryState.OPEN).exists()
    services.strike_out(actor=cast.actor(), entry=entry, reason="Entered for the wrong subject")
    assert not Query.objects.filter(entry=entry, state=QueryState.OPEN).exists()


def test_an_empty_field_can_be_asked_about_and_the_turn_goes_back_and_forth(cast: Cast) -> None:
    entry = form(cast, cast.subject(), "LB")
    query = services.raise_query(
        actor=cast.actor("monitor"), entry=entry, item="HGB", text="Not in the report?"
    )
    assert (query.waits_for, query.asked_by) == (Desk.SITE, Desk.MONITOR)
    services.answer_query(actor=cast.actor(), query=query, text="Sent to the laboratory.")
    query.refresh_from_db()
    assert query.waits_for == Desk.MONITOR
    assign_query(actor=cast.actor("monitor"), query=query, waits_for=Desk.MEDICAL)
    query.refresh_from_db()
    assert query.waits_for == Desk.MEDICAL
    services.reopen_query(actor=cast.actor("monitor"), query=query, text="Still missing.")
    query.refresh_from_db()
    assert query.waits_for == Desk.SITE


def test_whoever_is_asked_answers_and_is_asked_again(cast: Cast) -> None:
    subject = cast.subject()
    entry = form(cast, subject, "LB")
    query = services.raise_query(
        actor=cast.actor("monitor"), entry=entry, item="HGB", text="Which unit?", waits_for=Desk.DATAMANAGER
    )
    address = f"/subjects/{subject.number}/SCR/LB/item/HGB/"
    with pytest.raises(OtherDeskError, match="Data manage"):
        services.answer_query(actor=cast.actor(), query=query, text="g/dL")
    assert "Your answer" not in cast.client("coordinator").get(address).content.decode()
    manager = cast.client("datamanager")
    assert "Your answer" in manager.get(address).content.decode()
    assert manager.post(f"/queries/{query.pk}/answer/", {"text": "g/dL"}).status_code == 302
    query.refresh_from_db()
    assert (query.state, query.waits_for) == (QueryState.ANSWERED, Desk.MONITOR)
    services.reopen_query(actor=cast.actor("monitor"), query=query, text="Since when?")
    query.refresh_from_db()
    assert query.waits_for == Desk.DATAMANAGER


def test_the_list_is_narrowed_and_costs_the_same_for_one_and_for_many(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    entry = form(cast, cast.subject(), "LB")
    ask = {"actor": cast.actor("monitor"), "entry": entry}
    services.raise_query(**ask, item="HGB", text="Really?")
    client = cast.client("monitor")
    client.get("/queries/")
    with statements() as one:
        client.get("/queries/")
    for item in ("PLAT", "NEUT", "BILI", "AST"):
        services.raise_query(**ask, item=item, text="Really?")
    with statements() as many:
        client.get("/queries/")
    assert len(one.counted) == len(many.counted)
    assert "Haemoglobin" in client.get("/queries/?waits_for=SITE&form=LB").content.decode()
    for nothing in ("waits_for=mine", "form=VS", "age=7", "state=CLOSED", "site=SE-02"):
        assert "No queries." in client.get(f"/queries/?{nothing}").content.decode(), nothing
    assert "Haemoglobin" in cast.client("coordinator").get("/queries/?waits_for=mine").content.decode()


def test_many_are_closed_at_once_by_those_who_may(cast: Cast) -> None:
    entry = form(cast, cast.subject(), "LB")
    keys = [
        services.raise_query(actor=cast.actor("monitor"), entry=entry, item=item, text="Really?").pk
        for item in ("HGB", "PLAT", "NEUT")
    ]
    sent = {"query": keys[:2], "text": "Settled on the telephone."}
    assert cast.client("coordinator").post("/queries/work-off/", sent).status_code == 404
    monitor = cast.client("monitor")
    assert monitor.post("/queries/work-off/", {"query": keys[:2], "text": " "}).status_code == 422
    assert monitor.post("/queries/work-off/", sent).status_code == 302
    assert set(Query.objects.filter(state=QueryState.CLOSED).values_list("pk", flat=True)) == set(keys[:2])
    handed = {"query": keys[2:], "hand": "1", "waits_for_now": "MEDICAL"}
    assert monitor.post("/queries/work-off/", handed).status_code == 302
    assert Query.objects.get(pk=keys[2]).waits_for == Desk.MEDICAL


def counted(cast: Cast, check: str) -> tuple[int, ...]:
    trial = cast.trials["EXCALIBUR"]
    row = next(row for row in yields_of(trial, trial.versions.get().protocol) if row.check_id == check)
    return row.fired, row.changed, row.confirmed, row.unchanged, row.waiting


def test_what_became_of_a_check_is_counted(cast: Cast) -> None:
    check = "LB-HGB-01"
    query = low(cast, cast.subject())
    assert counted(cast, check) == (1, 1, 0, 0, 0)  # 7.5 was corrected to 7.4, still below
    entry = save(cast, form(cast, cast.subject(), "LB"), "HGB", "7.0", unit="g/dL")
    assert counted(cast, check) == (2, 1, 0, 0, 1)
    services.confirm_finding(
        actor=cast.actor(), entry=again(entry), item_id="HGB", check_id=check, reason="Checked in the source"
    )
    assert counted(cast, check) == (2, 1, 1, 0, 0)
    third = form(cast, cast.subject(), "LB")
    third = save(cast, complete(save(cast, third, "HGB", "7.1", unit="g/dL")), "LBNAM", "OUS", "Forgotten")
    asked = Query.objects.get(entry=third)
    services.answer_query(actor=cast.actor(), query=asked, text="It is what the report says.")
    assert counted(cast, check) == (3, 1, 1, 1, 0)
    assert CheckFiring.objects.filter(check_id=check).count() == 3
    assert query.check_id == check


def test_a_correction_in_another_form_is_what_a_check_led_to(cast: Cast) -> None:
    subject = cast.subject()
    consent = save(cast, form(cast, subject, "DS_IC"), "DSSTDAT", "2026-03-10")
    save(
        cast,
        complete(save(cast, form(cast, subject, "AE", None), "AESTDAT", "2026-03-05")),
        "AETERM",
        "Fever",
        "New",
    )
    assert counted(cast, "AE-ST-01") == (1, 0, 0, 0, 1)
    save(cast, consent, "DSSTDAT", "2026-03-01", "Typing mistake")
    assert counted(cast, "AE-ST-01") == (1, 1, 0, 0, 0)


def test_what_fires_at_any_item_is_listed_where_it_fired(cast: Cast) -> None:
    save(cast, form(cast, cast.subject(), "VS"), "WEIGHT", "900", unit="kg")
    assert counted(cast, "WEIGHT-possible")[0] == 1


def test_a_value_that_a_check_does_not_watch_does_not_write_its_firing_again(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    entry = save(cast, form(cast, cast.subject(), "LB"), "HGB", "7.5", unit="g/dL")
    assert CheckFiring.objects.filter(item="HGB").count() == 1
    with statements() as done:
        save(cast, entry, "PLAT", "210", unit="10^9/L")
    assert not [each for each in done.counted if "casebook_checkfiring" in each]


def test_the_page_of_yields_is_for_data_managers(cast: Cast) -> None:
    low(cast, cast.subject())
    page = cast.client("datamanager").get("/queries/yield/?trial=EXCALIBUR").content.decode()
    assert "LB-HGB-01" in page
    file = cast.client("datamanager").get("/queries/yield/?trial=EXCALIBUR&format=csv")
    assert b"LB-HGB-01" in file.content
    for role in ("coordinator", "monitor", "sponsor", "outsider"):
        assert cast.client(role).get("/queries/yield/").status_code == 404


def test_a_grade_is_asked_about_and_the_question_closes_as_the_laboratory_value_changes(cast: Cast) -> None:
    subject = cast.subject("EXCALIBUR")
    laboratory = save(cast, form(cast, subject, "LB"), "LBDAT", "2026-03-05")
    event = form(cast, subject, "AE", None)
    for item, value in (
        ("AETERM", "Neutropenia"), ("AEDECOD", "Neutrophil count decreased"), ("AESTDAT", "2026-03-04"),
        ("AEONGO", "Y"), ("AETOXGR", "2"),
    ):  # fmt: skip
        event = save(cast, event, item, value)
    event = complete(event)

    save(cast, laboratory, "NEUT", "0.9", unit="10^9/L", low="1.8", high="7.5")

    query = Query.objects.get(entry=event, item="AETOXGR", state=QueryState.OPEN)
    asked = QueryMessage.objects.filter(query=query).earliest("pk")
    assert "grade 3" in asked.text
    save(cast, laboratory, "NEUT", "1.4", unit="10^9/L", low="1.8", high="7.5", reason="Misread")
    query.refresh_from_db()
    assert query.state == QueryState.CLOSED
