"""Saving an item: nothing is lost, nobody is overwritten, and the trail tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.context import acting
from audit.models import Event
from casebook import services
from casebook.errors import ChangedMeanwhileError, EntryClosedError, ItemRefusedError, ReasonNeededError
from casebook.models import Entry, EntryState, Query, QueryState
from casebook.rules.cells import Typed, confirmations
from casebook.selectors import entries, worked_form
from tests.cast import SETUP, Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


def opened(cast: Cast, form: str, trial: str = "EXCALIBUR") -> Entry:
    subject = cast.subject(trial)
    visit = Visit.objects.get(subject=subject, code="SCR")
    return services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form=form)


def save(cast: Cast, entry: Entry, item: str, value: str, **parts: Any) -> services.SaveResult:
    typed = {key: parts.pop(key) for key in ("unit", "low", "high", "missing") if key in parts}
    return services.save_item(
        actor=cast.actor(), entry=entry, item_id=item, typed=Typed(value=value, **typed), **parts
    )


def again(entry: Entry) -> Entry:
    return entries().get(pk=entry.pk)


def test_a_value_is_kept_as_typed_with_its_unit_and_limits(cast: Cast) -> None:
    entry = opened(cast, "LB")
    save(cast, entry, "HGB", "124", unit="g/L", low="134", high="170")
    assert again(entry).values["HGB"] == {"value": "124", "unit": "g/L", "low": "134", "high": "170"}
    assert again(entry).state == EntryState.IN_PROGRESS


def test_a_save_leaves_one_event_that_names_the_person(cast: Cast) -> None:
    entry = opened(cast, "LB")
    before = Event.objects.count()
    save(cast, entry, "HGB", "12.4", unit="g/dL")
    event = Event.objects.order_by("id").last()
    assert Event.objects.count() == before + 1
    assert event is not None
    assert event.actor == "Coordinator Person"
    assert event.table_name == "casebook_entry"
    assert event.subject_id == entry.subject_id


@pytest.mark.parametrize(
    ("item", "value", "parts", "words"),
    [
        ("HGB", "4,l", {"unit": "g/dL"}, "is not a number"),
        ("HGB", "12", {}, "Which unit?"),
        ("HGB", "12", {"unit": "stone"}, "is not a unit of"),
        ("HGB", "12", {"unit": "g/dL", "low": "17", "high": "13"}, "above the upper limit"),
        ("LBDAT", "31 Nov 2025", {}, "does not exist"),
        ("LBDAT", "2199-01-01", {}, "is in the future"),
        ("HGB", "", {"missing": "LOST"}, "is no reason"),
    ],
)
def test_what_cannot_be_a_value_is_refused_in_words_and_nothing_is_stored(
    cast: Cast, item: str, value: str, parts: dict[str, str], words: str
) -> None:
    entry = opened(cast, "LB")
    with pytest.raises(ItemRefusedError, match=words):
        save(cast, entry, item, value, **parts)
    assert again(entry).values == {}


def test_the_second_of_two_people_is_told_and_nothing_is_overwritten(cast: Cast) -> None:
    entry = opened(cast, "LB")
    mine, theirs = again(entry), again(entry)
    save(cast, theirs, "HGB", "12.4", unit="g/dL", expected={})
    with pytest.raises(ChangedMeanwhileError, match=r"12\.4 g/dL"):
        save(cast, mine, "HGB", "13.4", unit="g/dL", expected={})
    assert again(entry).values["HGB"]["value"] == "12.4"


def test_two_people_on_different_items_do_not_hinder_each_other(cast: Cast) -> None:
    entry = opened(cast, "LB")
    mine, theirs = again(entry), again(entry)
    save(cast, theirs, "HGB", "12.4", unit="g/dL", expected={})
    save(cast, mine, "PLAT", "188", unit="10^9/L", expected={})
    assert again(entry).values.keys() == {"HGB", "PLAT"}


def test_a_complete_form_changes_with_a_reason_only(cast: Cast) -> None:
    entry = opened(cast, "LB")
    save(cast, entry, "HGB", "12.4", unit="g/dL")
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.COMPLETE)
    entry = again(entry)
    with pytest.raises(ReasonNeededError):
        save(cast, entry, "HGB", "12.5", unit="g/dL")
    save(cast, again(entry), "HGB", "12.5", unit="g/dL", reason="Typing mistake")
    event = Event.objects.filter(table_name="casebook_entry").order_by("id").last()
    assert event is not None
    assert event.reason == "Typing mistake"


def test_the_database_itself_refuses_a_change_of_complete_data_without_reason(cast: Cast) -> None:
    entry = opened(cast, "LB")
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.COMPLETE, values={"HGB": {"value": "12"}})
    with pytest.raises(IntegrityError, match="with a reason only"), transaction.atomic(), acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(values={})


@pytest.mark.parametrize("flag", ["locked", "frozen"])
def test_what_is_locked_or_frozen_is_written_neither_by_service_nor_by_sql(cast: Cast, flag: str) -> None:
    entry = opened(cast, "LB")
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(**{flag: True})
    with pytest.raises(EntryClosedError):
        save(cast, again(entry), "HGB", "12.4", unit="g/dL")
    with pytest.raises(IntegrityError), transaction.atomic(), acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(values={"HGB": {"value": "1"}})


def test_a_stale_page_cannot_write_into_a_form_locked_meanwhile(cast: Cast) -> None:
    stale = opened(cast, "LB")
    with acting(SETUP):
        Entry.objects.filter(pk=stale.pk).update(locked=True)
    with pytest.raises(EntryClosedError):
        save(cast, stale, "HGB", "12.4", unit="g/dL")


def test_an_entry_is_never_deleted(cast: Cast) -> None:
    entry = opened(cast, "LB")
    with pytest.raises(IntegrityError), transaction.atomic(), acting(SETUP):
        Entry.objects.filter(pk=entry.pk).delete()


def test_saving_a_field_costs_at_most_eight_statements(cast: Cast, statements: Callable[[], Any]) -> None:
    entry = opened(cast, "LB")
    save(cast, entry, "PLAT", "188", unit="10^9/L")
    with statements() as done:
        save(cast, again(entry), "HGB", "12.4", unit="g/dL")
    assert len(done.counted) + 2 <= 8, done.counted  # BEGIN and COMMIT besides


def test_an_automatic_query_opens_when_the_form_is_complete_and_closes_itself(cast: Cast) -> None:
    entry = opened(cast, "LB")
    save(cast, entry, "HGB", "7.5", unit="g/dL")
    assert not Query.objects.exists()
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.COMPLETE)
    save(cast, again(entry), "HGB", "7.4", unit="g/dL", reason="Typing mistake")
    query = Query.objects.get(item="HGB")
    assert query.state == QueryState.OPEN
    save(cast, again(entry), "HGB", "12.4", unit="g/dL", reason="Typing mistake")
    query.refresh_from_db()
    assert query.state == QueryState.CLOSED
    assert query.led_to_change


def test_a_confirmed_check_raises_no_query_and_the_reason_stays_with_the_value(cast: Cast) -> None:
    entry = opened(cast, "LB")
    save(cast, entry, "HGB", "7.5", unit="g/dL")
    finding = next(
        f
        for f in services.save_item(
            actor=cast.actor(), entry=again(entry), item_id="HGB", typed=Typed("7.5", "g/dL")
        ).worked.picture.findings
        if f.item == "HGB"
    )
    services.confirm_finding(
        actor=cast.actor(),
        entry=again(entry),
        item_id="HGB",
        check_id=finding.check_id,
        reason="Checked against the source",
    )
    assert confirmations(again(entry).values["HGB"]) == {finding.check_id: "Checked against the source"}


def test_the_page_answers_with_the_row_and_the_expected_cell(cast: Cast) -> None:
    subject = cast.subject("EXCALIBUR")
    client = cast.client("coordinator")
    address = f"/subjects/{subject.number}/SCR/LB/"
    assert client.get(address).status_code == 200
    answer = client.post(
        f"{address}save/", {"item": "HGB", "value": "12.4", "unit": "g/dL", "expected": json.dumps({})}
    )
    assert answer.status_code == 200
    assert b'id="row-HGB"' in answer.content
    refused = client.post(f"{address}save/", {"item": "HGB", "value": "4,l", "unit": "g/dL"})
    assert refused.status_code == 422
    assert "4,l" in refused.content.decode()


def test_a_stranger_finds_nothing(cast: Cast) -> None:
    subject = cast.subject("EXCALIBUR", cast.away)
    address = f"/subjects/{subject.number}/SCR/LB/"
    for role in ("coordinator", "radiologist", "outsider"):
        assert cast.client(role).get(address).status_code == 404
        assert cast.client(role).post(f"{address}save/", {"item": "HGB", "value": "1"}).status_code == 404
    assert cast.client("monitor").get(address).status_code == 200
    assert cast.client("monitor").post(f"{address}save/", {"item": "HGB", "value": "1"}).status_code in {
        403,
        404,
    }


# What was confirmed holds for what was looked at ---------------------------------------------------------------------


def confirmed(cast: Cast, entry: Entry, item: str, check: str) -> None:
    services.confirm_finding(
        actor=cast.actor(), entry=again(entry), item_id=item, check_id=check, reason="Seen in the source"
    )


def standing(entry: Entry, check: str) -> list[str]:
    """What the page says of a check: why it was confirmed, or nothing; empty where it does not fire."""
    found = worked_form(again(entry)).picture.findings
    return [finding.reason for finding in found if finding.check_id == check]


def test_a_confirmed_value_is_asked_about_again_when_another_item_of_the_check_changes(cast: Cast) -> None:
    entry = opened(cast, "VS")
    save(cast, entry, "HEIGHT", "180", unit="cm")
    save(cast, again(entry), "WEIGHT", "155", unit="kg")
    assert standing(entry, "VS-BMI-01") == [""]
    confirmed(cast, entry, "WEIGHT", "VS-BMI-01")
    save(cast, again(entry), "PULSE", "70")
    assert standing(entry, "VS-BMI-01") == ["Seen in the source"]
    save(cast, again(entry), "HEIGHT", "160", unit="cm")
    assert standing(entry, "VS-BMI-01") == [""]
    save(cast, again(entry), "HEIGHT", "180", unit="cm")
    assert standing(entry, "VS-BMI-01") == ["Seen in the source"]


def test_a_confirmed_value_is_asked_about_again_when_another_form_changes(cast: Cast) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    actor = cast.actor()
    consent = services.open_entry(actor=actor, subject=subject, visit=visit, form="DS_IC")
    event = services.open_entry(actor=actor, subject=subject, visit=None, form="AE")
    save(cast, again(consent), "DSSTDAT", "2026-03-10")
    save(cast, again(event), "AESTDAT", "2026-03-05")
    confirmed(cast, event, "AESTDAT", "AE-ST-01")
    assert standing(event, "AE-ST-01") == ["Seen in the source"]
    save(cast, again(consent), "DSSTDAT", "2026-03-12", reason="Typing mistake")
    assert standing(event, "AE-ST-01") == [""]


def test_what_was_confirmed_before_it_was_kept_of_what_holds(cast: Cast) -> None:
    entry = opened(cast, "LB")
    save(cast, entry, "HGB", "7.5", unit="g/dL")
    values = again(entry).values
    with acting(SETUP, reason="An earlier release"):
        Entry.objects.filter(pk=entry.pk).update(
            values={**values, "HGB": {**values["HGB"], "confirmed": {"LB-HGB-01": "Known"}}}
        )
    assert standing(entry, "LB-HGB-01") == ["Known"]


def test_a_check_that_does_not_fire_is_not_confirmed_ahead(cast: Cast) -> None:
    entry = opened(cast, "LB")
    save(cast, entry, "HGB", "12", unit="g/dL")
    confirmed(cast, entry, "HGB", "LB-HGB-01")
    assert "confirmed" not in again(entry).values["HGB"]
