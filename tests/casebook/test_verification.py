"""Source verification by the plan: what is asked, that the sample stays, and what changed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import IntegrityError, transaction

from accounts.selectors import access_of
from audit.context import acting
from audit.models import Event
from casebook import services
from casebook.due import queries_due
from casebook.models import Entry, EntryState, SamplingSeed
from casebook.rules.cells import Typed
from casebook.rules.verification import Place, is_planned
from casebook.selectors import entries
from casebook.verifying import sites_to_verify, verification_due, verification_marks
from patients.models import Subject
from tests.cast import SETUP, Cast
from trials.packs import bundled, load_pack
from trials.schema import Protocol
from visits.models import Visit

PACKS = {path.name: path for path in bundled().values()}


@cache
def protocol(name: str = "excalibur") -> Protocol:
    found, _ = load_pack(PACKS[name])
    assert found is not None
    return found


def place(number: int, form: str = "VS", rank: int = 9) -> Place:
    return Place(f"EXC-001-{number:03}", rank, "SCR", form, 1)


# The plan -----------------------------------------------------------------------------------------------------------


def test_an_item_is_asked_for_by_its_own_rule_before_that_of_its_form() -> None:
    plan = protocol()
    assert is_planned(plan, place(1, "LB"), "HGB", "seed")
    assert all(is_planned(plan, place(n, "DM"), "SEX", "seed") for n in range(50))
    assert not any(is_planned(plan, place(n, "DV"), "DVTERM", "seed") for n in range(50))


def test_the_first_subjects_of_a_site_are_verified_in_full_but_for_what_is_never() -> None:
    plan = protocol()
    assert plan.verification is not None
    last = plan.verification.first_subjects
    assert all(is_planned(plan, place(n, "VS", last), "WEIGHT", "seed") for n in range(50))
    assert not all(is_planned(plan, place(n, "VS", last + 1), "WEIGHT", "seed") for n in range(50))
    assert not is_planned(plan, place(1, "DV", 1), "DVTERM", "seed")


def test_the_sample_is_the_same_at_every_call_and_another_under_another_seed() -> None:
    plan = protocol()
    drawn = [[is_planned(plan, place(n), "WEIGHT", seed) for n in range(400)] for seed in ("a", "a", "b")]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert 50 <= sum(drawn[0]) <= 115  # 20 % of 400


def test_without_its_seed_nothing_is_drawn() -> None:
    assert not any(is_planned(protocol(), place(n), "WEIGHT", "") for n in range(200))


def test_a_sample_of_subjects_takes_all_or_none_of_their_items() -> None:
    plan = protocol()
    for number in range(100):
        where = place(number, "CM")
        taken = {is_planned(plan, where, item, "seed") for item in ("CMTRT", "CMDOSE", "CMSTDAT")}
        taken |= {is_planned(plan, replace(where, repeat=7), "CMTRT", "seed")}
        assert len(taken) == 1


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"rules": [{"extent": "all", "forms": ["VX"]}]}, "unknown form 'VX'"),
        ({"rules": [{"extent": "all", "items": ["VS.WEIHGT"]}]}, "did you mean 'VS.WEIGHT'"),
        ({"rules": [{"extent": "all", "items": ["VS.BMI"]}]}, "is worked out and has no source"),
        (
            {"rules": [{"extent": "all", "forms": ["VS"]}, {"extent": "none", "forms": ["VS"]}]},
            "stands twice",
        ),
        ({"otherwise": "sample"}, "a sample needs its share"),
        ({"otherwise": "sample", "sample": {"percent": 100}}, "between 1 and 99"),
        ({"otherwise": "all", "sample": {"percent": 10}}, "a share is given"),
        ({"rules": [{"extent": "all"}]}, "names forms, items, or both"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(tmp_path: Path, plan: dict[str, Any], words: str) -> None:
    pack = tmp_path / "pack"
    source = PACKS["thermodox"]
    for file in source.rglob("*.yaml"):
        target = pack / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.read_text())
    (pack / "verification.yaml").write_text(yaml.safe_dump({"verification": {"source": "proposed", **plan}}))
    _, faults = load_pack(pack)
    assert any(words in str(fault) for fault in faults), faults


# At a site ----------------------------------------------------------------------------------------------------------


def form(cast: Cast, subject: Subject, code: str = "VS", **values: tuple[str, str]) -> Entry:
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form=code)
    for item, (value, unit) in values.items():
        services.save_item(
            actor=cast.actor(), entry=entries().get(pk=entry.pk), item_id=item, typed=Typed(value, unit)
        )
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.COMPLETE)
    return entries().get(pk=entry.pk)


def vital_signs(cast: Cast) -> Entry:
    return form(cast, cast.subject(), HEIGHT=("170", "cm"), WEIGHT=("70", "kg"))


@pytest.mark.django_db
def test_items_are_due_verified_and_changed_since(cast: Cast) -> None:
    entry = vital_signs(cast)
    assert verification_marks(entry) == {"HEIGHT": "due", "WEIGHT": "due"}
    services.verify_item(actor=cast.actor("monitor"), entry=entry, item="WEIGHT")
    assert verification_marks(entry)["WEIGHT"] == "verified"
    services.save_item(
        actor=cast.actor(), entry=entry, item_id="WEIGHT", typed=Typed("71", "kg"), reason="Typing mistake"
    )
    entry = entries().get(pk=entry.pk)
    assert verification_marks(entry) == {"HEIGHT": "due", "WEIGHT": "changed"}
    services.verify_entry(actor=cast.actor("monitor"), entry=entry)
    assert set(verification_marks(entry).values()) == {"verified"}
    services.save_item(
        actor=cast.actor(), entry=entry, item_id="HEIGHT", typed=Typed("171", "cm"), reason="Typing mistake"
    )
    assert verification_marks(entries().get(pk=entry.pk)) == {"HEIGHT": "changed", "WEIGHT": "verified"}


@pytest.mark.django_db
def test_a_confirmed_check_is_no_change_of_what_was_verified(cast: Cast) -> None:
    entry = vital_signs(cast)
    services.verify_entry(actor=cast.actor("monitor"), entry=entry)
    services.confirm_finding(
        actor=cast.actor(),
        entry=entry,
        item_id="WEIGHT",
        check_id="VS-WGT-01",
        reason="Checked in the source",
    )
    assert set(verification_marks(entries().get(pk=entry.pk)).values()) == {"verified"}


@pytest.mark.django_db
def test_what_is_still_being_entered_is_not_verified_yet(cast: Cast) -> None:
    entry = vital_signs(cast)
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state=EntryState.IN_PROGRESS)
    assert verification_marks(entries().get(pk=entry.pk)) == {}
    assert verification_due(access_of(cast.people["monitor"])) == []


@pytest.mark.django_db
def test_a_monitor_sees_what_is_to_verify_at_each_site_in_a_constant_number_of_statements(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    vital_signs(cast)
    access = access_of(cast.people["monitor"])
    with statements() as one:
        sites = sites_to_verify(access)
    assert [(site.site, site.waits, site.forms) for site in sites] == [("NO-01", 2, 1)]
    for _ in range(4):
        vital_signs(cast)
    with statements() as many:
        again = verification_due(access)
    assert len(one.counted) == len(many.counted) <= 5
    assert again == verification_due(access)
    assert verification_due(access_of(cast.people["coordinator"])) == []


@pytest.mark.django_db
def test_the_page_and_the_form_tell_a_monitor_and_a_key_is_answered_with_the_mark(cast: Cast) -> None:
    entry = vital_signs(cast)
    monitor = cast.client("monitor")
    page = monitor.get("/verification/?trial=EXCALIBUR&site=NO-01").content.decode()
    assert "2 items in 1 form" in page
    address = f"/subjects/{entry.subject.number}/SCR/VS/"
    shown = monitor.get(address).content.decode()
    assert "2 to verify" in shown
    assert "data-verify" in shown
    assert "data-verify" not in cast.client("coordinator").get(address).content.decode()
    answer = monitor.post(
        f"{address}verify/", {"item": "WEIGHT"}, headers={"HX-Request": "true", "HX-Target": "verify-WEIGHT"}
    )
    assert answer.status_code == 200
    assert 'id="verify-WEIGHT"' in answer.content.decode()
    assert "data-verify" not in answer.content.decode()
    for role in ("coordinator", "investigator", "sponsor", "outsider"):
        assert cast.client(role).get("/verification/").status_code == 404


@pytest.mark.django_db
def test_the_seed_is_drawn_once_and_never_shown_or_changed(cast: Cast) -> None:
    cast.subject()
    cast.subject()
    seed = SamplingSeed.objects.get()
    assert len(seed.seed) == 64
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), acting(SETUP):
        SamplingSeed.objects.update(seed="0" * 64)
    told = Event.objects.filter(table_name="casebook_samplingseed").values_list("after", flat=True)
    assert told
    assert all(seed.seed not in str(after) for after in told)


@pytest.mark.django_db
def test_queries_wait_at_desks_in_one_statement(cast: Cast, statements: Callable[[], Any]) -> None:
    entry = vital_signs(cast)
    for item in ("HEIGHT", "WEIGHT"):
        services.raise_query(actor=cast.actor("monitor"), entry=entry, item=item, text="Really?")
    access = access_of(cast.people["coordinator"])
    with statements() as done:
        (due,) = queries_due(access)
    assert len(done.counted) == 1
    assert (due.number, due.visit, due.form, due.waiting) == (entry.subject.number, "SCR", "VS", 2)
    assert queries_due(access_of(cast.people["monitor"])) == []
