"""What comes over the network: never dropped, placed by itself or by a person, or rejected with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO

import pytest
import time_machine

from accounts.access import Access
from accounts.selectors import access_of
from audit.context import acting
from casebook.errors import PlaceLockedError
from foundation import clock
from imaging.dicom import phantom
from imaging.dicom.errors import DicomFault
from imaging.errors import NotWaitingError, ReasonMissingError, VisitTakesNoImagesError
from imaging.models import (
    Batch,
    BatchFile,
    InboxItem,
    InboxState,
    Instance,
    Origin,
    PatientNumber,
    Study,
    StudyState,
)
from imaging.originals import opened
from imaging.rules.matching import Slot, by_nearness, certain_slot
from imaging.selectors.inbox import examinations_waiting, get_items, proposals
from imaging.services import (
    match_items,
    place_items,
    place_waiting,
    process_batch,
    receive_object,
    reject_items,
    release_alike,
    start_batch,
    withdraw_study,
)
from imaging.services.inbox import UNKNOWN_SUBJECT, UNKNOWN_VISIT
from imaging.services.receiving import Announced
from patients.models import Subject
from tests.casebook.locked_site import lock_site_of
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import changed
from visits.models import Visit

type_stored = Callable[[], dict[str, bytes]]


def arrive(desk: Desk, files: dict[str, bytes], **tags: object) -> list[InboxItem]:
    """Objects as a scanner's network node sends them."""
    found = []
    for data in files.values():
        content = BytesIO(changed(data, **tags) if tags else data)
        found.append(
            receive_object(
                actor=SETUP,
                content=content,
                origin=Origin.DICOM,
                subjects=Subject.objects.filter(site=desk.cast.home),
                site=desk.cast.home,
            )
        )
    return found


def place(desk: Desk, items: list[InboxItem]) -> list[Batch]:
    batches = place_items(actor=SETUP, items=items)
    for batch in batches:
        with desk.committing():
            process_batch(batch.pk)
    return batches


def access(desk: Desk, role: str) -> Access:
    return access_of(desk.cast.people[role])


def test_what_names_subject_and_visit_goes_to_its_visit_by_itself(desk: Desk, stored: type_stored) -> None:
    items = arrive(
        desk, desk.slices("M1"), ClinicalTrialSubjectID=desk.subject.number, ClinicalTrialTimePointID="M1"
    )

    (batch,) = place(desk, items)

    assert (batch.visit.code, batch.origin) == ("M1", Origin.DICOM)
    assert Instance.objects.filter(series__study__visit=desk.visits["M1"]).count() == 5
    assert set(InboxItem.objects.values_list("state", flat=True)) == {InboxState.MATCHED}
    assert not [name for name in stored() if name.startswith("incoming/")]


@pytest.mark.req("LCK-02")
def test_what_arrives_for_a_locked_site_waits_with_the_reason_and_is_not_lost(desk: Desk) -> None:
    lock_site_of(desk.cast, desk.subject)
    items = arrive(
        desk, desk.slices("M1"), ClinicalTrialSubjectID=desk.subject.number, ClinicalTrialTimePointID="M1"
    )

    assert place(desk, items) == []
    assert place(desk, list(InboxItem.objects.all())) == []

    assert not Batch.objects.exists()
    (reason,) = set(InboxItem.objects.filter(state="WAITING").values_list("reason", flat=True))
    assert "is locked since" in reason
    with pytest.raises(PlaceLockedError):
        start_batch(actor=desk.cast.actor(), visit=desk.visits["M1"], files=[Announced("a.dcm", 1)])


def test_the_patient_number_may_be_the_subjects_and_the_date_tells_the_visit(desk: Desk) -> None:
    (batch,) = place(desk, arrive(desk, desk.slices("M4"), PatientID=desk.subject.number))

    assert batch.visit.code == "M4"


def test_a_known_subject_without_a_fitting_visit_waits_and_goes_once_the_visit_is_there(desk: Desk) -> None:
    late = desk.slices("M4", study_date=date(2025, 9, 9))
    items = arrive(desk, late, ClinicalTrialSubjectID=desk.subject.number)

    assert place(desk, items) == []
    assert set(InboxItem.objects.values_list("state", "reason")) == {("WAITING", UNKNOWN_VISIT)}
    with acting(SETUP):
        Visit.objects.filter(pk=desk.visits["M4"].pk).update(happened_on=date(2025, 9, 9))
    assert place_waiting() == [], "an association may still be sending"
    with time_machine.travel(clock.now() + timedelta(minutes=3), tick=False):
        (batch,) = place_waiting()

    assert batch.visit.code == "M4"


