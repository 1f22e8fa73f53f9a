"""Whose images these are: a patient number is one patient's, and what speaks against that waits for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.context import acting
from audit.models import Event
from imaging.dicom import phantom
from imaging.errors import NotInQuarantineError, ReasonMissingError
from imaging.models import BatchFile, PatientNumber
from imaging.services import reject_file, release_file
from patients.models import Patient
from patients.services import screen_patient
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import changed
from tests.imaging.test_processing import reasons, states
from visits.models import Visit, VisitState

pytestmark = pytest.mark.django_db


def test_images_of_another_patient_are_held_back_and_can_be_released(desk: Desk) -> None:
    desk.send(desk.slices("BL"), "BL")
    stranger = phantom.Person(record="MRN-999")

    batch = desk.send(desk.slices("M1", person=stranger), "M1")

    assert set(reasons(batch)) == {"other_patient"}
    file = BatchFile.objects.filter(batch=batch).first()
    assert file is not None
    with pytest.raises(ReasonMissingError):
        release_file(actor=desk.cast.actor(), file=file, reason=" ")
    released = release_file(actor=desk.cast.actor(), file=file, reason="The hospital changed its numbers")
    assert (released.state, released.decided_by) == ("ACCEPTED", desk.cast.people["coordinator"].full_name)
    assert Event.objects.filter(
        reason="The hospital changed its numbers", table_name="imaging_batchfile"
    ).exists()
    with pytest.raises(NotInQuarantineError):
        reject_file(actor=desk.cast.actor(), file=file, reason="no more")


def of_another(desk: Desk, trial: str, *, away: bool = False, patient: Patient | None = None) -> Desk:
    """The desk of another subject, who had a baseline scan as well."""
    site = desk.cast.away if away else desk.cast.home
    subject = (
        screen_patient(actor=desk.cast.actor(), patient=patient, trial=desk.cast.trials[trial])
        if patient
        else desk.cast.subject(trial, site)
    )
    day = desk.visits["BL"].happened_on
    with acting(SETUP):
        facts = {"ordinal": 1, "happened_on": day, "target": day, "state": VisitState.DONE}
        visit, _ = Visit.objects.update_or_create(subject=subject, code="BL", sequence=1, defaults=facts)
    return replace(desk, subject=subject, visits={"BL": visit})


@pytest.mark.parametrize(
    ("trial", "away", "reason"),
    [
        ("THERMODOX", False, "Images with this patient number came for TDX-001-001."),
        ("EXCALIBUR", False, "Images with this patient number came for a subject of another trial."),
        ("THERMODOX", True, None),
    ],
)
def test_first_images_under_the_number_of_another_patient_are_held_back(
    desk: Desk, trial: str, away: bool, reason: str | None
) -> None:
    desk.send(desk.slices("BL"), "BL")
    other = of_another(desk, trial, away=away)

    batch = other.send(other.slices("BL"), "BL", role="coordinator2" if away else "coordinator")

    assert states(batch) == {"QUARANTINED" if reason else "ACCEPTED": 5}
    assert set(BatchFile.objects.filter(batch=batch).values_list("reason", flat=True)) == {reason or ""}


def test_a_patient_in_two_trials_keeps_one_number(desk: Desk) -> None:
    desk.send(desk.slices("BL"), "BL")
    again = of_another(desk, "EXCALIBUR", patient=desk.subject.patient)

    batch = again.send(again.slices("BL"), "BL")
    assert set(BatchFile.objects.filter(batch=batch).values_list("reason", flat=True)) == {""}
    assert states(batch) == {"ACCEPTED": 5}


def test_only_an_accepted_image_says_whose_images_these_are(desk: Desk) -> None:
    stranger = desk.slices("M1", person=phantom.Person(record="MRN-999"))["IM0001.dcm"]

    desk.send({"burned.dcm": changed(stranger, BurnedInAnnotation="YES")})

    assert not PatientNumber.objects.filter(subject=desk.subject).exists()
    assert states(desk.send(desk.slices("M1"))) == {"ACCEPTED": 5}
