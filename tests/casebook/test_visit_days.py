"""The day of a visit, by which every value of its forms is dated."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from audit.context import Actor, acting
from audit.models import Event
from casebook import services
from casebook.errors import VisitKeptError
from casebook.rules.cells import Typed
from casebook.selectors import entries, worked_form
from casebook.services import states
from casebook.services.visits import visit_did_not_happen
from foundation import clock
from patients.models import Subject
from tests.casebook.signing_case import Case, again
from tests.cast import SETUP, Cast
from visits.errors import DayChangeReasonError, NotRecordedError
from visits.models import Visit, VisitState
from visits.services import add_unscheduled_visit, record_visit

pytestmark = pytest.mark.django_db


def yesterday(case: Case) -> date:
    return clock.today(case.subject.site.time_zone) - timedelta(days=1)


def moved(case: Case, reason: str = "Read off the wrong line") -> Visit:
    return record_visit(actor=case.cast.actor(), visit=case.visit, happened_on=yesterday(case), reason=reason)


# Changing it ---------------------------------------------------------------------------------------------------------


def test_a_day_that_was_recorded_changes_with_a_reason_that_the_trail_keeps(case: Case) -> None:
    client = case.cast.client("coordinator")
    address = f"/subjects/{case.subject.number}/visits/SCR/happened/"
    sent = {"happened_on": yesterday(case).isoformat()}
    refused = client.post(address, sent)
    assert refused.status_code == 422
    assert "why the day of the visit changes" in refused.content.decode()
    assert client.post(address, {**sent, "reason": "Read off the wrong line"}).status_code == 302
    case.visit.refresh_from_db()
    assert case.visit.happened_on == yesterday(case)
    event = Event.objects.filter(table_name="visits_visit", row_id=case.visit.pk).latest("pk")
    assert event.reason == "Read off the wrong line"


def test_the_same_day_again_is_no_change(case: Case) -> None:
    today = clock.today(case.subject.site.time_zone)
    record_visit(actor=case.cast.actor(), visit=case.visit, happened_on=today)
    assert case.visit.happened_on == today


@pytest.mark.req("LCK-02")
@pytest.mark.parametrize("closed", ["form locked", "form frozen", "visit locked", "casebook locked"])
def test_the_day_stays_while_something_of_the_visit_is_closed(
    case: Case, manager: Actor, closed: str
) -> None:
    entry = case.form()
    if closed == "form frozen":
        states.freeze(actor=manager, scope=case.scope(entry, case.visit))
    elif closed == "form locked":
        case.sign(case.key(entry=entry))
        states.lock(actor=manager, scope=case.scope(again(entry), case.visit))
    else:
        case.whole_visit()
        case.sign(case.key("visit"))
        case.sign(case.key("casebook"))
        states.lock(actor=manager, scope=case.scope(None, case.visit if closed == "visit locked" else None))
    with pytest.raises(VisitKeptError, match="its day stays"):
        moved(case)
    with pytest.raises(VisitKeptError), acting(SETUP, reason="By hand"):
        Visit.objects.filter(pk=case.visit.pk).update(happened_on=yesterday(case))
    case.visit.refresh_from_db()
    assert case.visit.happened_on != yesterday(case)


# Taking it back ------------------------------------------------------------------------------------------------------


def taken_back(case: Case, visit: Visit | None = None, reason: str = "The wrong patient") -> Visit:
    return visit_did_not_happen(actor=case.cast.actor(), visit=visit or case.visit, reason=reason)


def test_a_visit_recorded_by_mistake_is_planned_again(case: Case) -> None:
    client = case.cast.client("coordinator")
    address = f"/subjects/{case.subject.number}/"
    assert "Recorded by mistake" in client.get(address).content.decode()
    answer = client.post(f"{address}visits/SCR/not-happened/", {"reason": "The wrong patient"})
    assert answer.status_code == 302
    case.visit.refresh_from_db()
    assert (case.visit.state, case.visit.happened_on) == (VisitState.PLANNED, None)


def test_a_second_unscheduled_visit_by_mistake_goes_away(case: Case) -> None:
    today = clock.today(case.subject.site.time_zone)
    actor, subject = case.cast.actor(), case.subject
    first, second = (add_unscheduled_visit(actor=actor, subject=subject, happened_on=today) for _ in range(2))
    taken_back(case, second)
    page = case.cast.client("coordinator").get(f"/subjects/{subject.number}/").content.decode()
    assert f'data-open="#visit-{first}"'.lower() in page.lower()
    assert "Unscheduled visit 2" not in page


def test_it_needs_a_reason_and_a_visit_that_was_recorded(case: Case) -> None:
    with pytest.raises(DayChangeReasonError):
        taken_back(case, reason=" ")
    taken_back(case)
    with pytest.raises(NotRecordedError):
        taken_back(case)


def test_a_visit_with_a_value_stays(case: Case) -> None:
    case.form(complete=False)
    with pytest.raises(VisitKeptError, match="Something is entered"):
        taken_back(case)
    case.visit.refresh_from_db()
    assert case.visit.state == VisitState.DONE


# Not recorded yet ----------------------------------------------------------------------------------------------------


def weighed(cast: Cast, subject: Subject, visit: str, form: str, **values: str) -> int:
    place = Visit.objects.get(subject=subject, code=visit)
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=place, form=form)
    for item, text in values.items():
        value, _, unit = text.partition(" ")
        services.save_item(
            actor=cast.actor(), entry=entries().get(pk=entry.pk), item_id=item, typed=Typed(value, unit)
        )
    return int(entry.pk)


def test_the_dose_is_planned_with_the_weight_of_the_procedure_though_its_day_is_not_recorded(
    cast: Cast,
) -> None:
    """80 kg at baseline and 60 kg at procedure 1, 180 cm: 50 mg/m2 of 1.73 m2 are 87 mg, not 100."""
    subject = cast.subject("THERMODOX")
    with acting(SETUP, reason="Set up"):
        Subject.objects.filter(pk=subject.pk).update(status="ENROLLED")
    subject.refresh_from_db()
    earlier = Visit.objects.get(subject=subject, code="BL")
    record_visit(actor=cast.actor(), visit=earlier, happened_on=clock.today("Europe/Oslo"))
    weighed(cast, subject, "BL", "VS", HEIGHT="180 cm", WEIGHT="80 kg")
    infusion = weighed(cast, subject, "P1", "EX")
    assert planned(infusion) == "100"
    weighed(cast, subject, "P1", "VS", WEIGHT="60 kg")
    assert planned(infusion) == "87"


def planned(infusion: int) -> str:
    dose = worked_form(entries().get(pk=infusion)).picture.derived["EXDOSPLN"]["value"]
    return f"{Decimal(dose):.0f}"


# Rows that are none --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("SCR/DM/2", 404),
        ("log/AE/999999", 404),
        ("log/AE/99999999999", 404),
        ("log/AE/2", 404),
        ("log/AE/0", 404),
    ],
)
def test_there_is_no_second_row_of_a_single_form_and_no_gap_in_a_log(
    case: Case, path: str, status: int
) -> None:
    client = case.cast.client("coordinator")
    address = f"/subjects/{case.subject.number}/{path}/"
    assert client.get(address).status_code == status
    assert client.post(f"{address}save/", {"item": "SEX", "value": "F"}).status_code == status
    assert client.post(f"{address}complete/").status_code == status


def test_the_rows_of_a_log_follow_each_other(case: Case) -> None:
    services.open_entry(actor=case.cast.actor(), subject=case.subject, visit=None, form="AE")
    client = case.cast.client("coordinator")
    address = f"/subjects/{case.subject.number}/log/AE"
    assert client.get(f"{address}/2/").status_code == 200
    assert client.get(f"{address}/3/").status_code == 404


def test_the_database_is_not_asked_whether_a_visit_is_closed_by_a_new_plan(case: Case) -> None:
    """Windows move with what they count from, also beside something that is locked."""
    entry = case.form()
    case.sign(case.key(entry=entry))
    states.lock(actor=case.cast.actor("datamanager"), scope=case.scope(again(entry), case.visit))
    with acting(SETUP, reason="Planned anew"):
        Visit.objects.filter(pk=case.visit.pk).update(because="Planned anew")
    with pytest.raises((IntegrityError, VisitKeptError)), transaction.atomic(), acting(SETUP, reason="x"):
        Visit.objects.filter(pk=case.visit.pk).update(happened_on=None)
