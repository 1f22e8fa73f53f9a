"""Forms that were not done, logs with none to record, and what happens when they are entered after all."""

from __future__ import annotations

from typing import Any

import pytest

from audit.context import acting
from audit.models import Event
from audit.selectors import history
from casebook import registry, services
from casebook.errors import (
    EntryClosedError,
    FormNotHereError,
    NotLeftOutError,
    ReasonNeededError,
    RowsStandError,
    ValuesStandError,
)
from casebook.facts import facts_of
from casebook.models import Entry, EntryState
from casebook.rules.cells import Typed
from casebook.selectors import entries, rows_of_subject
from foundation import clock
from patients.models import Subject
from tests.cast import SETUP, Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def subject(cast: Cast) -> Subject:
    return cast.subject()


def again(entry: Entry) -> Entry:
    return entries().get(pk=entry.pk)


def laboratory(cast: Cast, subject: Subject, **values: str) -> Entry:
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    for item, text in values.items():
        save(cast, entry, item, text)
    return again(entry)


def save(cast: Cast, entry: Entry, item: str, text: str, reason: str = "") -> None:
    value, _, unit = text.partition(" ")
    services.save_item(
        actor=cast.actor(), entry=again(entry), item_id=item, typed=Typed(value, unit), reason=reason
    )


def left_out(cast: Cast, entry: Entry) -> Entry:
    return services.mark_not_done(actor=cast.actor(), entry=again(entry), reason="No blood taken")


# Not done ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "said"),
    [({"HGB": "12 g/dL"}, "A value stands"), ({"HGB": "12 g/dL", "INR": "1.1"}, "2 values stand")],
)
def test_a_form_in_which_values_stand_was_done(
    cast: Cast, subject: Subject, values: dict[str, str], said: str
) -> None:
    entry = laboratory(cast, subject, **values)
    with pytest.raises(ValuesStandError, match=said):
        left_out(cast, entry)
    assert (again(entry).state, again(entry).not_done) == (EntryState.IN_PROGRESS, "")


def test_who_says_so_on_the_page_is_told_what_stands(cast: Cast, subject: Subject) -> None:
    laboratory(cast, subject, HGB="12 g/dL")
    client = cast.client("coordinator")
    answer = client.post(f"/subjects/{subject.number}/SCR/LB/not-done/", {"reason": "OMITTED"})
    assert answer.status_code == 409
    assert "A value stands in this form" in answer.content.decode()


def test_a_value_that_was_emptied_again_does_not_hold_it_up(cast: Cast, subject: Subject) -> None:
    entry = laboratory(cast, subject, HGB="12 g/dL")
    save(cast, entry, "HGB", "")
    assert left_out(cast, entry).not_done == "No blood taken"


def test_a_reason_for_a_blank_is_no_value(cast: Cast, subject: Subject) -> None:
    entry = laboratory(cast, subject)
    services.leave_blank(actor=cast.actor(), entry=entry, missing="ND")
    assert left_out(cast, entry).not_done == "No blood taken"


def test_it_is_opened_again_with_a_reason_that_the_trail_keeps(cast: Cast, subject: Subject) -> None:
    entry = left_out(cast, laboratory(cast, subject))
    client = cast.client("coordinator")
    address = f"/subjects/{subject.number}/SCR/LB/"
    assert "It was done after all" in client.get(address).content.decode()
    answer = client.post(f"{address}after-all/", {"reason": "The report came later"})
    assert answer.status_code == 302
    assert (again(entry).state, again(entry).not_done) == (EntryState.EMPTY, "")
    event = Event.objects.filter(table_name="casebook_entry", row_id=entry.pk).latest("pk")
    assert event.reason == "The report came later"
    page = client.get(address).content.decode()
    assert "It was done after all" not in page
    assert "Mark complete" in page


def test_only_what_was_left_out_is_opened_again(cast: Cast, subject: Subject) -> None:
    entry = laboratory(cast, subject, HGB="12 g/dL")
    with pytest.raises(NotLeftOutError):
        services.take_back_not_done(actor=cast.actor(), entry=entry, reason="A mistake")


def test_a_value_that_is_entered_takes_it_back_and_needs_a_reason(cast: Cast, subject: Subject) -> None:
    entry = left_out(cast, laboratory(cast, subject))
    with pytest.raises(ReasonNeededError):
        save(cast, entry, "HGB", "12 g/dL")
    assert again(entry).not_done == "No blood taken"
    save(cast, entry, "HGB", "12 g/dL", reason="The report came later")
    after = again(entry)
    assert (after.state, after.not_done) == (EntryState.IN_PROGRESS, "")
    assert after.values["HGB"]["value"] == "12"
    save(cast, entry, "PLAT", "200 10^9/L")
    assert again(entry).values["PLAT"]["value"] == "200"


# None to record ------------------------------------------------------------------------------------------------------


def none(cast: Cast, subject: Subject, form: str = "MH") -> Entry:
    return services.record_none(actor=cast.actor(), subject=subject, form=form)


