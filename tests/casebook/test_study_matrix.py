"""The matrix of subjects × visits: what a cell says, who sees it, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from audit.context import acting
from casebook import services
from casebook.models import Entry, EntryState
from casebook.overview import MarkedVisit, overview_of
from casebook.pages.addresses import form_below, form_url
from casebook.pages.matrix import casebook_page
from casebook.rules.cells import Typed
from casebook.rules.marks import Marks, Occasion, Tally, marks_of, most_urgent
from casebook.rules.status import planned_forms
from foundation import clock
from patients.models import Subject
from tests.cast import SETUP, Cast
from visits.models import Visit
from visits.services import plan_visits_for, record_visit

TODAY = date(2026, 6, 15)


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def occasion(state: str = "PLANNED", *, closes: int = 5, happened: int | None = None) -> Occasion:
    """A visit with a window of ten days that closes some days from today."""
    return Occasion(state, day(closes - 10), day(closes), None if happened is None else day(happened))


@pytest.mark.parametrize(
    ("visit", "tally", "data"),
    [
        (occasion(closes=11), Tally(expected=8, missing=8), "planned"),
        (occasion(closes=10), Tally(expected=8, missing=8), "visit-due"),
        (occasion(closes=0), Tally(expected=8, missing=8), "visit-due"),
        (occasion(closes=-1), Tally(expected=8, missing=8), "visit-overdue"),
        (occasion("DONE", happened=0), Tally(expected=8, missing=8), "not-started"),
        (occasion("DONE", happened=-5), Tally(expected=8, missing=7, complete=1, entries=1), "in-progress"),
        (occasion("DONE", happened=-6), Tally(expected=8, missing=7, complete=1, entries=1), "overdue"),
        (occasion("DONE", happened=-6), Tally(expected=8, complete=8, entries=9), "complete"),
        (occasion("DONE", happened=-6), Tally(expected=8, complete=8, entries=9, locked=9), "locked"),
        (occasion("MISSED", closes=-30), Tally(expected=8, missing=8), "not-done"),
        (Occasion("PLANNED", None, None, None), Tally(expected=8, missing=8), "planned"),
    ],
)
def test_the_mark_of_the_data(visit: Occasion, tally: Tally, data: str) -> None:
    assert marks_of(visit, tally, TODAY).data == data


@pytest.mark.parametrize(
    ("tally", "checked", "signed"),
    [
        (Tally(), "none", "none"),
        (Tally(entries=2), "none", "none"),
        (Tally(entries=2, verified=1, signed=1), "part", "part"),
        (Tally(entries=2, verified=2, signed=2), "all", "all"),
        (Tally(entries=2, verified=1, changed=1, signed=1, again=1), "changed", "again"),
    ],
)
def test_verification_and_signature_are_marks_of_their_own(tally: Tally, checked: str, signed: str) -> None:
    marks = marks_of(occasion("DONE", happened=0), tally, TODAY)
    assert (marks.checked, marks.signed) == (checked, signed)


def test_words_name_every_mark() -> None:
    tally = Tally(
        expected=8, missing=3, complete=5, entries=6, verified=2, open_queries=1, answered_queries=2
    )
    assert marks_of(occasion("DONE", closes=-10, happened=-8), tally, TODAY).words == (
        "forms overdue, visit 2 days late, 5 of 8 forms complete; 1 open query, 2 answered queries; "
        "2 of 6 forms verified"
    )
    assert marks_of(occasion(closes=1), Tally(), TODAY).words == "due, window open for 1 more day"
    assert marks_of(occasion(closes=-3), Tally(expected=1, missing=1), TODAY).words == (
        "visit overdue, 3 days after its window"
    )


def test_of_several_occasions_the_one_that_needs_work_speaks() -> None:
    complete = marks_of(occasion("DONE", happened=-6), Tally(expected=1, complete=1, entries=1), TODAY)
    late = marks_of(occasion("DONE", happened=-6), Tally(expected=1, missing=1), TODAY)
    assert most_urgent([complete, late]) is late


# With a database ----------------------------------------------------------------------------------------------------


def at(subject: Subject, code: str) -> Marks:
    return visit_of(subject, code).marks


def visit_of(subject: Subject, code: str) -> MarkedVisit:
    found = Subject.objects.select_related("trial", "site", "version").get(pk=subject.pk)
    return next(each for each in overview_of([found]).visits[subject.pk] if each.code == code)


def complete_all(subject: Subject, code: str) -> None:
    """Every form of a visit, complete."""
    visit = Visit.objects.get(subject=subject, code=code)
    with acting(SETUP):
        Entry.objects.bulk_create(
            Entry(subject=subject, visit=visit, form=form, state=EntryState.COMPLETE, values={})
            for form in planned_forms(subject.version.protocol, code)
        )


@pytest.mark.django_db
def test_a_cell_leads_to_the_first_form_that_waits(cast: Cast) -> None:
    subject = cast.subject()
    screening = Visit.objects.get(subject=subject, code="SCR")
    record_visit(actor=cast.actor(), visit=screening, happened_on=clock.today())
    first, second = planned_forms(subject.version.protocol, "SCR")[:2]
    assert visit_of(subject, "SCR").waiting == first
    with acting(SETUP):
        Entry.objects.create(subject=subject, visit=screening, form=first, state=EntryState.COMPLETE)
    assert visit_of(subject, "SCR").waiting == second
    assert form_below(f"/subjects/{subject.number}/", "SCR", second) == form_url(subject, screening, second)


@pytest.mark.django_db
def test_a_row_that_is_not_complete_keeps_its_form_waiting(cast: Cast) -> None:
    subject = cast.subject()
    complete_all(subject, "SCR")
    assert at(subject, "SCR").data == "complete"
    visit = Visit.objects.get(subject=subject, code="SCR")
    with acting(SETUP):
        Entry.objects.create(subject=subject, visit=visit, form="LL", repeat=2, state=EntryState.IN_PROGRESS)
    assert at(subject, "SCR").data == "in-progress"
    assert visit_of(subject, "SCR").waiting == "LL"


@pytest.mark.django_db
def test_verified_is_verified_until_a_value_changes(cast: Cast) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    services.save_item(actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("12.4", "g/dL"))
    entry.refresh_from_db()
    services.verify_entry(actor=cast.actor("monitor"), entry=entry)
    assert at(subject, "SCR").checked == "all"
    with acting(SETUP):  # written again, and says the same
        Entry.objects.filter(pk=entry.pk).update(updated_at=clock.now() + timedelta(minutes=1))
    assert at(subject, "SCR").checked == "all"
    services.save_item(
        actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("12.9", "g/dL"), reason="Typing mistake"
    )
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(updated_at=clock.now() + timedelta(minutes=1))
    assert at(subject, "SCR").checked == "changed"


@pytest.mark.django_db
def test_the_matrix_and_the_casebook_agree(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    plan_visits_for(
        actor=cast.actor(), subject=subject, anchors={"PROCEDURES": [clock.today() - timedelta(days=40)]}
    )
    complete_all(subject, "SCR")
    found = Subject.objects.select_related("trial", "site", "version").get(pk=subject.pk)
    page = casebook_page(found)
    done = {
        column.visit.code: (forms.done, forms.total)
        for column, forms in page.by_visit
        if column.visit.code == "SCR"
    }
    tally = at(subject, "SCR").tally
    assert done["SCR"] == (tally.expected - tally.missing, tally.expected)


def page_of(cast: Cast, query: str = "", role: str = "coordinator") -> str:
    answer = cast.client(role).get(f"/casebooks/?{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.django_db
def test_each_site_sees_its_own_subjects(cast: Cast) -> None:
    here, there = cast.subject(), cast.subject(site=cast.away)
    own = page_of(cast, "trial=EXCALIBUR")
    assert here.number in own
    assert there.number not in own
    assert there.number in page_of(cast, "trial=EXCALIBUR", "coordinator2")
    both = page_of(cast, "trial=EXCALIBUR", "monitor")
    assert here.number in both
    assert there.number in both
    assert cast.client("sponsor").get("/casebooks/").status_code == 404
    assert cast.client("coordinator").get("/casebooks/?trial=NONE").status_code == 404


@pytest.mark.django_db
def test_filters_and_orders_are_in_the_address(cast: Cast) -> None:
    calm, late, asked = cast.subject("THERMODOX"), cast.subject("THERMODOX"), cast.subject("THERMODOX")
    plan_visits_for(
        actor=cast.actor(), subject=late, anchors={"PROCEDURES": [clock.today() - timedelta(days=60)]}
    )
    screening = Visit.objects.get(subject=asked, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=asked, visit=screening, form="LB")
    services.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Please check.")
    base = "trial=THERMODOX"
    overdue = page_of(cast, f"{base}&show=overdue")
    assert (late.number in overdue, calm.number in overdue) == (True, False)
    queries = page_of(cast, f"{base}&show=queries")
    assert (asked.number in queries, calm.number in queries) == (True, False)
    assert calm.number not in page_of(cast, f"{base}&status=COMPLETED")
    assert late.number not in page_of(cast, f"{base}&q={calm.number}")
    by_queries = page_of(cast, f"{base}&sort=queries")
    assert by_queries.index(asked.number) < by_queries.index(calm.number)
    by_deadline = page_of(cast, f"{base}&sort=deadline")
    assert by_deadline.index(late.number) < by_deadline.index(calm.number)
    assert "1 open query" in queries


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["", "&show=overdue&sort=queries", "&show=queries&sort=deadline"])
def test_the_matrix_costs_the_same_for_one_subject_and_for_many(
    cast: Cast, statements: Callable[[], Any], query: str
) -> None:
    late(cast)
    client = cast.client("coordinator")
    address = f"/casebooks/?trial=THERMODOX&rows=500{query}"
    client.get(address)
    with statements() as one:
        client.get(address)
    for _ in range(20):
        late(cast)
    with statements() as many:
        client.get(address)
    assert len(many.counted) == len(one.counted), many.counted
    assert len(one.counted) <= 20


def late(cast: Cast) -> None:
    """A subject with an overdue visit and a query."""
    subject = cast.subject("THERMODOX")
    screening = Visit.objects.get(subject=subject, code="SCR")
    with acting(SETUP):
        Visit.objects.filter(pk=screening.pk).update(
            earliest=clock.today() - timedelta(days=9), latest=clock.today() - timedelta(days=2)
        )
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=screening, form="LB")
    services.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Please check.")
