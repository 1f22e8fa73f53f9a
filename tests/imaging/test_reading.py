"""Reads: blinded, in order, measured by the server, signed once."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from django.db import IntegrityError, connection

from accounts.errors import SignatureRefused
from accounts.selectors import access_of
from audit.context import acting
from foundation.errors import NotFound
from imaging.dicom import phantom
from imaging.errors import (
    MeasurementRefusedError,
    OutcomeRefusedError,
    ReadIncompleteError,
    ReadLockedError,
    ReadWaitsError,
    UnknownLesionError,
)
from imaging.masking import SLICE, masked
from imaging.models import Instance, LesionOutcome, Measurement, Read, Study
from imaging.rules.working_days import working_days_between
from imaging.selectors.answered import measurements_of, outcomes_of
from imaging.selectors.judging import lesions_to_judge
from imaging.selectors.reads import queue_rows
from imaging.services import (
    correct_read,
    erase_measurement,
    open_read,
    queue_reads,
    queue_waiting,
    reading,
    record_findings,
    record_measurement,
    record_outcome,
    sign_read,
)
from imaging.services.signing import digest_of
from tests.cast import SETUP
from tests.conftest import PASSWORD
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import small_phantom


@pytest.fixture
def reader(desk: Desk):
    """Fills and signs reads as the person to whom they were assigned."""
    return Reader(desk)


class Reader:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def actor(self, read: Read):
        return self.desk.cast.actor(read.reader.username)

    def fill(self, visit: str, outcome: str = "COMPLETE") -> Read:
        read = self.desk.read(visit)
        actor = self.actor(read)
        open_read(actor=actor, read=read)
        for each in lesions_to_judge(read):
            if each.options:
                record_outcome(actor=actor, read=read, lesion=each.lesion.name, outcome=outcome)
        return record_findings(actor=actor, read=read, image_quality="OPTIMAL", new_lesion="N")

    def sign(self, read: Read, password: str = PASSWORD) -> Read:
        return sign_read(actor=self.actor(read), user=read.reader, read=read, password=password)

    def queue(self, read: Read) -> list[str]:
        return [f"{row.case} {row.time_point}" for row in queue_rows(access_of(read.reader))]


def send(desk: Desk, *visits: str) -> None:
    for visit in visits:
        desk.send(desk.slices(visit), visit)


def mark_on(
    read: Read,
    *,
    on: Read | None = None,
    lesion: str = "T01",
    number: int = 3,
    length: float = 20.0,
    **changes: object,
) -> dict[str, object]:
    instance = Instance.objects.get(number=number, series__study__visit=(on or read).visit)
    z = float(instance.depth)
    sent: dict[str, object] = {
        "lesion": lesion, "tool": "Length", "sop": str(masked(read.opaque, SLICE, instance.pk)), "length_mm": length,
        "points": [[-70.0, -20.0, z], [-70.0 + length, -20.0, z]],
    }  # fmt: skip
    return sent | changes


def test_the_case_goes_to_one_reader_in_the_order_of_its_time_points(desk: Desk, reader: Reader) -> None:
    send(desk, "BL", "M1", "M4")
    baseline, first, second = desk.read("BL"), desk.read("M1"), desk.read("M4")
    assert baseline.reader == first.reader == second.reader

    assert [line[-1] for line in reader.queue(baseline)] == ["1"]
    with pytest.raises(ReadWaitsError):
        open_read(actor=reader.actor(first), read=first)
    with pytest.raises(ReadWaitsError):
        record_findings(actor=reader.actor(first), read=first, image_quality="OPTIMAL")
    reader.sign(reader.fill("BL"))

    assert [line[-1] for line in reader.queue(baseline)] == ["2"]
    reader.sign(reader.fill("M1"))
    assert [line[-1] for line in reader.queue(baseline)] == ["3"]


def test_deadlines_follow_the_charter(desk: Desk) -> None:
    send(desk, "BL", "M1")

    days = {
        code: working_days_between(desk.read(code).assigned_at.date(), desk.read(code).due_on)
        for code in ("BL", "M1")
    }
    assert days == {"BL": 2, "M1": 10}


def test_work_is_shared_between_the_readers(desk: Desk) -> None:
    send(desk, "M1")
    other = desk.cast.subject("THERMODOX")
    study = Study.objects.get()
    with acting(SETUP):
        visit = desk.visits["M1"]
        visit.pk, visit.subject = None, other
        visit.save(force_insert=True)
        study = Study.objects.create(subject=other, visit=visit, uid="2.25.1", state="QC_PASS")

    assert queue_waiting() == 1
    assert queue_waiting() == 0
    assert queue_reads(actor=SETUP, study=study) == []
    assert len(set(Read.objects.values_list("reader", flat=True))) == 2


def test_a_second_reader_is_somebody_else_and_comes_when_there_is_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_readers", lambda version: 2)
    with monkeypatch.context() as short:
        short.setattr(reading, "readers_for", lambda trial: [desk.cast.people["radiologist"]])
        send(desk, "M1")
    assert [read.number for read in Read.objects.all()] == [1]

    assert queue_waiting() == 1

    reads = Read.objects.order_by("number")
    assert [(read.number, read.reader.username) for read in reads] == [
        (1, "radiologist"),
        (2, "radiologist2"),
    ]
    assert queue_waiting() == 0


def test_lesions_come_from_the_casebook_and_are_judged_after_treatment_only(desk: Desk) -> None:
    send(desk, "BL", "M1")

    before, after = lesions_to_judge(desk.read("BL")), lesions_to_judge(desk.read("M1"))

    assert [each.lesion.name for each in before] == ["T01", "T02"]
    assert before[0].lesion.place.startswith("Liver")
    assert [each.options for each in before] == [(), ()]
    assert [code for code, _ in after[0].options] == ["COMPLETE", "RESIDUAL", "NE"]


def test_what_may_be_said_follows_from_what_was_signed(desk: Desk, reader: Reader) -> None:
    send(desk, "M1", "M4")
    first = desk.read("M1")
    with pytest.raises(OutcomeRefusedError, match="Complete ablation, Residual tumour"):
        record_outcome(actor=reader.actor(first), read=first, lesion="T01", outcome="LTP")
    reader.sign(reader.fill("M1"))

    second = lesions_to_judge(desk.read("M4"))

    assert [code for code, _ in second[0].options] == ["COMPLETE", "LTP", "NE"]
    assert second[0].before == "Complete ablation"
    with pytest.raises(UnknownLesionError):
        record_outcome(actor=reader.actor(first), read=desk.read("M4"), lesion="T09", outcome="LTP")


def test_answers_are_only_ever_added(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    for outcome in ("RESIDUAL", "COMPLETE"):
        record_outcome(actor=reader.actor(read), read=read, lesion="T01", outcome=outcome)

    assert outcomes_of(read) == {"T01": "COMPLETE"}
    assert LesionOutcome.objects.filter(read=read).count() == 2
    with pytest.raises(Exception, match=r"(?i)permission denied|append"), acting(SETUP):
        LesionOutcome.objects.filter(read=read).update(outcome="LTP")


def test_a_measurement_is_the_servers_own(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    actor, mark = reader.actor(read), uuid.uuid4()

    record_measurement(actor=actor, read=read, mark=mark, sent=mark_on(read, length=20.0))
    record_measurement(actor=actor, read=read, mark=mark, sent=mark_on(read, length=21.5))
    (kept,) = measurements_of(read)
    assert (kept.length_mm, kept.lesion, Measurement.objects.count()) == (21.5, "T01", 2)

    erase_measurement(actor=actor, read=read, mark=mark)
    assert measurements_of(read) == []
    assert Measurement.objects.count() == 3


def test_a_lesion_has_one_measure_and_the_newest_takes_the_place_of_others(
    desk: Desk, reader: Reader
) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    actor, first, second, third = reader.actor(read), uuid.uuid4(), uuid.uuid4(), uuid.uuid4()

    def live() -> list[tuple[uuid.UUID, str, float]]:
        return [(row.mark, row.lesion, float(row.length_mm)) for row in measurements_of(read)]

    def draw(mark: uuid.UUID, length: float, lesion: str = "T01") -> None:
        sent = mark_on(read, length=length, lesion=lesion)
        record_measurement(actor=actor, read=read, mark=mark, sent=sent)

    draw(third, 12.0, "T02")
    draw(first, 20.0)
    draw(second, 30.0)
    assert live() == [(third, "T02", 12.0), (second, "T01", 30.0)]
    draw(first, 25.0)
    assert sorted(live()) == sorted([(third, "T02", 12.0), (first, "T01", 25.0)])
    sizes = {each.lesion.name: each.mm for each in lesions_to_judge(read)}
    assert sizes == {"T01": 25, "T02": 12}

    kept = Measurement.objects.filter(read=read, mark=second).order_by("pk")
    assert [(row.length_mm, row.erased) for row in kept] == [(30, False), (30, True)]
    assert erase_measurement(actor=actor, read=read, mark=second).erased, "gone already"
    assert kept.count() == 2
    with pytest.raises(MeasurementRefusedError):
        erase_measurement(actor=actor, read=read, mark=uuid.uuid4())


def test_new_lesions_are_marked_as_often_as_they_are_seen(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    for length in (8.0, 9.0):
        sent = mark_on(read, length=length, lesion="NEW")
        record_measurement(actor=reader.actor(read), read=read, mark=uuid.uuid4(), sent=sent)

    assert len(measurements_of(read)) == 2


def test_of_two_measures_on_record_the_newest_counts(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    older = uuid.uuid4()
    for mark, length in ((older, 20.0), (uuid.uuid4(), 30.0)):
        record_measurement(actor=reader.actor(read), read=read, mark=mark, sent=mark_on(read, length=length))
    with acting(SETUP):
        row = Measurement.objects.filter(mark=older, erased=False).get()
        row.pk, row.length_mm = None, 25
        row.save(force_insert=True)

    assert len(measurements_of(read)) == 2
    assert lesions_to_judge(read)[0].mm == 25


def test_the_phantoms_lesion_has_its_true_length(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read, made = desk.read("M1"), small_phantom()
    lesion = made.lesions[0]
    ends = [list(end) for end in phantom.long_axis_on_slice(made, lesion, 2)]

    sent = mark_on(read, points=ends, length_mm=phantom.diameters_on_slice(made, lesion, 2)[0])
    kept = record_measurement(actor=reader.actor(read), read=read, mark=uuid.uuid4(), sent=sent)

    assert float(kept.length_mm) == pytest.approx(42.0, abs=0.1)


@pytest.mark.parametrize(
    "changes",
    [
        {"length_mm": 20.2},
        {"unit": "px"},
        {"tool": "Angle"},
        {"sop": "00000000-0000-4000-8000-000000000000"},
        {"sop": "1.2.3"},
        {"points": [[-70, -20, 99], [-50, -20, 99]]},
        {"points": [[-70, -20, 0], [999, -20, 0]], "length_mm": 1069},
        {"lesion": ""},
    ],
    ids=str,
)
def test_what_is_no_measurement_is_refused(desk: Desk, reader: Reader, changes: dict[str, object]) -> None:
    send(desk, "M1")
    read = desk.read("M1")

    with pytest.raises((MeasurementRefusedError, NotFound)):
        record_measurement(
            actor=reader.actor(read), read=read, mark=uuid.uuid4(), sent=mark_on(read) | changes
        )
    assert Measurement.objects.count() == 0


def test_a_prior_takes_no_marks(desk: Desk, reader: Reader) -> None:
    send(desk, "M1", "M4")
    reader.sign(reader.fill("M1"))
    first, second = desk.read("M1"), desk.read("M4")

    with pytest.raises(MeasurementRefusedError, match="not on a prior"):
        record_measurement(
            actor=reader.actor(second), read=second, mark=uuid.uuid4(), sent=mark_on(second, on=first)
        )


def test_a_read_is_signed_when_it_is_complete_and_says_what_is_missing(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    with pytest.raises(
        ReadIncompleteError, match="quality of the images, the outcome of T01, the outcome of T02, whether"
    ):
        reader.sign(read)

    filled = reader.fill("M1")
    with pytest.raises(SignatureRefused):
        reader.sign(filled, "a wrong password")
    filled.refresh_from_db()
    assert filled.state == "IN_READ"
    signed = reader.sign(filled)

    assert (signed.state, signed.digest) == ("SIGNED", digest_of(signed))
    assert signed.signature is not None
    assert signed.signature.digest == signed.digest
    assert signed.signature.signer == signed.reader


def test_images_that_cannot_be_read_need_a_reason_and_no_outcomes(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    record_findings(actor=reader.actor(read), read=read, image_quality="INADEQUATE")
    with pytest.raises(ReadIncompleteError, match="why the images cannot be read"):
        reader.sign(read)

    record_findings(actor=reader.actor(read), read=read, image_quality="INADEQUATE", quality_reason="Motion")

    assert reader.sign(read).state == "SIGNED"


def test_a_signed_read_never_changes(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    signed = reader.sign(reader.fill("M1"))
    actor = reader.actor(signed)

    with pytest.raises(ReadLockedError):
        record_outcome(actor=actor, read=signed, lesion="T01", outcome="RESIDUAL")
    with pytest.raises(ReadLockedError):
        record_measurement(actor=actor, read=signed, mark=uuid.uuid4(), sent=mark_on(signed))
    with pytest.raises(ReadLockedError):
        record_findings(actor=actor, read=signed, image_quality="ADEQUATE")
    with pytest.raises(ReadLockedError):
        reader.sign(signed)


@pytest.mark.parametrize("statement", ["UPDATE imaging_read SET comment = 'x'", "DELETE FROM imaging_read"])
def test_not_even_sql_changes_a_signed_read(desk: Desk, reader: Reader, statement: str) -> None:
    send(desk, "M1")
    reader.sign(reader.fill("M1"))

    with pytest.raises(IntegrityError, match=r"(?i)read"), acting(SETUP), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_correction_is_a_new_version_with_its_reason(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    record_measurement(actor=reader.actor(read), read=read, mark=uuid.uuid4(), sent=mark_on(read))
    signed = reader.sign(reader.fill("M1"))
    before = hashlib.sha256(repr((signed.digest, outcomes_of(signed))).encode()).hexdigest()

    new = correct_read(actor=reader.actor(signed), read=signed, reason="Wrong lesion")

    assert (new.version, new.supersedes_id, new.correction_reason) == (2, signed.pk, "Wrong lesion")
    assert outcomes_of(new) == outcomes_of(signed)
    assert len(measurements_of(new)) == 1
    new = desk.read("M1")
    record_outcome(actor=reader.actor(new), read=new, lesion="T02", outcome="RESIDUAL")
    reader.sign(new)
    signed.refresh_from_db()
    assert hashlib.sha256(repr((signed.digest, outcomes_of(signed))).encode()).hexdigest() == before
    with pytest.raises(ReadLockedError):
        correct_read(actor=reader.actor(signed), read=signed, reason="Once more")


def test_only_the_reader_changes_a_read(desk: Desk, reader: Reader) -> None:
    send(desk, "M1")
    read = desk.read("M1")
    stranger = desk.cast.actor("radiologist" if read.reader.username == "radiologist2" else "radiologist2")

    with pytest.raises(ReadLockedError):
        record_outcome(actor=stranger, read=read, lesion="T01", outcome="COMPLETE")