@pytest.mark.parametrize("form", ["AE", "CM", "MH", "DV"])
@pytest.mark.parametrize("trial", ["EXCALIBUR", "THERMODOX"])
def test_every_log_can_say_that_there_is_none(cast: Cast, trial: str, form: str) -> None:
    subject = cast.subject(trial)
    client = cast.client("coordinator")
    address = f"/subjects/{subject.number}/log/{form}/"
    assert "None to record" in client.get(address).content.decode()
    answer = client.post(f"{address}none/")
    assert answer.status_code == 302
    shown = client.get(answer["Location"]).content.decode()
    assert "None to record" in shown
    assert "Add a row" in shown
    assert 'data-item="' not in shown
    assert f"{address}none/" not in shown
    casebook = client.get(f"/subjects/{subject.number}/").content.decode()
    assert "<b>none</b>" in casebook


def test_the_first_row_takes_it_back(cast: Cast, subject: Subject) -> None:
    said = none(cast, subject)
    made = services.add_row(actor=cast.actor(), subject=subject, visit=None, form="MH")
    assert made.pk == said.pk
    assert (again(said).state, again(said).not_done) == (EntryState.EMPTY, "")
    save(cast, made, "MHTERM", "Asthma")
    assert again(made).values["MHTERM"]["value"] == "Asthma"


def test_none_is_not_said_of_a_log_with_a_row(cast: Cast, subject: Subject) -> None:
    row = services.add_row(actor=cast.actor(), subject=subject, visit=None, form="MH")
    save(cast, row, "MHTERM", "Asthma")
    with pytest.raises(RowsStandError):
        none(cast, subject)
    services.strike_out(actor=cast.actor(), entry=again(row), reason="Another patient's")
    assert none(cast, subject).repeat == 2
    assert none_again_is_refused(cast, subject)


def none_again_is_refused(cast: Cast, subject: Subject) -> bool:
    with pytest.raises(RowsStandError):
        none(cast, subject)
    return True


def test_a_form_of_a_visit_has_no_such_answer(cast: Cast, subject: Subject) -> None:
    answer = cast.client("coordinator").post(f"/subjects/{subject.number}/SCR/LB/none/")
    assert answer.status_code == 422


@pytest.mark.parametrize("opened", ["none", "empty row"])
def test_a_log_without_a_row_with_words_leaves_no_criterion_open(
    cast: Cast, subject: Subject, opened: str
) -> None:
    """A row of which nothing is known would make every question about the rows undecidable."""

    def known() -> dict[str, Any]:
        return dict(facts_of(subject, clock.today(subject.site.time_zone)).document)

    before = known()
    if opened == "none":
        none(cast, subject)
    else:
        services.add_row(actor=cast.actor(), subject=subject, visit=None, form="MH")
    assert known() == before


# ---- a row struck out by mistake


def test_a_row_struck_out_by_mistake_counts_again_and_the_trail_keeps_both(cast: Cast) -> None:
    subject = cast.subject()
    row = services.open_entry(actor=cast.actor(), subject=subject, visit=None, form="AE")
    services.save_item(actor=cast.actor(), entry=row, item_id="AETERM", typed=Typed("Fever"))
    client, address = cast.client("coordinator"), f"/subjects/{subject.number}/log/AE/"
    assert client.post(f"{address}restore/", {"reason": "It never was"}).status_code == 409
    client.post(f"{address}strike-out/", {"reason": "Another patient's"})
    assert rows_of_subject(subject) == []
    assert client.post(f"{address}restore/", {"reason": ""}).status_code == 422
    assert "Take the strike-out back" in client.get(address).content.decode()
    assert "Take the strike-out back" not in cast.client("monitor").get(address).content.decode()
    assert client.post(f"{address}restore/", {"reason": "It was this patient"}).status_code == 302
    assert [each.form for each in rows_of_subject(subject)] == ["AE"]
    reasons = [event.reason for event in history("casebook_entry", row.pk)]
    assert reasons[-2:] == ["Another patient's", "It was this patient"]


@pytest.mark.parametrize("closed", ["locked", "frozen"])
def test_a_closed_row_stays_struck_out(cast: Cast, closed: str) -> None:
    subject = cast.subject()
    row = services.open_entry(actor=cast.actor(), subject=subject, visit=None, form="AE")
    services.strike_out(actor=cast.actor(), entry=row, reason="Another patient's")
    with acting(SETUP):
        Entry.objects.filter(pk=row.pk).update(**{closed: True})
    with pytest.raises(EntryClosedError):
        services.take_back_strike_out(
            actor=cast.actor(), entry=entries().get(pk=row.pk), reason="It was this patient"
        )


def test_what_may_not_be_opened_does_not_come_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = cast.subject()
    row = services.open_entry(actor=cast.actor(), subject=subject, visit=None, form="AE")
    services.strike_out(actor=cast.actor(), entry=row, reason="Another patient's")
    monkeypatch.setattr(registry, "_guards", [lambda *_: FormNotHereError(form="AE", visit="a third time")])
    with pytest.raises(FormNotHereError):
        services.take_back_strike_out(actor=cast.actor(), entry=row, reason="It was this patient")
    assert entries().get(pk=row.pk).struck_out
