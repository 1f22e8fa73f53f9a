"""A visit outside its window proposes a protocol deviation; a person confirms it, and nothing is written before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from casebook import services
from casebook.models import Entry
from casebook.rules.cells import Typed
from foundation import clock
from patients.models import Subject
from tests.cast import Cast
from visits.models import Visit
from visits.services import plan_visits_for, record_visit

pytestmark = pytest.mark.django_db

SENTENCE = "day after its window"


@pytest.fixture
def subject(cast: Cast) -> Subject:
    found = cast.subject("EXCALIBUR")
    anchor = clock.today("Europe/Oslo") - timedelta(days=90)
    plan_visits_for(actor=cast.actor(), subject=found, anchors={"RANDOMISATION": [anchor]})
    return found


def visit_of(subject: Subject) -> Visit:
    return Visit.objects.get(subject=subject, code="W8")


def late(cast: Cast, subject: Subject) -> date:
    visit = visit_of(subject)
    assert visit.latest is not None
    on = visit.latest + timedelta(days=1)
    record_visit(actor=cast.actor(), visit=visit, happened_on=on)
    return on


def page(cast: Cast, subject: Subject, who: str = "coordinator") -> str:
    return cast.client(who).get(f"/subjects/{subject.number}/").content.decode()


def test_a_late_visit_proposes_a_deviation_and_writes_nothing(cast: Cast, subject: Subject) -> None:
    on = late(cast, subject)
    address = f"/subjects/{subject.number}/visits/W8/deviation/"
    assert SENTENCE in page(cast, subject)
    assert SENTENCE not in page(cast, subject, "monitor")
    gone = cast.client("coordinator").get(address)
    assert gone.status_code == 302
    form = cast.client("coordinator").get(gone.headers["Location"]).content.decode()
    assert "Visit window" in form
    assert f"{on.day} {on:%b %Y}" in form
    assert form.count('data-origin="window"') == 3
    assert not Entry.objects.filter(subject=subject, form="DV").exists()


def test_it_is_proposed_until_it_is_recorded(cast: Cast, subject: Subject) -> None:
    on = late(cast, subject)
    row = services.open_entry(actor=cast.actor(), subject=subject, visit=None, form="DV")
    services.save_item(actor=cast.actor(), entry=row, item_id="DVSTDAT", typed=Typed(on.isoformat()))
    assert SENTENCE in page(cast, subject)
    services.save_item(actor=cast.actor(), entry=row, item_id="DVDECOD", typed=Typed("VISIT WINDOW"))
    assert SENTENCE not in page(cast, subject)
    services.strike_out(actor=cast.actor(), entry=row, reason="Entered twice")
    assert SENTENCE in page(cast, subject)


def test_a_log_with_none_to_record_takes_it_all_the_same(cast: Cast, subject: Subject) -> None:
    late(cast, subject)
    services.record_none(actor=cast.actor(), subject=subject, form="DV")
    client = cast.client("coordinator")
    gone = client.get(f"/subjects/{subject.number}/visits/W8/deviation/").headers["Location"]
    assert client.get(gone).content.decode().count('data-origin="window"') == 3


def test_a_visit_in_its_window_proposes_nothing(cast: Cast, subject: Subject) -> None:
    visit = visit_of(subject)
    record_visit(actor=cast.actor(), visit=visit, happened_on=visit.target or clock.today())
    assert "its window" not in page(cast, subject)
    client = cast.client("coordinator")
    assert client.get(f"/subjects/{subject.number}/visits/W8/deviation/").status_code == 404


def test_who_records_the_day_is_told(cast: Cast, subject: Subject) -> None:
    visit = visit_of(subject)
    assert visit.latest is not None
    on = visit.latest + timedelta(days=2)
    answer = cast.client("coordinator").post(
        f"/subjects/{subject.number}/visits/W8/happened/", {"happened_on": on.isoformat()}, follow=True
    )
    assert "2 d after it closed" in answer.content.decode()
