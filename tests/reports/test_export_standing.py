"""What an export tells of how forms stand: signatures, states, verification, queries, study days."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import IO

import pytest

from audit.context import acting
from casebook import services as casebook
from casebook.models import Entry, Query
from casebook.services import states
from casebook.services.verification import verify_item
from foundation import clock
from reports.exports.frame import Wanted
from reports.exports.package import write_export
from reports.exports.tables import columns_of, study_day_of
from tests.casebook.signing_case import Case, again
from tests.cast import SETUP, Cast
from tests.reports.test_exports import rows
from trials.packs import bundled_protocol

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


def files_of(case: Case, as_of: datetime | None = None) -> dict[str, list[dict[str, str]]]:
    """Every table of an export."""
    kept: dict[str, io.BytesIO] = {}

    @contextmanager
    def opener(name: str) -> Iterator[IO[bytes]]:
        kept[name] = io.BytesIO()
        yield kept[name]

    write_export(Wanted(case.subject.trial, (), as_of), opener, by="Somebody")
    return {name: rows(out.getvalue()) for name, out in kept.items() if name.endswith(".csv")}


# Signatures ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("SIG-01")
def test_a_signature_comes_out_with_name_moment_meaning_and_digest(case: Case) -> None:
    entry = case.form()
    (record,) = case.sign(case.key(entry=entry)).signed
    [row] = files_of(case)["signatures.csv"]
    assert (row["SIGNER"], row["MEANING"], row["SHA256"]) == (
        "Investigator Person",
        "approval",
        record.digest,
    )
    assert (row["FORM"], row["VISIT"], row["ROW"], row["FORMS"]) == ("LB", "SCR", "1", "1")
    assert (row["HOLDS"], row["GENUINE"], row["CONTENTVERS"]) == ("Y", "Y", "2")
    at = record.signature.at.replace(microsecond=0)
    assert datetime.fromisoformat(row["SIGNED_UTC"]) == datetime.fromisoformat(row["SIGNED_LOCAL"]) == at
    assert row["SIGNED_UTC"].endswith("+00:00")
    assert row["ZONE"] == "Europe/Oslo"


@pytest.mark.req("SIG-03")
def test_one_that_no_longer_holds_says_since_when_by_whom_and_why(case: Case) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    then = clock.now()
    case.save(entry, "HGB", "12.9", "g/dL", reason="Read from the wrong line")
    case.sign(case.key(entry=entry))
    old, new = files_of(case)["signatures.csv"]
    assert (old["HOLDS"], old["BROKEN_BY"], old["BROKEN_WHY"]) == (
        "N",
        "Coordinator Person",
        "Read from the wrong line",
    )
    assert old["BROKEN_UTC"]
    assert (new["HOLDS"], new["BROKEN_BY"]) == ("Y", "")
    [before] = files_of(case, then)["signatures.csv"]
    assert before["HOLDS"] == "Y"


def test_every_form_that_a_signature_covers_is_named_with_its_digest(case: Case) -> None:
    case.whole_visit()
    (record,) = case.sign(case.key("visit")).signed
    found = files_of(case)["signed_forms.csv"]
    assert [row["SHA256"] for row in found] == [line["digest"] for line in record.manifest]
    assert [row["FORM"] for row in found] == [line["form"] for line in record.manifest]


# States, verification, queries ----------------------------------------------------------------------------------------


def test_each_form_comes_out_with_its_states(case: Case) -> None:
    entry = case.form()
    manager = case.cast.actor("datamanager")
    states.review(actor=manager, scope=case.scope(entry, case.visit))
    case.sign(case.key(entry=entry))
    states.lock(actor=manager, scope=case.scope(again(entry), case.visit))
    [row] = files_of(case)["states.csv"]
    assert (row["FORM"], row["STATE"], row["SIGNING"], row["LOCKED"], row["FROZEN"]) == (
        "LB",
        "COMPLETE",
        "SIGNED",
        "Y",
        "N",
    )
    assert (row["REVIEWED_BY"], row["REVIEW"]) == ("Datamanager Person", "DATA")


def test_a_verified_item_that_was_changed_since_says_so(case: Case) -> None:
    entry = case.form()
    monitor = case.cast.actor("monitor")
    for item in ("HGB", "PLAT"):
        verify_item(actor=monitor, entry=again(entry), item=item)
    case.save(entry, "PLAT", "190", "10^9/L")
    found = {row["ITEM"]: row for row in files_of(case)["verification.csv"]}
    assert (found["HGB"]["STATE"], found["PLAT"]["STATE"]) == ("VERIFIED", "CHANGED")
    assert found["HGB"]["VERIFIED_BY"] == "Monitor Person"


def test_a_query_comes_out_with_its_whole_thread(case: Case) -> None:
    entry = case.form()
    monitor = case.cast.actor("monitor")
    query = casebook.raise_query(actor=monitor, entry=again(entry), item="HGB", text="Please look.")
    then = clock.now()
    casebook.answer_query(actor=case.cast.actor(), query=query, text="It is right.")
    found = files_of(case)
    [row] = [each for each in found["queries.csv"] if each["QUERY"] == str(query.pk)]
    assert (row["ITEM"], row["VISIT"], row["TEXT"], row["STATE"]) == (
        "HGB",
        "SCR",
        "Please look.",
        "ANSWERED",
    )
    thread = [each for each in found["query_messages.csv"] if each["QUERY"] == str(query.pk)]
    assert [(each["MESSAGE"], each["AUTHOR"], each["TEXT"]) for each in thread] == [
        ("1", "Monitor Person", "Please look."),
        ("2", "Coordinator Person", "It is right."),
    ]
    assert Query.objects.count() == 1
    assert len(files_of(case, then)["query_messages.csv"]) == 1


# Study days ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "found"),
    [("2026-03-04", 1), ("2026-03-05", 2), ("2026-03-03", -1), ("2026-03", ""), ("", ""), (None, "")],
)
def test_there_is_no_day_zero_and_a_partial_date_has_no_study_day(day: str | None, found: int | str) -> None:
    assert study_day_of(date(2026, 3, 4), day) == found
    assert study_day_of(None, day) == ""


def test_a_study_day_stands_beside_each_date() -> None:
    names = [column.name for column in columns_of([bundled_protocol("THERMODOX").form("AE")])]
    assert names[names.index("AESTDAT") + 1] == "AESTDY"
    assert names[names.index("AEENDAT") + 1] == "AEENDY"


def test_days_count_from_the_first_infusion_and_from_nothing_before_it(cast: Cast) -> None:
    case = Case(cast, "THERMODOX")
    entry = casebook.open_entry(actor=cast.actor(), subject=case.subject, visit=case.visit, form="LB")
    case.save(entry, "LBDAT", "2026-03-01")
    found = files_of(case)
    assert (found["LB.csv"][0]["LBDY"], found["subjects.csv"][0]["RFSTDTC"]) == ("", "")
    with acting(SETUP, reason="Set up"):
        Entry.objects.create(
            subject=case.subject, visit=case.visit, form="EX", values={"EXSTDAT": {"value": "2026-03-04"}}
        )
    found = files_of(case)
    assert (found["LB.csv"][0]["LBDY"], found["EX.csv"][0]["EXSTDY"]) == ("-3", "1")
    assert found["subjects.csv"][0]["RFSTDTC"] == "2026-03-04"
    happened = case.visit.happened_on
    assert happened is not None
    assert found["visits.csv"][0]["VISITDY"] == str((happened - date(2026, 3, 4)).days + 1)
