"""The quality check as people use it: accepted, asked, rejected, taken out; and the readers hear of each change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from audit.context import acting
from foundation import clock
from imaging.errors import CannotDecideError, ReasonMissingError
from imaging.models import QualityDecision, Series, Study, StudyState
from imaging.services import accept_quality, question_quality, restore_study, withdraw_study
from imaging.signals import images_changed
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.reader import charter_of
from trials.packs import bundled, load_pack

BETTER = {"reason": "Motion", "corrective_action": "Send the second run"}


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str]]]:
    """Visits and sentences that the readers' side hears."""
    told: list[tuple[str, str]] = []

    def listen(study: Study, reason: str, **_: Any) -> None:
        told.append((str(study.visit), reason))

    images_changed.connect(listen)
    yield told
    images_changed.disconnect(listen)


def test_a_question_names_what_to_do_and_by_when_and_takes_the_images_from_the_readers(
    desk: Desk, heard: list[tuple[str, str]]
) -> None:
    desk.send(desk.slices("M1"))
    actor = desk.cast.actor("datamanager")
    with pytest.raises(ReasonMissingError):
        question_quality(actor=actor, study=Study.objects.get(), reason="Motion", corrective_action="")

    question_quality(actor=actor, study=Study.objects.get(), **BETTER)

    decision = QualityDecision.objects.get()
    assert (decision.choice, decision.by) == ("QUERY", actor.name)
    assert decision.due_on is not None
    assert clock.today() < decision.due_on <= clock.today() + timedelta(days=14)
    assert Study.objects.get().state == StudyState.QC_QUERY
    assert heard[-1] == ("M1", "The quality of the images was questioned.")


def test_new_images_after_a_rejection_wait_for_a_person(desk: Desk) -> None:
    files = desk.slices("M1", slices=7)
    late = files.pop("IM0007.dcm")
    desk.send(files)
    actor = desk.cast.actor("datamanager")
    question_quality(actor=actor, study=Study.objects.get(), reject=True, **BETTER)
    assert Study.objects.get().state == StudyState.QC_REJECTED

    desk.send({"IM0007.dcm": late})

    study = Study.objects.get()
    assert (study.state, study.findings) == (StudyState.QC_QUERY, [])
    accept_quality(actor=actor, study=study, reason="Complete now")
    assert Study.objects.get().state == StudyState.QC_PASS


def test_readers_hear_of_images_that_came_later(desk: Desk, heard: list[tuple[str, str]]) -> None:
    files = desk.slices("M1", slices=7)
    late = files.pop("IM0007.dcm")
    desk.send(files)
    heard.clear()

    desk.send({"IM0007.dcm": late})

    assert heard == [("M1", "Images were added.")]


def test_a_study_is_taken_out_and_back_in(desk: Desk, heard: list[tuple[str, str]]) -> None:
    files = desk.slices("M1")
    desk.send(files)
    actor = desk.cast.actor()

    withdraw_study(actor=actor, study=Study.objects.get(), reason="Wrong disc")

    assert heard[-1] == ("M1", "Images were taken out.")
    with pytest.raises(CannotDecideError):
        withdraw_study(actor=actor, study=Study.objects.get(), reason="Wrong disc")
    again = desk.send(files)
    assert set(again.files.values_list("code", flat=True)) == {"withdrawn"}
    restore_study(actor=actor, study=Study.objects.get(), reason="It was the right one")
    assert Study.objects.get().state == StudyState.QC_PASS
    with pytest.raises(CannotDecideError):
        restore_study(actor=actor, study=Study.objects.get(), reason="once more")


def test_a_question_has_a_day_by_which_it_is_settled(desk: Desk) -> None:
    desk.send(desk.slices("M1", thickness_mm=7.5))

    due = Study.objects.get().check_due_on

    assert due is not None
    assert clock.today() < due <= clock.today() + timedelta(days=6)


def test_images_that_cover_too_little_wait_for_a_person(desk: Desk) -> None:
    protocol, _faults = load_pack(bundled()["THERMODOX"])
    assert protocol is not None
    assert protocol.charter is not None
    least = protocol.charter.coverage_mm_min
    assert least == 100
    with charter_of(desk, coverage_mm_min=least):
        desk.send(desk.slices("M1", slices=3, thickness_mm=4.0))
        study = Study.objects.get()
        assert study.state == StudyState.QC_QUERY
        assert [each["code"] for each in study.findings] == ["little_covered"]
        assert study.findings[0]["sentence"] == "The images cover 8 mm; the charter asks for 100 mm or more."
        desk.send(desk.slices("M4", slices=21, thickness_mm=5.0), "M4")
        assert Study.objects.get(visit=desk.visits["M4"]).state == StudyState.QC_PASS


def test_the_scanner_is_kept_for_comparison(desk: Desk) -> None:
    desk.send(desk.slices("BL"), "BL")
    assert Series.objects.get().scanner


def test_decisions_are_never_changed(desk: Desk) -> None:
    desk.send(desk.slices("M1"))
    withdraw_study(actor=desk.cast.actor(), study=Study.objects.get(), reason="Wrong disc")

    with (
        pytest.raises((IntegrityError, Exception), match=r"(?i)never changed|permission denied"),
        acting(SETUP),
    ):
        QualityDecision.objects.update(reason="another")


def test_the_page_asks_takes_out_and_shows_what_was_decided(desk: Desk) -> None:
    desk.send(desk.slices("M1"))
    address = f"/images/studies/{Study.objects.get().opaque}/"
    manager, site = desk.cast.client("datamanager"), desk.cast.client("coordinator")

    asked = manager.post(f"{address}question/", {**BETTER, "decision": "query", "due_on": "soon"})
    assert asked.status_code == 422
    asked = manager.post(f"{address}question/", {**BETTER, "decision": "query"}, follow=True)
    assert "Send the second run" in asked.text
    assert site.post(f"{address}question/", {**BETTER, "decision": "query"}).status_code == 404
    assert "Send the second run" in site.get(address).text
    out = site.post(f"{address}withdraw/", {"reason": "Wrong disc"}, follow=True)
    assert "Taken out: nobody reads these images" in out.text
    back = site.post(f"{address}restore/", {"reason": "It was right"}, follow=True)
    assert "Taken back in" in back.text
