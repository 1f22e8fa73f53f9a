"""Statistics of readers, the page of those who oversee them, and a read as a DICOM structured report."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from highdicom import sr
from pydicom import dcmread

from accounts.selectors import access_of
from audit.context import acting
from casebook.models import Entry
from endpoints.central_reads import signed_scans
from imaging.masking import SLICE, masked
from imaging.models import Instance, Read, Study
from imaging.rules.readers import OTHER, SELF, Compared, Said, agreement_of, drift_of
from imaging.selectors.oversight import ReaderRow, oversight_of
from imaging.selectors.results import Standing, results_of
from imaging.services import correct_read, queue_repeats, record_measurement, restore_study, withdraw_study
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.reader import actor_of, charter_of, fill, mark, read_of, send, sign, two_diameters


def said(answer: str, mm: str = "") -> Said:
    return Said({"overall": answer}, {"T01": Decimal(mm)} if mm else {})


def test_agreement_of_no_pairs_claims_nothing() -> None:
    found = agreement_of([])
    assert (found.pairs, found.share, found.kappa, found.icc, found.limits, found.weak) == (
        0,
        None,
        None,
        None,
        None,
        False,
    )


def test_agreement_of_categories_and_sizes() -> None:
    pairs = [
        (said("CR", "10"), said("CR", "11")),
        (said("SD", "30"), said("PD", "30")),
        (said("PD", "50"), said("PD", "49")),
    ]
    found = agreement_of(pairs)
    assert found.share == pytest.approx(Decimal(2) / 3)
    assert found.kappa is not None
    assert found.kappa > Decimal("0.5"), "neighbours count as less than a whole disagreement"
    assert found.sizes == 3
    assert found.icc is not None
    assert found.icc > Decimal("0.99")
    assert found.limits is not None
    assert found.limits.bias == 0


def said_of(*responses: str) -> list[Said]:
    return [Said({"overall": each}, {}) for each in responses]


def test_not_evaluable_is_no_step_between_responses() -> None:
    first, second = said_of("CR", "PD", "SD"), said_of("CR", "PD", "PD")
    whole = agreement_of(list(zip(first, second, strict=True)))
    for odd in ("CR", "PD"):
        more = [*zip(first, second, strict=True), *zip(said_of(odd), said_of("NE"), strict=True)]
        found = agreement_of(more)
        assert found.kappa == whole.kappa, odd
        assert (found.categories, found.share) == (4, Decimal("0.5"))
    assert agreement_of(list(zip(said_of("NE"), said_of("NE"), strict=True))).kappa is None


def test_how_far_responses_lie_apart_does_not_depend_on_the_others_given() -> None:
    """CR and PR are one of four steps apart, also where nobody said anything else: 1 - (1/4 * 1/4) / (1/2 * 1/4)."""
    found = agreement_of(
        list(zip(said_of("CR", "CR", "PR", "PR"), said_of("CR", "PR", "PR", "PR"), strict=True))
    )
    assert found.kappa == Decimal("0.5")


def test_only_what_both_said_is_compared() -> None:
    found = agreement_of(
        [(Said({"T01": "COMPLETE", "T02": "LTP"}, {}), Said({"T01": "COMPLETE"}, {"T01": Decimal(3)}))]
    )
    assert (found.categories, found.sizes, found.share) == (1, 0, 1)


def test_drift_is_shown_by_reader_and_month() -> None:
    def one(reader: int, month: str, mine: Said, theirs: Said, against: str = OTHER) -> Compared:
        return Compared(reader, month, against, mine, theirs)

    found = drift_of(
        [
            one(2, "2026-04", said("SD", "22"), said("PD", "20")),
            one(1, "2026-03", said("PD", "20"), said("PD", "21")),
            one(1, "2026-03", said("SD", "20"), said("PD", "24")),
            one(1, "2026-04", said("SD"), said("SD", "24")),
            one(1, "2026-03", said("SD", "10"), said("SD", "10"), SELF),
        ]
    )
    rows = [
        (row.reader, row.against, row.month, row.pairs, row.share, row.sizes, row.bias_mm) for row in found
    ]
    half = Decimal("0.5")
    assert rows == [
        (1, OTHER, "2026-03", 2, half, 2, Decimal("-2.5")),
        (1, OTHER, "2026-04", 1, Decimal(1), 0, None),
        (1, SELF, "2026-03", 1, Decimal(1), 1, Decimal(0)),
        (2, OTHER, "2026-04", 1, Decimal(0), 1, Decimal(2)),
    ]


def test_nodes_are_compared_by_their_short_axis(desk: Desk) -> None:
    with acting(SETUP):
        row = Entry.objects.get(subject=desk.subject, form="TU", repeat=1)
        node = {**row.values, "TULOC": {"value": "LYMPH NODE"}}
        Entry.objects.filter(pk=row.pk).update(values=node)
    with charter_of(desk, readers=2):
        send(desk, "M1")
        for number, axes in ((1, (30.0, 15.0)), (2, (40.0, 16.0))):
            read = fill(read_of(desk, "M1", number))
            two_diameters(read, "T01", *axes)
            mark(read, "T02", 20.0)
            sign(read)
    (shown,) = oversight_of(access_of(desk.cast.people["datamanager"]))
    assert shown.between.limits is not None
    assert shown.between.limits.bias == Decimal("-0.5"), "(15 − 16 + 20 − 20) ÷ 2"
    assert {row.month.bias_mm for row in shown.drift} == {Decimal("-0.5"), Decimal("0.5")}
    page = desk.cast.client("datamanager").get(reverse("reads-overseen")).text
    assert "Measures more, mm" in page


@pytest.fixture
def compared(desk: Desk) -> Desk:
    """A time point read by two who differ in one lesion."""
    with charter_of(desk, readers=2):
        send(desk, "M1")
        for number, outcome, mm in ((1, "COMPLETE", 20.0), (2, "RESIDUAL", 22.0)):
            read = read_of(desk, "M1", number)
            fill(read, outcome)
            mark(read, "T01", mm)
            sign(read)
    return desk


def test_the_overseer_sees_progress_and_agreement(compared: Desk, statements: Any) -> None:
    client = compared.cast.client("datamanager")
    client.get(reverse("reads-overseen"))  # what is remembered for a while is remembered now
    with statements() as done:
        page = client.get(reverse("reads-overseen")).content.decode()
    assert "First and second reader" in page
    assert "2 signed · 0 waiting" in page
    assert "1 of 1 pairs adjudicated, 1 undecided" in page
    before = len(done.counted)
    send(compared, "M4")
    sign(fill(read_of(compared, "M4")))
    with statements() as done:
        client.get(reverse("reads-overseen"))
    assert len(done.counted) == before, "as many statements for one read more"


def test_a_corrected_repeat_is_compared_once_and_as_it_stands(desk: Desk) -> None:
    with charter_of(desk, reread_pct=Decimal(100), reread_after_days=0):
        send(desk, "M1")
        sign(fill(read_of(desk, "M1")))
        assert queue_repeats() == 1
    repeat = Read.objects.select_related("visit", "subject__version", "reader").get(repeat_of__isnull=False)
    sign(fill(repeat, "RESIDUAL"))
    (row,) = overseen(desk)
    assert (row.again.pairs, row.again.share) == (1, 0)
    new = correct_read(actor=actor_of(repeat.reader), read=repeat, reason="Wrong lesion")
    sign(fill(Read.objects.select_related("visit", "subject__version", "reader").get(pk=new.pk), "COMPLETE"))
    (row,) = overseen(desk)
    assert (row.signed, row.again.pairs, row.again.share) == (3, 1, 1)


def overseen(desk: Desk) -> Sequence[ReaderRow]:
    (trial,) = oversight_of(access_of(desk.cast.people["datamanager"]))
    return trial.readers


@pytest.mark.parametrize("another_person", [False, True])
def test_a_read_of_images_that_were_taken_out_counts_as_none_and_the_overseer_is_told(
    desk: Desk, another_person: bool
) -> None:
    send(desk, "M1", "M4")
    sign(fill(read_of(desk, "M1")))
    sign(fill(read_of(desk, "M4")))
    assert len(signed_scans([desk.subject])[desk.subject.pk]) == 2
    study, actor = Study.objects.get(visit=desk.visits["M1"]), desk.cast.actor("datamanager")
    manager, address = desk.cast.client("datamanager"), reverse("reads-overseen")
    assert "changed since" not in manager.get(address).text

    withdraw_study(actor=actor, study=study, reason="Wrong disc", another_person=another_person)

    (scan,) = signed_scans([desk.subject])[desk.subject.pk]
    assert scan.visit == "M4"
    assert results_of([desk.subject])[0].standing is Standing.IMAGES_WITHDRAWN
    page = manager.get(address).text
    assert "The quality check withdrew images on which this read rests." in page
    assert "Counts as not read.</b> Nobody can look again: no images of this visit stand." in page
    restore_study(actor=actor, study=study, reason="It was the right one")
    assert len(signed_scans([desk.subject])[desk.subject.pk]) == 2


def test_images_that_were_added_leave_the_result_until_it_is_read_again(desk: Desk) -> None:
    files = desk.slices("M1", slices=7)
    late = files.pop("IM0007.dcm")
    desk.send(files)
    sign(fill(read_of(desk, "M1")))
    desk.send({"IM0007.dcm": late})
    assert len(signed_scans([desk.subject])[desk.subject.pk]) == 1
    page = desk.cast.client("datamanager").get(reverse("reads-overseen")).text
    assert "1 slice came in." in page
    assert "Its reader is asked to look again." in page
    assert "Counts as not read" not in page


def test_a_reader_does_not_see_the_statistics(compared: Desk) -> None:
    assert compared.cast.client("radiologist").get(reverse("reads-overseen")).status_code == 404


def test_a_signed_read_is_a_report_that_others_read(compared: Desk) -> None:
    read = read_of(compared, "M1", 1)
    answer = compared.cast.client("datamanager").get(reverse("read-report", args=[read.opaque]))
    assert answer.headers["Content-Type"] == "application/dicom"
    document = sr.srread(BytesIO(answer.content))
    assert document.SOPInstanceUID == f"2.25.{read.opaque.int}"
    (group,) = document.content.get_image_measurement_groups(tracking_uid=None)[:1]
    assert group.tracking_identifier == "T01"
    assert [(each.name.meaning, each.value) for each in group.get_measurements()] == [("Long axis", 20.0)]
    assert [each.value.meaning for each in group.get_qualitative_evaluations()] == ["Complete ablation"]
    assert read.reader.full_name not in answer.content.decode("latin-1")


def test_coordinates_of_the_report_lie_on_the_image(desk: Desk) -> None:
    send(desk, "M1")
    read = fill(read_of(desk, "M1"))
    slice_ = Instance.objects.filter(series__study__visit=read.visit).order_by("depth")[2]
    header = dcmread(BytesIO(stored(slice_)), stop_before_pixels=True)
    x, y, z = (float(value) for value in header.ImagePositionPatient)
    spacing = float(header.PixelSpacing[0])
    sent = {
        "lesion": "T01", "tool": "Length", "sop": str(masked(read.opaque, SLICE, slice_.pk)), "length_mm": 10 * spacing,
        "points": [[x, y, z], [x + 10 * spacing, y, z]],
    }  # fmt: skip
    record_measurement(actor=actor_of(read.reader), read=read, mark=read.opaque, sent=sent)
    sign(read)
    document = dcmread(
        BytesIO(desk.cast.client("datamanager").get(reverse("read-report", args=[read.opaque])).content)
    )
    (drawn,) = [item for item in document.iterall() if item.keyword == "GraphicData"]
    assert [round(value, 2) for value in drawn.value] == [0.5, 0.5, 10.5, 0.5], (
        "from the corner of the first pixel"
    )


def test_a_report_does_not_rest_on_a_file_that_is_not_what_was_stored(compared: Desk) -> None:
    read = read_of(compared, "M1", 1)
    address = reverse("read-report", args=[read.opaque])
    key = read.measurements.get().instance.file_key
    default_storage.delete(key)
    gone = compared.cast.client("datamanager").get(address)
    assert gone.status_code == 409
    assert "The stored file is not there any more." in gone.content.decode()
    default_storage.save(key, ContentFile(b"something else"))
    changed = compared.cast.client("datamanager").get(address)
    assert changed.status_code == 409
    assert "its SHA-256 differs" in changed.content.decode()


def test_what_a_reader_said_of_a_lesion_stays_when_the_site_strikes_it_out(compared: Desk) -> None:
    read = read_of(compared, "M1", 1)
    with acting(SETUP):
        Entry.objects.filter(subject=compared.subject, form="TU", repeat=1).update(struck_out=True)
    answer = compared.cast.client("datamanager").get(reverse("read-report", args=[read.opaque]))
    groups = sr.srread(BytesIO(answer.content)).content.get_image_measurement_groups()
    assert [group.tracking_identifier for group in groups][:2] == ["T01", "T02"]


def test_an_unsigned_read_has_no_report(desk: Desk) -> None:
    send(desk, "M1")
    answer = desk.cast.client("datamanager").get(reverse("read-report", args=[Read.objects.get().opaque]))
    assert answer.status_code == 404


def stored(instance: Instance) -> bytes:
    with default_storage.open(instance.file_key) as file:
        return bytes(file.read())