def test_what_names_nobody_waits_once_and_is_matched_by_a_person(desk: Desk) -> None:
    files = desk.slices("M1")
    arrive(desk, files)
    items = arrive(desk, files)
    assert place(desk, items) == []
    (waiting,) = examinations_waiting(access(desk, "coordinator"))
    assert (waiting.objects, waiting.reason, waiting.taken_on) == (5, UNKNOWN_SUBJECT, date(2025, 3, 4))

    batch = match_items(actor=desk.cast.actor(), items=items, visit=desk.visits["M1"])
    with desk.committing():
        process_batch(batch.pk)

    assert Instance.objects.count() == 5
    assert examinations_waiting(access(desk, "coordinator")) == []
    with pytest.raises(NotWaitingError):
        match_items(actor=desk.cast.actor(), items=items, visit=desk.visits["M1"])


def test_later_objects_of_an_examination_follow_the_persons_decision(desk: Desk) -> None:
    files = desk.slices("M1")
    late = {"IM0005.dcm": files.pop("IM0005.dcm")}
    batch = match_items(actor=desk.cast.actor(), items=arrive(desk, files), visit=desk.visits["M1"])
    process_batch(batch.pk)

    (second,) = place(desk, arrive(desk, late))

    assert second.visit == desk.visits["M1"]
    assert Instance.objects.count() == 5


def test_a_match_against_what_the_files_say_needs_a_reason_and_a_visit_with_images(desk: Desk) -> None:
    other = desk.cast.subject("THERMODOX")
    items = arrive(desk, desk.slices("M1"), ClinicalTrialSubjectID=other.number)

    with pytest.raises(ReasonMissingError):
        match_items(actor=desk.cast.actor(), items=items, visit=desk.visits["M1"])
    with pytest.raises(VisitTakesNoImagesError):
        match_items(actor=desk.cast.actor(), items=items, visit=desk.visits["P1"], reason="typed wrong")
    match_items(actor=desk.cast.actor(), items=items, visit=desk.visits["M1"], reason="typed wrong")

    assert InboxItem.objects.filter(decision_reason="typed wrong", state="MATCHED").count() == 5


def test_rejecting_destroys_with_a_reason_and_what_is_sent_again_waits_again(
    desk: Desk, stored: type_stored
) -> None:
    files = desk.slices("M1")
    items = arrive(desk, files)
    with pytest.raises(ReasonMissingError):
        reject_items(actor=desk.cast.actor(), items=items, reason="")
    with desk.committing():
        reject_items(actor=desk.cast.actor(), items=items, reason="Not in a trial")
    assert stored() == {}

    again = arrive(desk, files)

    assert [item.state for item in again] == [InboxState.WAITING] * 5
    with opened(again[0].stored_key) as kept:
        assert kept.read() == next(iter(files.values()))


def test_proposals_come_by_subject_then_patient_number_then_date(desk: Desk) -> None:
    desk.send(desk.slices("BL"), "BL")
    items = arrive(desk, desk.slices("M1"))

    found = proposals(access(desk, "coordinator"), items[0])

    assert (found[0].subject, found[0].visit) == (desk.subject, "M1")
    assert found[0].why == "same patient number as earlier images; taken on the day of the visit"
    named = arrive(desk, desk.slices("M4"), ClinicalTrialSubjectID=desk.subject.number)
    assert [each.why.split(";")[0] for each in proposals(access(desk, "coordinator"), named[0])] == [
        "the files name this subject"
    ]


def test_no_row_of_the_inbox_names_the_patient(desk: Desk) -> None:
    arrive(desk, desk.slices("M1"))
    words = [word.lower() for word in phantom.Person().words()]
    text = " ".join(str(row) for row in InboxItem.objects.values()).lower()

    assert [word for word in words if word in text] == []


def test_rubbish_is_refused_at_once(desk: Desk) -> None:
    with pytest.raises(DicomFault):
        arrive(desk, {"x": b"no dicom at all"})
    assert not InboxItem.objects.exists()


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        ("coordinator", True), ("investigator", True), ("datamanager", True), ("coordinator2", False),
        ("monitor", False), ("radiologist", False), ("sponsor", False), ("outsider", False),
    ],
)  # fmt: skip
def test_the_inbox_is_for_the_site_and_the_data_manager(desk: Desk, role: str, sees: bool) -> None:
    (first, *_) = arrive(desk, desk.slices("M1"))

    client = desk.cast.client(role)
    page = client.get(f"/images/inbox/{first.opaque}/")

    assert bool(examinations_waiting(access(desk, role))) is sees
    assert page.status_code == (200 if sees else 404)
    if sees:
        assert len(get_items(access(desk, role), first.opaque)) == 5


