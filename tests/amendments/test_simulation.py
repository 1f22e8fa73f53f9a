"""What an amendment would do is known before anybody is moved, and finding out writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from patients.models import Subject
from patients.services import set_status
from reports.impact.candidates import candidate_from_pack, compared_with
from reports.impact.simulation import Impact, SubjectImpact, simulate
from tests.amendments.conftest import PACKS, Bench
from trials.rules.difference import Difference, difference
from visits.models import Visit
from visits.selectors import get_visit
from visits.services import record_visit

pytestmark = [pytest.mark.django_db, pytest.mark.req("DAT-09")]


@pytest.fixture
def compared(bench: Bench) -> Difference:
    return difference(bench.versions["one"].protocol, bench.versions["two"].protocol)


def tried(bench: Bench) -> Impact:
    candidate = bench.versions["two"].protocol
    return simulate(
        bench.trial, compared_with(bench.trial, candidate), candidate, subjects=Subject.objects.all()
    )


def only(bench: Bench) -> SubjectImpact:
    return tried(bench).subjects[0]


def test_every_kind_of_change_is_named(compared: Difference) -> None:
    said = {
        (each.part, each.where, each.code, each.kind, each.aspect): (each.before, each.after)
        for each in compared.changes
    }
    assert said["item", "LE", "SIZE", "changed", "unit"] == ("cm", "mm")
    assert said["item", "LE", "SIZE", "changed", "label"] == ("Size", "Longest diameter")
    assert said["item", "LE", "HOW", "changed", "options"] == (
        "CT, MRI, Plain film",
        "CT, Magnetic resonance",
    )
    assert said["item", "BL", "WILLING", "retired", ""] == ("yesno", "")
    assert said["item", "LE", "AGENT", "added", ""] == ("", "yesno")
    assert said["form", "", "FS", "retired", ""] == ("", "")
    assert said["visit", "", "W4", "changed", "window"] == (
        "4 weeks after informed consent, +3 d", "5 weeks after informed consent, +7 d",
    )  # fmt: skip
    assert ("visit", "", "D3", "added", "") in said
    assert ("visit", "", "W2", "retired", "") in said
    assert ("option", "METHOD", "XRAY", "retired", "") in said
    assert ("option", "METHOD", "MRI", "changed", "label") in said
    assert said["criterion", "", "HF-I-4a", "changed", "rule"] == ("METRES >= 150", "METRES >= 200")
    assert ("check", "LE", "LE-SIZE-01", "changed", "rule") in said
    assert compared.kept["visit"] == 2
    assert compared.kept["criterion"] == 8


def test_a_version_does_not_differ_from_itself(bench: Bench) -> None:
    same = bench.versions["one"].protocol
    assert difference(same, same).changes == ()


def test_a_verdict_that_flips_is_named_with_its_criterion(bench: Bench) -> None:
    bench.screened(metres="180", consent=-5)
    found = only(bench)
    assert found.verdict is not None
    assert (found.verdict.before, found.verdict.after) == ("ELIGIBLE", "INELIGIBLE")
    flip = next(each for each in found.flips if each.criterion == "HF-I-4a")
    assert (flip.before, flip.after) == ("MET", "NOT MET")
    assert "180" in flip.why
    assert [each.criterion for each in found.flips if not each.after] == ["HF-I-4b"]


@pytest.mark.parametrize(("metres", "flips"), [("199", True), ("200", False), ("149", False)])
def test_the_boundary_decides(bench: Bench, metres: str, flips: bool) -> None:
    bench.screened(metres=metres)
    assert any(each.criterion == "HF-I-4a" for each in only(bench).flips) is flips


def test_the_simulation_says_what_the_move_then_does(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one", consent=-20)
    record_visit(
        actor=bench.actor(), visit=get_visit(subject, "W2"), happened_on=bench.today - timedelta(days=6)
    )
    foretold = only(bench)
    assert {(each.visit, each.kind) for each in foretold.visits} == {("W4", "moved"), ("M6", "added")}
    assert [(each.form, each.item, each.kind) for each in foretold.queries] == [("LE", "AGENT", "opens")]
    assert foretold.retired == ("BL.WILLING", "LE.WHO")
    before = {str(visit): visit.latest for visit in Visit.objects.filter(subject=subject)}
    bench.move(subject, "two")
    now = {str(visit): visit.latest for visit in Visit.objects.filter(subject=subject)}
    assert {name for name in now if now[name] != before.get(name)} == {"W4", "M6"}
    moved = next(each for each in foretold.visits if each.visit == "W4")
    assert f"{now['W4']:%d %b %Y}" in moved.after
    assert tried(bench).subjects == ()
    assert tried(bench).left_out == 1


def test_a_visit_that_would_go_is_named_and_one_before_today_is_not_added(bench: Bench) -> None:
    bench.screened(consent=-10)
    assert {(each.visit, each.kind) for each in only(bench).visits} == {
        ("W2", "no longer planned"), ("W4", "moved"), ("M6", "added"),
    }  # fmt: skip


def test_an_open_form_that_would_ask_for_more_is_named(bench: Bench) -> None:
    subject = bench.screen()
    bench.enter(subject, "SCR", "LE", complete=False, HOW="CT")
    assert only(bench).forms_open == ("LE at SCR asks for AGENT, WHICH",)


def test_nothing_is_written(bench: Bench) -> None:
    bench.screened()
    events = Event.objects.count()
    tried(bench)
    call_command("simulate_amendment", str(PACKS / "three"))
    assert Event.objects.count() == events


def test_the_command_prints_the_same_for_a_pack_and_for_a_published_version(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.screened()
    call_command("simulate_amendment", "HEPAFIT", "2.0")
    published = json.loads(capsys.readouterr().out)
    call_command("simulate_amendment", str(PACKS / "two"))
    assert json.loads(capsys.readouterr().out) == published == json.loads(json.dumps(tried(bench).document))
    assert published["counts"] | {"subjects": 1, "verdicts": 1, "queries": 1} == published["counts"]
    assert "LE.AGENT" in published["export_columns"]["added"]
    assert "BL.WILLING" in published["export_columns"]["kept_for_earlier_data"]
    for arguments, words in ((("HEPAFIT", "9"), "9"), (("nowhere",), "was not published")):
        with pytest.raises(CommandError, match=words):
            call_command("simulate_amendment", *arguments)


def test_a_pack_is_tried_with_everything_before_it(bench: Bench) -> None:
    candidate = candidate_from_pack(PACKS / "three")
    assert candidate.form("FS").name == "Fatigue scale"
    assert compared_with(bench.trial, candidate).version.label == "2.0"


def test_the_statements_do_not_grow_with_the_subjects(bench: Bench, statements: Callable[[], Any]) -> None:
    bench.screened()
    tried(bench)
    with statements() as one:
        tried(bench)
    for _ in range(4):
        bench.screened()
    with statements() as five:
        assert len(tried(bench).subjects) == 5
    assert len(five.counted) == len(one.counted)


def test_who_is_off_study_is_left_out(bench: Bench) -> None:
    subject = bench.screened()
    set_status(actor=bench.actor(), subject=subject, status="SCREEN_FAILURE", on=bench.today)
    found = tried(bench)
    assert (found.subjects, found.left_out) == ((), 1)
