"""Reference limits of a value: those of the site's laboratory on the day of the sample, kept with the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.context import acting
from audit.models import Event
from casebook import services
from casebook.errors import ItemRefusedError
from casebook.facts import facts_of
from casebook.models import Entry, EntryState
from casebook.rules.cells import Typed
from casebook.rules.limits import limit_mark, shown_limit
from casebook.selectors import entries
from foundation import clock
from foundation.errors import Invalid
from logic import Truth, compile_rule
from patients.models import Subject
from tests.cast import SETUP, Cast
from trials.laboratories.models import Laboratory, ReferenceRange
from trials.laboratories.services import (
    add_range,
    correct_range,
    import_ranges,
    register_laboratory,
    withdraw_range,
)
from visits.models import Visit

pytestmark = pytest.mark.django_db
START = "2020-01-01"


def laboratory(cast: Cast, code: str = "OUS", *rows: dict[str, str]) -> Laboratory:
    lab = register_laboratory(
        actor=cast.actor("datamanager"), code=code, name=f"{code} biochemistry", sites=[cast.home]
    )
    for row in rows:
        add_range(actor=cast.actor("datamanager"), laboratory=lab, fields={"valid_from": START, **row})
    return lab


def hgb(low: str, high: str, **more: str) -> dict[str, str]:
    return {"test": "HGB", "unit": "g/L", "low": low, "high": high, **more}


def person(cast: Cast, sex: str = "M", born: str = "1960-05-01") -> Subject:
    subject = cast.subject("EXCALIBUR")
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="DM")
    for item, value in (("SEX", sex), ("BRTHDAT", born)):
        if value:
            entry = save(cast, entry, item, value)
    return subject


def lab_form(cast: Cast, subject: Subject) -> Entry:
    visit = Visit.objects.get(subject=subject, code="SCR")
    return services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")


def save(cast: Cast, entry: Entry, item: str, value: str, *, reason: str = "", **parts: str) -> Entry:
    services.save_item(
        actor=cast.actor(), entry=entry, item_id=item, typed=Typed(value=value, **parts), reason=reason
    )
    return entries().get(pk=entry.pk)


def filled(cast: Cast, subject: Subject, on: str = "2026-03-01", **parts: str) -> dict[str, Any]:
    entry = save(cast, lab_form(cast, subject), "LBDAT", on)
    return save(cast, entry, "HGB", "130", **{"unit": "g/L", **parts}).values["HGB"]


@pytest.mark.req("ELG-03")
def test_the_range_that_applied_is_kept_with_the_value(cast: Cast) -> None:
    laboratory(cast, "OUS", hgb("134", "170", sex="M"), hgb("117", "153", sex="F"))
    man, woman = filled(cast, person(cast, "M")), filled(cast, person(cast, "F"))
    assert (man["low"], man["high"]) == ("134", "170")
    assert (woman["low"], woman["high"]) == ("117", "153")
    assert man["range"]["laboratory"] == "OUS biochemistry"
    assert man["range"]["id"] == ReferenceRange.objects.get(sex="M").pk
    item = cast.trials["EXCALIBUR"].versions.get().protocol.form("LB").item("HGB")
    assert (limit_mark(item, man), limit_mark(item, woman)) == ("low", "normal")


@pytest.mark.req("ELG-03")
@pytest.mark.parametrize(("on", "low"), [("2025-04-30", "134"), ("2025-05-01", "120")])
def test_the_age_is_that_on_the_day_of_the_sample_and_not_of_today(cast: Cast, on: str, low: str) -> None:
    laboratory(cast, "OUS", hgb("134", "170", age_to="64"), hgb("120", "170", age_from="65"))
    assert filled(cast, person(cast, "M", "1960-05-01"), on)["low"] == low


@pytest.mark.parametrize(("sex", "born"), [("", "1960-05-01"), ("M", "")])
def test_an_unknown_sex_or_birth_gives_no_range_and_never_normal(cast: Cast, sex: str, born: str) -> None:
    laboratory(
        cast,
        "OUS",
        hgb("134", "170", sex="M", age_to="64"),
        hgb("130", "170", sex="M", age_from="65"),
        hgb("117", "153", sex="F"),
    )
    cell = filled(cast, person(cast, sex, born))
    assert cell == {"value": "130", "unit": "g/L"}
    item = cast.trials["EXCALIBUR"].versions.get().protocol.form("LB").item("HGB")
    assert limit_mark(item, cell) == ""


def test_several_laboratories_ask_for_the_one_that_is_meant(cast: Cast) -> None:
    laboratory(cast, "OUS", hgb("134", "170"))
    laboratory(cast, "FURST", hgb("130", "165"))
    entry = save(cast, lab_form(cast, person(cast)), "LBDAT", "2026-03-01")
    entry = save(cast, entry, "HGB", "130", unit="g/L")
    assert "range" not in entry.values["HGB"]
    entry = save(cast, entry, "LBNAM", "furst biochemistry")
    assert entry.values["HGB"]["low"] == "130"
    entry = save(cast, entry, "LBNAM", "Somewhere else")
    assert entry.values["HGB"] == {"value": "130", "unit": "g/L"}


def test_the_range_follows_the_day_of_the_sample(cast: Cast) -> None:
    laboratory(cast, "OUS", hgb("134", "170"), hgb("130", "170", valid_from="2026-03-01"))
    entry = save(cast, lab_form(cast, person(cast)), "LBDAT", "2026-03-01")
    entry = save(cast, entry, "HGB", "132", unit="g/L")
    assert entry.values["HGB"]["low"] == "130"
    entry = save(cast, entry, "LBDAT", "2026-02-28")
    assert entry.values["HGB"]["low"] == "134"


def test_a_range_typed_by_hand_stays_and_says_so(cast: Cast) -> None:
    laboratory(cast, "OUS", hgb("134", "170"))
    entry = save(cast, lab_form(cast, person(cast)), "LBDAT", "2026-03-01")
    entry = save(cast, entry, "HGB", "130", unit="g/L", low="125", high="160")
    assert entry.values["HGB"] == {"value": "130", "unit": "g/L", "low": "125", "high": "160"}
    entry = save(cast, entry, "LBDAT", "2026-02-01")
    assert entry.values["HGB"]["low"] == "125"
    page = cast.client("coordinator").get(f"/subjects/{entry.subject.number}/SCR/LB/").content.decode()
    assert "typed by hand" in page
    entry = save(cast, entry, "HGB", "130", unit="g/L")
    assert entry.values["HGB"]["low"] == "134"


def test_limits_that_come_back_from_the_page_are_not_taken_for_typed_ones(cast: Cast) -> None:
    laboratory(cast, "OUS", {"test": "AST", "unit": "U/L", "low": "15", "high": "50"})
    entry = save(cast, lab_form(cast, person(cast)), "LBDAT", "2026-03-01")
    entry = save(cast, entry, "AST", "2.5", unit="ukat/L")
    shown = {name: shown_limit(entry.values["AST"][name]) for name in ("low", "high")}
    assert shown == {"low": "0.25", "high": "0.8333"}
    entry = save(cast, entry, "AST", "150", unit="U/L", **shown)
    assert (entry.values["AST"]["high"], entry.values["AST"]["range"]["high"]) == ("50", "50")


@pytest.mark.req("ELG-03")
def test_a_value_at_a_converted_limit_does_not_flip(cast: Cast) -> None:
    """Three times 50 U/L is exactly 2.5 ukat/L, though 50 U/L has no end as a decimal in ukat/L."""
    laboratory(cast, "OUS", {"test": "AST", "unit": "U/L", "high": "50"})
    subject = person(cast)
    entry = save(cast, lab_form(cast, subject), "LBDAT", "2026-03-01")
    protocol = subject.version.protocol
    rule = compile_rule("LB.AST <= 3 * uln(LB.AST)", protocol.fact_schema())
    for value, verdict in (("2.5", Truth.TRUE), ("2.50000000000000001", Truth.FALSE)):
        entry = save(cast, entry, "AST", value, unit="ukat/L")
        assert rule.verdict(facts_of(subject, clock.today()).document) is verdict
    item = protocol.form("LB").item("AST")
    at_limit = {"value": "50", "unit": "U/L", "range": {"unit": "ukat/L", "low": "0.1", "high": "0.83333333"}}
    assert limit_mark(item, at_limit) == "high"
    assert limit_mark(item, {**at_limit, "value": "49.9999998"}) == "normal"


@pytest.mark.req("ELG-03")
def test_eligibility_reads_the_range_that_is_kept(cast: Cast) -> None:
    laboratory(cast, "OUS", {"test": "BILI", "unit": "mg/dL", "high": "1.5"})
    subject = person(cast)
    entry = save(cast, lab_form(cast, subject), "LBDAT", "2026-03-01")
    save(cast, entry, "BILI", "38.475", unit="umol/L")  # 1.5 x 1.5 mg/dL x 17.1, exactly
    rule = compile_rule("LB.BILI < 1.5 * uln(LB.BILI)", subject.version.protocol.fact_schema())
    assert rule.verdict(facts_of(subject, clock.today()).document) is Truth.FALSE


def test_a_corrected_range_changes_no_value_until_somebody_applies_it(cast: Cast) -> None:
    laboratory(cast, "OUS", hgb("134", "170"))
    subject = person(cast)
    assert filled(cast, subject)["low"] == "134"
    wrong = ReferenceRange.objects.get()
    new = correct_range(
        actor=cast.actor("datamanager"),
        range_id=wrong.pk,
        fields=hgb("131", "170", valid_from=START),
        reason="Typed from the wrong column",
    )
    assert (new.version, new.corrects_id) == (2, wrong.pk)
    assert Entry.objects.get(subject=subject, form="LB").values["HGB"]["low"] == "134"
    wrong.refresh_from_db()
    assert (wrong.low, wrong.withdrawn_because) == ("134", "Typed from the wrong column")


def test_a_range_is_neither_changed_nor_deleted_whoever_writes(cast: Cast) -> None:
    laboratory(cast, "OUS", hgb("134", "170"))
    row = ReferenceRange.objects.get()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), acting(SETUP):
        ReferenceRange.objects.filter(pk=row.pk).update(low="1")
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic(), acting(SETUP):
        ReferenceRange.objects.filter(pk=row.pk).delete()
    with pytest.raises(Invalid):
        withdraw_range(actor=cast.actor("datamanager"), range_id=row.pk, reason=" ")


def test_an_import_names_every_bad_row_and_stores_nothing_then(cast: Cast) -> None:
    lab = laboratory(cast, "OUS", hgb("134", "170"))
    heading = "test,unit,sex,age_from,age_to,low,high,valid_from\n"
    bad = heading + (
        "PLAT,10^9/L,,,,145,390,2024-01-01\n"
        "NEUT,stone,,,,1.8,7.5,2024-01-01\n"
        "BILI,umol/L,,,,30,5,2024-01-01\n"
        "ALB,g/L,,70,,34,,01.02.2024\n"
        "HGB,g/L,,,,134,170,2020-01-01\n"
    )
    done = import_ranges(actor=cast.actor("datamanager"), laboratory=lab, content=bad.encode())
    assert (done.added, [row.line for row in done.refused]) == (0, [3, 4, 5])
    assert "stone" in done.refused[0].reasons[0]
    assert ReferenceRange.objects.count() == 1
    good = heading.replace(",", ";") + "PLAT;K/uL;;;;145;390;2024-01-01\nBILI;umol/L;;;;5,5;25;2024-01-01\n"
    for added in (2, 0):
        done = import_ranges(actor=cast.actor("datamanager"), laboratory=lab, content=good.encode())
        assert (done.added, done.known) == (added, 2 - added)
    assert ReferenceRange.objects.get(test="BILI").low == "5.5"
    assert ReferenceRange.objects.get(test="PLAT").unit == "10^9/L"


def test_saving_a_laboratory_value_costs_at_most_eight_statements(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    laboratory(cast, "OUS", hgb("134", "170"))
    entry = save(cast, lab_form(cast, person(cast)), "LBDAT", "2026-03-01")
    save(cast, entry, "HGB", "131", unit="g/L")
    with statements() as done:
        services.save_item(
            actor=cast.actor(),
            entry=entries().get(pk=entry.pk),
            item_id="HGB",
            typed=Typed("132", "g/L"),
        )
    assert len(done.counted) - 1 + 2 <= 8, done.counted  # without the reading above, with BEGIN and COMMIT


def test_a_complete_form_takes_new_limits_with_the_reason_of_the_date(cast: Cast) -> None:
    laboratory(cast, "OUS", hgb("134", "170"), hgb("130", "170", valid_from="2026-03-01"))
    entry = save(cast, lab_form(cast, person(cast)), "LBDAT", "2026-03-01")
    entry = save(cast, entry, "HGB", "132", unit="g/L")
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.COMPLETE)
    entry = save(cast, entries().get(pk=entry.pk), "LBDAT", "2026-02-01", reason="Typing mistake")
    assert entry.values["HGB"]["low"] == "134"


def test_a_laboratory_that_is_named_later_brings_its_limits_to_the_page_and_the_panel_says_where_from(
    cast: Cast,
) -> None:
    laboratory(cast, "OUS", hgb("134", "170"))
    laboratory(cast, "NIGHT", hgb("130", "175"))
    subject = person(cast)
    entry = save(cast, lab_form(cast, subject), "LBDAT", "2026-03-01")
    save(cast, entry, "HGB", "120", unit="g/L")
    client, address = cast.client("coordinator"), f"/subjects/{subject.number}/SCR/LB/"
    assert "does not say which one" in client.get(f"{address}item/HGB/").content.decode()
    page = client.get(address).content.decode()
    assert '<option value="OUS biochemistry">' in page
    answer = client.post(f"{address}save/", {"item": "LBNAM", "value": "OUS biochemistry"}).content.decode()
    assert 'hx-target="#row-HGB"' in answer
    assert 'value="134"' in answer
    panel = client.get(f"{address}item/HGB/").content.decode()
    assert "Limits of OUS biochemistry, version 1: 134 to 170 g/L." in panel
    assert "120 g/L (limits 134 to 170)" in panel


@pytest.mark.parametrize("typed", ["188,000", "1,500", "-2,125"])
def test_a_comma_that_can_mean_thousands_is_asked_back(cast: Cast, typed: str) -> None:
    entry = lab_form(cast, person(cast))
    with pytest.raises(ItemRefusedError, match="can be"):
        save(cast, entry, "PLAT", typed, unit="/uL")
    with pytest.raises(ItemRefusedError, match="can be"):
        save(cast, entry, "PLAT", "188000", unit="/uL", high=typed.lstrip("-"))


@pytest.mark.parametrize(("typed", "kept"), [("12,4", "12.4"), ("0,125", "0.125"), ("1234,5", "1234.5")])
def test_any_other_comma_is_a_decimal_point(cast: Cast, typed: str, kept: str) -> None:
    entry = save(cast, lab_form(cast, person(cast)), "PLAT", typed, unit="10^9/L")
    assert entry.values["PLAT"]["value"] == kept


# The person is known later, or corrected -----------------------------------------------------------------------------


def unnamed(cast: Cast) -> tuple[Subject, Entry]:
    """A subject of whom neither sex nor birth is known, with a haemoglobin of 125 g/L."""
    subject = person(cast, sex="", born="")
    laboratory(cast, "OUS", hgb("134", "170", sex="M"), hgb("117", "153", sex="F"))
    entry = save(cast, lab_form(cast, subject), "LBDAT", "2026-03-01")
    return subject, save(cast, entry, "HGB", "125", unit="g/L")


def say(cast: Cast, subject: Subject, item: str, value: str) -> None:
    demographics = entries().get(subject=subject, form="DM")
    save(
        cast,
        demographics,
        item,
        value,
        reason="Corrected" if demographics.state == EntryState.COMPLETE else "",
    )


def test_a_value_entered_before_sex_and_birth_gets_its_limits_with_them(cast: Cast) -> None:
    subject, entry = unnamed(cast)
    assert "range" not in entry.values["HGB"]
    say(cast, subject, "BRTHDAT", "1960-05-01")
    say(cast, subject, "SEX", "F")
    assert (now(entry)["low"], now(entry)["high"]) == ("117", "153")


def now(entry: Entry) -> dict[str, Any]:
    return dict(entries().get(pk=entry.pk).values["HGB"])


def test_limits_follow_a_corrected_sex_and_the_value_stays(cast: Cast) -> None:
    subject, entry = unnamed(cast)
    say(cast, subject, "BRTHDAT", "1960-05-01")
    say(cast, subject, "SEX", "F")
    say(cast, subject, "SEX", "M")
    assert (now(entry)["low"], now(entry)["value"]) == ("134", "125")
    event = Event.objects.filter(table_name="casebook_entry", row_id=entry.pk).latest("pk")
    assert "sex and date of birth" in event.reason


@pytest.mark.parametrize("closed", ["frozen", "struck_out"])
def test_what_is_closed_keeps_the_limits_that_it_has(cast: Cast, closed: str) -> None:
    subject, entry = unnamed(cast)
    with acting(SETUP, reason="Closed"):
        Entry.objects.filter(pk=entry.pk).update(**{closed: True})
    say(cast, subject, "BRTHDAT", "1960-05-01")
    say(cast, subject, "SEX", "F")
    assert "range" not in now(entry)


def test_limits_typed_from_the_report_stay(cast: Cast) -> None:
    subject, entry = unnamed(cast)
    save(cast, entry, "HGB", "125", unit="g/L", low="120", high="160")
    say(cast, subject, "BRTHDAT", "1960-05-01")
    say(cast, subject, "SEX", "M")
    assert (now(entry)["low"], now(entry)["high"]) == ("120", "160")