def test_the_page_matches_and_rejects(desk: Desk) -> None:
    client = desk.cast.client("coordinator")
    (first, *_) = arrive(desk, desk.slices("M1"))
    address = f"/images/inbox/{first.opaque}/"
    assert f"/images/inbox/{first.opaque}/" in client.get("/images/").text
    page = client.get(address)
    assert "M1" in page.text
    assert "Eksempel" not in page.text
    chosen = client.get(address, {"subject": desk.subject.number}).text
    assert 'value="M4"' in chosen

    nowhere = client.post(f"{address}match/", {"subject": "TDX-999-999", "visit": "M1"})
    assert nowhere.status_code == 404
    with desk.committing():
        answer = client.post(f"{address}match/", {"subject": desk.subject.number, "visit": "M1"})

    assert answer.status_code == 302
    assert Instance.objects.count() == 5
    (second, *_) = arrive(desk, desk.slices("M4"))
    refused = client.post(f"/images/inbox/{second.opaque}/reject/", {"reason": ""})
    assert refused.status_code == 422
    gone = client.post(f"/images/inbox/{second.opaque}/reject/", {"reason": "A volunteer"}, follow=True)
    assert "Rejected" in gone.text


def test_another_persons_first_images_do_not_block_the_right_ones(desk: Desk) -> None:
    desk.send(desk.slices("BL", person=phantom.Person(record="MRN-999")), "BL")
    right = desk.send(desk.slices("M1"), "M1")
    assert set(BatchFile.objects.filter(batch=right).values_list("code", flat=True)) == {"other_patient"}

    withdraw_study(
        actor=desk.cast.actor(), study=Study.objects.get(), reason="Wrong disc", another_person=True
    )
    released = release_alike(
        actor=desk.cast.actor(), batch=right, code="other_patient", reason="These are the subject's"
    )
    with desk.committing():
        process_batch(right.pk)

    assert released == 5
    assert Study.objects.get(visit=desk.visits["M1"]).state == StudyState.QC_PASS
    assert Study.objects.get(visit=desk.visits["BL"]).state == StudyState.WITHDRAWN
    assert PatientNumber.objects.filter(ended_at=None).count() == 1
    assert BatchFile.objects.filter(batch=right, state="ACCEPTED").count() == 5
    again = desk.send(desk.slices("BL", person=phantom.Person(record="MRN-999")), "BL")
    assert set(BatchFile.objects.filter(batch=again).values_list("code", flat=True)) <= {
        "other_patient",
        "withdrawn",
    }


def test_a_second_hospital_is_confirmed_once(desk: Desk) -> None:
    desk.send(desk.slices("BL"), "BL")
    moved = phantom.Person(record="MRN-777")
    held = desk.send(desk.slices("M1", person=moved), "M1")
    release_alike(actor=desk.cast.actor(), batch=held, code="other_patient", reason="Now at Ullevål")
    with desk.committing():
        process_batch(held.pk)

    later = desk.send(desk.slices("M4", person=moved), "M4")

    assert set(BatchFile.objects.filter(batch=later).values_list("state", flat=True)) == {"ACCEPTED"}


# The rule -------------------------------------------------------------------------------------------------------------

D = date(2025, 3, 4)
WEEK = timedelta(days=7)


def test_one_window_that_fits_is_certain_two_are_not() -> None:
    first, second = Slot("M1", earliest=D - WEEK, latest=D), Slot("M2", earliest=D, latest=D + WEEK)

    assert certain_slot([first, second], "", D - timedelta(days=1)) == first
    assert certain_slot([first, second], "", D) is None
    assert certain_slot([first, second], "M2", D - WEEK) == second
    assert certain_slot([first, second], "M9", D) is None
    assert certain_slot([first], "", None) is None
    assert certain_slot([Slot("M1", happened_on=D, earliest=D, latest=D + WEEK)], "", D + WEEK) is None


def test_visits_without_a_date_come_last() -> None:
    ranked = by_nearness([Slot("U"), Slot("M4", target=D + WEEK), Slot("M1", happened_on=D)], D)

    assert [(slot.name, days) for slot, days in ranked] == [("M1", 0), ("M4", 7), ("U", None)]
