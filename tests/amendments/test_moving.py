"""A subject moves to a later version after consent again; what was entered keeps its value and its meaning."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.context import acting
from audit.models import Event
from casebook import services
from casebook.errors import CasebookLockedError, ItemRetiredError
from casebook.facts import facts_of
from casebook.models import Entry, Query
from casebook.pages.form import form_page
from casebook.pages.matrix import casebook_page
from casebook.selectors import entries, open_queries, worked_form
from patients.errors import MoveRefusedError
from patients.models import Subject, VersionMove
from patients.services import set_status
from tests.amendments.conftest import SETUP, Bench
from tests.conftest import setting_up
from trials.errors import VersionNotApproved
from visits.models import Visit
from visits.selectors import get_visit
from visits.services import record_visit

pytestmark = [pytest.mark.django_db, pytest.mark.req("DAT-09")]


def entry_of(subject: Subject, form: str, visit: str = "SCR") -> Entry:
    return entries().get(subject=subject, form=form, visit__code=visit)


# Who may move, and when ----------------------------------------------------------------------------------------------


def test_a_move_is_recorded_with_its_reason(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one")
    moved = bench.move(subject, "two", reason="Signed version 4 of the consent form")
    assert moved.version.label == "2.0"
    move = VersionMove.objects.get(subject=subject)
    assert (move.previous.label, move.version.label, move.reconsented_on) == ("1.0", "2.0", bench.today)
    event = Event.objects.filter(table_name="patients_subject", row_id=str(subject.pk)).latest("id")
    assert event.reason == "Signed version 4 of the consent form"
    assert Event.objects.filter(table_name="patients_versionmove").count() == 1
    with pytest.raises(IntegrityError, match="never changed"), acting(SETUP), transaction.atomic():
        VersionMove.objects.update(reason="something else")


def test_a_move_that_cannot_be_is_refused_with_its_reason(bench: Bench) -> None:
    subject = bench.screened_on("one")
    with pytest.raises(VersionNotApproved, match=r"no approval of HEPAFIT 2\.0"):
        bench.move(subject, "two")
    bench.approve("two", on=bench.today - timedelta(days=2))
    for refused, words in (
        ({"on": bench.today - timedelta(days=3)}, "no approval"),
        ({"on": bench.today + timedelta(days=1)}, "in the future"),
        ({"reason": " "}, "Give the reason"),
    ):
        with pytest.raises((MoveRefusedError, VersionNotApproved), match=words):
            bench.move(subject, "two", **refused)  # type: ignore[arg-type]
    moved = bench.move(subject, "two")
    for pack in ("one", "two"):
        with pytest.raises(MoveRefusedError, match="a later version only"):
            bench.move(moved, pack)
    assert VersionMove.objects.count() == 1


@pytest.mark.parametrize("status", ["DISCONTINUED", "SCREEN_FAILURE"])
def test_who_is_off_study_stays(bench: Bench, status: str) -> None:
    bench.approve("two")
    subject = bench.screened_on("one")
    set_status(actor=bench.actor(), subject=subject, status=status, on=bench.today)
    with pytest.raises(MoveRefusedError, match="is off study"):
        bench.move(subject, "two")


def test_a_locked_casebook_stays(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one")
    with setting_up():
        Entry.objects.filter(subject=subject).update(locked=True)
    with pytest.raises(CasebookLockedError, match="Every form"):
        bench.move(subject, "two")
    subject.refresh_from_db()
    assert subject.version.label == "1.0"


# What was entered ---------------------------------------------------------------------------------------------------


def test_a_completed_form_stays_as_it_was_and_asks_by_a_query_for_what_is_new(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one")
    before = {entry.pk: entry.values for entry in Entry.objects.filter(subject=subject)}
    bench.move(subject, "two")
    entry = entry_of(subject, "LE")
    assert {each.pk: each.values for each in Entry.objects.filter(subject=subject)} == before
    assert entry.state == "COMPLETE"
    worked = worked_form(entry)
    labels = {item.id: (item.label, item.unit) for item in worked.form.items}
    assert labels["SIZE"] == ("Size", "cm")
    assert labels["AGENT"] == ("Contrast agent given", "")
    query = Query.objects.get(entry=entry)
    assert (query.item, query.origin, query.state) == ("AGENT", "CHECK", "OPEN")
    bench.save(entry, "AGENT", "Y", reason="Asked by the amendment")
    assert {(each.item, each.state) for each in Query.objects.filter(entry=entry)} == {
        ("AGENT", "CLOSED"), ("WHICH", "OPEN"),
    }  # fmt: skip
    bench.save(entry, "WHICH", "!UNK", reason="Not in the source")
    assert not open_queries(entry_of(subject, "LE"))


def test_what_was_added_may_stay_empty_with_a_reason(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one")
    bench.move(subject, "two")
    services.confirm_finding(
        actor=bench.actor(),
        entry=entry_of(subject, "LE"),
        item_id="AGENT",
        check_id="AGENT-added",
        reason="The scan was before the amendment",
    )
    assert not Query.objects.filter(subject=subject).exclude(state="CLOSED").exists()


def test_rules_never_read_centimetres_as_millimetres(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one", lump="2.4")
    assert facts_of(subject, bench.today).document["SIZE"] == "2.4"
    moved = bench.move(subject, "two")
    assert facts_of(moved, bench.today).document["SIZE"] == "24"


def test_a_form_begun_whose_values_would_mean_something_else_stays_too(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screen(version=bench.versions["one"])
    begun = bench.enter(subject, "SCR", "LE", complete=False, SIZE="2.4")
    neutral = bench.enter(subject, "SCR", "BL", complete=False, SEX="F", WILLING="Y")
    bench.move(subject, "two")
    kept = entries().get(pk=begun.pk)
    assert kept.entered_under == bench.versions["one"]
    assert worked_form(kept).form.item("SIZE").unit == "cm"
    assert "AGENT" in worked_form(kept).picture.unanswered
    assert entries().get(pk=neutral.pk).entered_under is None


def test_an_item_retired_with_data_stays_visible_on_an_open_form(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screen(version=bench.versions["one"])
    bench.enter(subject, "SCR", "BL", complete=False, SEX="F", WILLING="Y")
    bench.move(subject, "two")
    entry = entry_of(subject, "BL")
    shown = form_page(worked_form(entry), [], writable=True)
    row = next(row for row in shown.rows if row.item.id == "WILLING")
    assert (row.retired_in, row.typed, row.shown, row.writable) == ("2.0", "Y", True, False)
    assert "WILLING" not in worked_form(entry).picture.unanswered
    with pytest.raises(ItemRetiredError, match=r"not asked any more since protocol version 2\.0"):
        bench.save(entry, "WILLING", "N")


def test_a_retired_choice_keeps_its_words(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screen(version=bench.versions["one"])
    bench.enter(subject, "SCR", "LE", complete=False, HOW="XRAY")
    bench.move(subject, "two")
    row = next(
        row
        for row in form_page(worked_form(entry_of(subject, "LE")), [], writable=True).rows
        if row.item.id == "HOW"
    )
    assert row.typed == "XRAY"
    assert "Plain film" in [option.label for option in row.options]
    assert bench.versions["two"].protocol.codelist("METHOD").labels["XRAY"] == "Plain film"
    assert "XRAY" not in [code.code for code in bench.versions["two"].protocol.codelist("METHOD").codes]


def test_a_removed_form_with_data_stays_readable(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one", consent=-20)
    record_visit(
        actor=bench.actor(), visit=get_visit(subject, "W2"), happened_on=bench.today - timedelta(days=6)
    )
    bench.enter(subject, "W2", "FS", TIRED="Y", LUMP="3.1")
    moved = bench.move(subject, "two")
    page = casebook_page(moved)
    cells = {row.form.code: row.cells for row in page.rows}
    place = next(place for place, column in enumerate(page.columns) if column.label == "W2")
    cell = cells["FS"][place]
    assert cell is not None
    assert cell.status == "complete"
    answer = bench.client("coordinator").get(cell.url)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Largest lump" in page
    assert "It does not ask for this form any more" in page
    assert f'href="{cell.url}" aria-current="page"' in page, "its visit lists it beside the others"


def test_a_removed_form_takes_no_more_rows_and_keeps_its_own(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one", consent=-20)
    record_visit(
        actor=bench.actor(), visit=get_visit(subject, "W2"), happened_on=bench.today - timedelta(days=6)
    )
    bench.enter(subject, "W2", "FS", TIRED="Y", LUMP="3.1")
    bench.move(subject, "two")
    client, form = bench.client("coordinator"), f"/subjects/{subject.number}/W2/FS/"
    assert client.post(f"{form}add/").status_code in {409, 422}
    assert "Add a row" not in client.get(form).content.decode()
    assert Entry.objects.filter(subject=subject, form="FS").count() == 1


# Visits -------------------------------------------------------------------------------------------------------------


def test_visits_that_have_not_happened_are_planned_anew(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one", consent=-20)
    on = bench.today - timedelta(days=20)
    record_visit(actor=bench.actor(), visit=get_visit(subject, "W2"), happened_on=on + timedelta(days=14))
    bench.move(subject, "two")
    plan = {visit.code: visit for visit in Visit.objects.filter(subject=subject)}
    assert (plan["W2"].state, plan["W2"].happened_on) == ("DONE", on + timedelta(days=14))
    assert plan["W4"].target == on + timedelta(weeks=5)
    assert (plan["W4"].latest - plan["W4"].earliest).days == 7
    assert plan["M6"].state == "PLANNED"
    assert "D3" not in plan, "a visit that was over before the subject consented again is not asked"


def test_a_visit_removed_before_it_happened_is_not_planned(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one", consent=-3)
    bench.move(subject, "two")
    plan = {visit.code: visit.state for visit in Visit.objects.filter(subject=subject)}
    assert plan["W2"] == "SUPERSEDED"
    assert plan["D3"] == "PLANNED", "its window is open still"
    order = list(
        Visit.objects.filter(subject=subject, state="PLANNED")
        .order_by("ordinal")
        .values_list("code", flat=True)
    )
    assert order == ["D3", "W4", "M3", "M6"]


# Twice, and at two sites ---------------------------------------------------------------------------------------------


def test_a_subject_moves_twice(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one")
    moved = bench.move(subject, "two")
    bench.save(entry_of(subject, "LE"), "AGENT", "N", reason="Asked by the amendment")
    bench.publish("three")
    bench.approve("three")
    with pytest.raises(MoveRefusedError, match="is not earlier"):
        bench.move(moved, "three", on=bench.today - timedelta(days=1))
    last = bench.move(moved, "three")
    assert [move.version.label for move in last.moves.all()] == ["2.0", "3.0"]
    entry = entry_of(subject, "LE")
    assert entry.entered_under == bench.versions["one"]
    rows = {row.item.id: row for row in form_page(worked_form(entry), [], writable=True).rows}
    assert (rows["SIZE"].item.unit, rows["SEGMENT"].added_in, rows["AGENT"].retired_in) == (
        "cm",
        "3.0",
        "3.0",
    )
    assert [query.item for query in open_queries(entry)] == ["SEGMENT"]
    with (
        pytest.raises(IntegrityError, match="stays on the protocol version"),
        acting(SETUP),
        transaction.atomic(),
    ):
        Entry.objects.filter(pk=entry.pk).update(entered_under=bench.versions["two"])


def test_two_sites_are_on_different_versions_at_once(bench: Bench) -> None:
    bench.approve("two")
    new, old = bench.screened(bench.home), bench.screen(bench.away)
    assert (new.version.label, old.version.label) == ("2.0", "1.0")
    for subject, who, asked, not_asked in (
        (new, "coordinator", "Contrast agent", "Who measured"),
        (old, "away", "Who measured", "Contrast agent"),
    ):
        page = bench.client(who).get(f"/subjects/{subject.number}/SCR/LE/").content.decode()
        assert asked in page
        assert not_asked not in page
