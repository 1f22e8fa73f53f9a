"""From a batch to images that are kept: complete or told why, once, and without a trace of the patient."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import imagecodecs
import numpy as np
import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DataError, IntegrityError, OperationalError, connection
from pydicom.datadict import dictionary_VR, tag_for_keyword

from audit.context import acting
from audit.models import Event
from foundation import clock
from imaging.dicom import phantom
from imaging.dicom.deidentify import identity_words
from imaging.dicom.frames import decode
from imaging.dicom.reader import read
from imaging.errors import (
    BatchClosedError,
    BatchIncompleteError,
    CannotReleaseError,
    ManifestRefusedError,
    VisitTakesNoImagesError,
)
from imaging.models import (
    Batch,
    BatchFile,
    BatchState,
    ImagingKey,
    Instance,
    Read,
    Study,
    StudyState,
)
from imaging.sealing import SealBroken, new_key, seal, unseal
from imaging.selectors.pictures import frame_of
from imaging.services import (
    accept_quality,
    finish_batch,
    frames,
    keeping,
    process_batch,
    processing,
    receive_file,
    receive_some,
    reject_file,
    release_file,
    start_batch,
    sweep,
)
from imaging.services.frames import make_frames
from imaging.services.receiving import Announced, Sent
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import changed, parsed, with_element

type_stored = Callable[[], dict[str, bytes]]


def states(batch: Batch) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in BatchFile.objects.filter(batch=batch).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def reasons(batch: Batch) -> list[str]:
    return list(BatchFile.objects.filter(batch=batch).exclude(code="ok").values_list("code", flat=True))


def test_a_series_is_kept_checked_and_handed_to_a_reader(desk: Desk) -> None:
    files = desk.slices("M1")

    batch = desk.send(files)

    assert (batch.state, states(batch)) == (BatchState.DONE, {"ACCEPTED": 5})
    study = Study.objects.get(subject=desk.subject)
    assert (study.visit.code, study.state, study.findings) == ("M1", StudyState.QC_PASS, [])
    assert [each.number for each in Instance.objects.order_by("depth")] == [1, 2, 3, 4, 5]
    assert Read.objects.get(visit=study.visit).reader.username in ("radiologist", "radiologist2")


def test_no_word_of_the_patient_is_left_in_files_names_rows_or_trail(desk: Desk, stored: type_stored) -> None:
    files = {f"Eksempel Kari Anette/MRN-0048213377/{name}": data for name, data in desk.slices("M1").items()}
    words = [word.lower() for word in phantom.Person().words()]

    desk.send(files)

    kept = stored()
    assert len(kept) == 10
    for name, content in kept.items():
        assert [word for word in words if word.encode() in content.lower() or word in name.lower()] == []
    with connection.cursor() as cursor:
        for table in [name for name in connection.introspection.table_names() if name.startswith("imaging_")]:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            text = " ".join(row[0] for row in cursor.fetchall()).lower()
            assert [word for word in words if word in text] == [], table
    trail = " ".join(f"{event.before} {event.after}" for event in Event.objects.all()).lower()
    assert [word for word in words if word in trail] == []


def test_the_secret_of_a_subject_is_in_no_row_and_not_in_the_trail(desk: Desk) -> None:
    desk.send(desk.slices("M1"))
    key = ImagingKey.objects.get(subject=desk.subject)
    secret = unseal(key.sealed, desk.subject.pk)

    assert len(secret) == 32
    assert key.sealed not in " ".join(
        f"{event.after}" for event in Event.objects.filter(table_name="imaging_imagingkey")
    )
    with pytest.raises(SealBroken):
        unseal(key.sealed, desk.subject.pk + 1)
    assert unseal(seal(secret, 7), 7) == secret != new_key()


def test_frames_and_files_hold_the_pixels_of_the_scanner(desk: Desk, stored: type_stored) -> None:
    files = desk.slices("M1")
    original = decode(read(files["IM0003.dcm"]))

    desk.send(files)

    middle = Instance.objects.get(number=3)
    kept = stored()
    assert np.array_equal(imagecodecs.htj2k_decode(kept[middle.frame_key]), original)
    assert np.array_equal(decode(read(kept[middle.file_key])), original)
    source = read(files["IM0003.dcm"])
    assert source.pixel is not None
    value = source.data[source.pixel.value : source.pixel.value_end]
    assert kept[middle.file_key][middle.pixel_offset :][: middle.pixel_length] == value


def test_intervals_between_the_scans_of_a_subject_are_kept(desk: Desk) -> None:
    desk.send(desk.slices("BL"), "BL")
    desk.send(desk.slices("M1"), "M1")

    first, second = Study.objects.order_by("visit__ordinal")
    assert first.shifted_date is not None
    assert second.shifted_date is not None
    real = desk.visits["M1"].happened_on - desk.visits["BL"].happened_on  # type: ignore[operator]
    assert second.shifted_date - first.shifted_date == real
    assert first.shifted_date < desk.visits["BL"].happened_on  # type: ignore[operator]


def test_the_stored_file_names_the_trial_the_subject_and_the_time_point(
    desk: Desk, stored: type_stored
) -> None:
    desk.send(desk.slices("M1"))

    dataset = parsed(stored()[Instance.objects.get(number=1).file_key])

    assert dataset.ClinicalTrialSubjectID == desk.subject.number
    assert dataset.ClinicalTrialTimePointID == "M1"
    assert dataset.ClinicalTrialProtocolID == "THERMODOX"


def test_the_same_files_twice_are_one(desk: Desk) -> None:
    files = desk.slices("M1")
    desk.send(files)

    again = desk.send(files)

    assert states(again) == {"DUPLICATE": 5}
    assert (Instance.objects.count(), Read.objects.count()) == (5, 1)


def test_another_image_under_the_same_identifier_is_held_back(desk: Desk) -> None:
    desk.send(desk.slices("M1"))

    batch = desk.send(desk.slices("M1", seed=99))

    assert set(reasons(batch)) == {"uid_conflict"}
    assert Instance.objects.count() == 5


def test_a_study_that_was_sent_for_another_visit_is_held_back(desk: Desk) -> None:
    files = desk.slices("M1")
    desk.send(files, "M1")
    wrong = desk.slices("M1", slices=7)

    batch = desk.send({"new.dcm": wrong["IM0007.dcm"]}, "M4")

    assert reasons(batch) == ["other_visit"]


def test_a_folder_with_everything_that_lies_on_a_disc(desk: Desk, stored: type_stored) -> None:
    files = desk.slices("M1")
    some = files["IM0001.dcm"]
    folder = {
        **files,
        "readme.txt": b"see the viewer",
        "cut.dcm": some[: len(some) // 2],
        "capture.dcm": changed(
            some,
            lambda dataset: setattr(
                dataset.file_meta, "MediaStorageSOPClassUID", "1.2.840.10008.5.1.4.1.1.7"
            ),
            SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
            SOPInstanceUID="1.2.3.7",
        ),
        "burned.dcm": changed(some, BurnedInAnnotation="YES", SOPInstanceUID="1.2.3.8"),
        "empty": b"",
        "Thumbs.db": b"x",
    }

    batch = desk.send(folder)

    assert states(batch) == {"ACCEPTED": 5, "REJECTED": 3, "QUARANTINED": 2, "SKIPPED": 1}
    named = dict(BatchFile.objects.filter(batch=batch).exclude(state="ACCEPTED").values_list("path", "code"))
    assert named == {
        "file 6 (.txt)": "not_dicom",
        "file 7 (.dcm)": "truncated",
        "file 8 (.dcm)": "screen_capture",
        "file 9 (.dcm)": "burned_in",
        "file 10": "empty",
        "file 11": "system_file",
    }
    assert all(
        BatchFile.objects.filter(batch=batch).exclude(state="ACCEPTED").values_list("reason", flat=True)
    )
    incoming = [name for name in stored() if name.startswith("incoming/")]
    assert len(incoming) == 2, "only what is held back is kept as it came"


def test_no_path_outlives_the_verdict_on_its_file(desk: Desk) -> None:
    some, folder = desk.slices("M1")["IM0001.dcm"], "Zimmermann_Hildegard_12041958"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{folder}/letter.Hildegard", b"Dear colleague")
    files = {
        f"{folder}/n.txt": b"x",
        f"{folder}/burned.dcm": changed(some, BurnedInAnnotation="YES"),
        f"{folder}.zip": buffer.getvalue(),
        f"{folder}/Thumbs.db": b"x",
        f"{folder}/IM1": some,
    }

    batch = desk.send(files)

    paths = BatchFile.objects.filter(batch=batch).order_by("archive", "index").values_list("path", flat=True)
    assert sorted(paths) == ["", "file 1", "file 1 (.txt)", "file 2 (.dcm)", "file 3 (.zip)", "file 4"]


def test_a_file_that_was_refused_before_it_was_sent_leaves_no_path(desk: Desk) -> None:
    start_batch(
        actor=desk.cast.actor(),
        visit=desk.visits["M1"],
        files=[Announced("Hildegard/a.dcm", 4 * 1024**3), Announced("Hildegard/b.txt", 3, "not_dicom")],
    )
    assert list(BatchFile.objects.order_by("index").values_list("path", flat=True)) == [
        "file 1 (.dcm)",
        "file 2 (.txt)",
    ]


def test_a_path_that_no_text_may_hold_is_taken_and_sent_again(desk: Desk) -> None:
    odd = [Announced("a\0b\ud800.dcm", 3)]
    first, missing = start_batch(actor=desk.cast.actor(), visit=desk.visits["M1"], files=odd)
    assert missing == [0]
    assert start_batch(actor=desk.cast.actor(), visit=desk.visits["M1"], files=odd) == (first, [0])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SliceThickness": "1E30"}, "bad_number"),
        ({"SliceThickness": "123456789"}, "bad_number"),
        ({"WindowCenter": "1E400"}, "bad_number"),
        ({"InstanceNumber": "99999999999"}, "bad_number"),
        ({"SeriesNumber": "1E9999999"}, "bad_number"),
        ({"NumberOfFrames": "1E9999999"}, "bad_number"),
        ({"RescaleSlope": "Infinity"}, "bad_number"),
        ({"ImagePositionPatient": "0\\0\\1E10"}, "no_geometry"),
        ({"ImagePositionPatient": "0\\0\\1E30"}, "bad_number"),
        ({"ImagePositionPatient": "NaN\\0\\0"}, "bad_number"),
    ],
    ids=str,
)
def test_a_number_beyond_all_bounds_holds_back_its_file_and_no_other(
    desk: Desk, changes: dict[str, str], code: str
) -> None:
    files = desk.slices("M1")
    files["IM0002.dcm"] = with_values(files["IM0002.dcm"], changes)

    batch = desk.send(files)

    assert (batch.state, states(batch)) == (BatchState.DONE, {"ACCEPTED": 4, "QUARANTINED": 1})
    assert reasons(batch) == [code]


@pytest.mark.parametrize("keyword", ["RescaleType", "ConvolutionKernel", "Manufacturer"])
def test_a_character_that_no_text_may_hold_goes_and_the_image_stays(desk: Desk, keyword: str) -> None:
    files = desk.slices("M1")
    files["IM0002.dcm"] = with_values(files["IM0002.dcm"], {keyword: "H\0U"})

    assert states(desk.send(files)) == {"ACCEPTED": 5}


def with_values(data: bytes, changes: dict[str, str]) -> bytes:
    """A file with values as they are written, without a look at whether they may be."""
    for keyword, value in changes.items():
        tag = tag_for_keyword(keyword)
        assert tag is not None
        data = with_element(data, tag, dictionary_VR(tag), value.encode())
    return data


@pytest.mark.parametrize("fault", [DataError, ValueError, ArithmeticError])
def test_what_nobody_thought_of_spoils_only_its_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    batch = desk.deliver(desk.slices("M1"))
    stored_as, third = keeping.Keeper._stored, []

    def stumbles(self: keeping.Keeper, study: Study, result: Any, *rest: Any) -> Instance:
        instance = stored_as(self, study, result, *rest)
        if instance.number == 3:
            third.append(instance)
            raise fault("of content")
        return instance

    monkeypatch.setattr(keeping.Keeper, "_stored", stumbles)
    with desk.committing():
        process_batch(batch.pk)

    batch.refresh_from_db()
    assert third
    assert (batch.state, states(batch)) == (BatchState.DONE, {"ACCEPTED": 4, "REJECTED": 1})
    assert reasons(batch) == ["unusable"]
    assert Instance.objects.count() == 4


def test_a_lost_database_is_not_the_fault_of_a_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = desk.deliver(desk.slices("M1"))

    def lost(*_: object) -> Instance:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(keeping.Keeper, "_stored", lost)
    with pytest.raises(OperationalError):
        process_batch(batch.pk)
    assert states(batch) == {"RECEIVED": 5}


def test_a_held_back_file_is_released_as_a_clean_one_or_destroyed(desk: Desk, stored: type_stored) -> None:
    some = desk.slices("M1")["IM0001.dcm"]
    burned = changed(some, BurnedInAnnotation="YES")
    capture = changed(some, SOPClassUID="1.2.840.10008.5.1.4.1.1.12.1", SOPInstanceUID="1.2.3.7")
    batch = desk.send({"burned.dcm": burned, "angio.dcm": capture})
    held, angio = BatchFile.objects.filter(batch=batch).order_by("index")

    with desk.committing():
        release_file(actor=desk.cast.actor(), file=held, reason="Only a scale bar")
    with pytest.raises(CannotReleaseError):
        release_file(actor=desk.cast.actor(), file=angio, reason="please")
    with desk.committing():
        reject_file(actor=desk.cast.actor(), file=angio, reason="Not a CT")

    kept = stored()
    assert not [name for name in kept if name.startswith("incoming/")]
    words = identity_words(read(some))
    assert words
    assert all(word.lower() not in content.lower() for word in words for content in kept.values())


def test_an_archive_is_unpacked_and_each_file_in_it_has_its_fate(desk: Desk, stored: type_stored) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {**desk.slices("M1"), "note.txt": b"hello", "../escape": b"x"}.items():
            archive.writestr(name, data)

    batch = desk.send({"scan.zip": buffer.getvalue()})

    assert states(batch) == {"UNPACKED": 1, "ACCEPTED": 5, "REJECTED": 2}
    assert set(reasons(batch)) == {"archive", "not_dicom", "traversal"}
    assert not [name for name in stored() if name.startswith("incoming/")]


def test_a_batch_is_complete_or_says_what_is_missing(desk: Desk) -> None:
    actor, files = desk.cast.actor(), desk.slices("M1")
    announced = [Announced(name, len(data)) for name, data in files.items()]
    batch, missing = start_batch(actor=actor, visit=desk.visits["M1"], files=announced)
    assert missing == [0, 1, 2, 3, 4]
    for index in (0, 1):
        data = list(files.values())[index]
        assert (
            receive_file(
                actor=actor, batch=batch, index=index, content=io.BytesIO(data), size=len(data)
            ).state
            == "received"
        )

    with pytest.raises(BatchIncompleteError, match=r"3 of 5 files have not .* IM0003\.dcm"):
        finish_batch(actor=actor, batch=batch)
    again, missing = start_batch(actor=actor, visit=desk.visits["M1"], files=announced)

    assert (again.pk, missing) == (batch.pk, [2, 3, 4])
    twice = receive_file(actor=actor, batch=batch, index=0, content=io.BytesIO(b""), size=0)
    assert twice.state == "duplicate"


def test_a_finished_batch_takes_no_more_files(desk: Desk) -> None:
    batch = desk.send(desk.slices("M1"))

    with pytest.raises(BatchClosedError):
        receive_file(actor=desk.cast.actor(), batch=batch, index=0, content=io.BytesIO(b"x"), size=1)
    assert finish_batch(actor=desk.cast.actor(), batch=batch).state == BatchState.DONE


def test_a_file_of_four_gigabytes_is_refused_before_it_is_sent(desk: Desk) -> None:
    batch, missing = start_batch(
        actor=desk.cast.actor(),
        visit=desk.visits["M1"],
        files=[Announced("big.dcm", 4 * 1024**3), Announced("a", 3)],
    )

    assert missing == [1]
    assert "larger than" in BatchFile.objects.get(batch=batch, index=0).reason


def test_what_is_refused_at_the_door(desk: Desk) -> None:
    actor = desk.cast.actor()
    with pytest.raises(ManifestRefusedError):
        start_batch(actor=actor, visit=desk.visits["M1"], files=[])
    with pytest.raises(VisitTakesNoImagesError, match="Procedure 1"):
        start_batch(actor=actor, visit=desk.visits["P1"], files=[Announced("a", 1)])


def test_a_batch_whose_worker_died_is_taken_up_where_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = desk.deliver(desk.slices("M1"))
    keep, calls = keeping.Keeper.keep, []

    def dies_at_the_second(self: keeping.Keeper, candidates: Any) -> object:
        calls.append(candidates)
        fates = keep(self, candidates)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fates

    monkeypatch.setattr(processing, "_LOT_FILES", 2)
    monkeypatch.setattr(keeping.Keeper, "keep", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        process_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, Instance.objects.count()) == (BatchState.PROCESSING, 2)
    assert sweep() == 0, "a worker may still be at it"

    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        assert sweep() == 1

    batch.refresh_from_db()
    assert (batch.state, states(batch), Instance.objects.count()) == (BatchState.DONE, {"ACCEPTED": 5}, 5)


def test_a_full_storage_loses_nothing_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = desk.deliver(desk.slices("M1"))

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "write_once", full)
        with pytest.raises(OSError, match="No space"):
            process_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == (BatchState.RECEIVED, {"RECEIVED": 5})
    assert "tried again" in batch.problem

    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        sweep()
    batch.refresh_from_db()
    assert (batch.state, batch.problem, Instance.objects.count()) == (BatchState.DONE, "", 5)


def test_frames_that_were_lost_are_made_again_when_a_viewer_asks(desk: Desk, stored: type_stored) -> None:
    desk.send(desk.slices("M1"))
    instance = Instance.objects.order_by("pk")[0]
    before = stored()[instance.frame_key]
    default_storage.delete(instance.frame_key)

    assert frame_of(instance) == before
    default_storage.delete(instance.frame_key)
    assert make_frames([instance]) == 1
    assert stored()[instance.frame_key] == before


def test_a_worker_that_died_while_making_frames_makes_the_rest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stored: type_stored
) -> None:
    batch = desk.deliver(desk.slices("M1"))

    def dies(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(frames, "encode_frame", dies)
        with pytest.raises(KeyboardInterrupt):
            process_batch(batch.pk)
    assert not [name for name in stored() if name.endswith(".jhc")]
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        sweep()

    batch.refresh_from_db()
    assert batch.state == BatchState.DONE
    assert len([name for name in stored() if name.endswith(".jhc")]) == 5
    assert Study.objects.get().state == StudyState.QC_PASS


def test_a_lot_that_the_storage_does_not_take_is_expected_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stored: type_stored
) -> None:
    files = list(desk.slices("M1").values())
    actor = desk.cast.actor()
    announced = [Announced(str(index), len(data)) for index, data in enumerate(files)]
    batch, missing = start_batch(actor=actor, visit=desk.visits["M1"], files=announced)
    sent = [Sent(index, io.BytesIO(files[index]), len(files[index])) for index in missing]
    save, calls = default_storage.save, []

    def full_at_the_third(name: str, content: Any) -> str:
        calls.append(name)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return save(name, content)

    with monkeypatch.context() as patched:
        patched.setattr(default_storage, "save", full_at_the_third)
        with pytest.raises(OSError, match="No space"):
            receive_some(actor=actor, batch=batch, sent=sent)
    assert stored() == {}
    assert start_batch(actor=actor, visit=desk.visits["M1"], files=announced) == (batch, missing)
    assert {each.state for each in receive_some(actor=actor, batch=batch, sent=sent)} == {"received"}


def test_a_batch_that_fails_again_and_again_is_given_to_a_person(desk: Desk) -> None:
    batch = desk.deliver(desk.slices("M1"))
    with acting(SETUP):
        Batch.objects.filter(pk=batch.pk).update(attempts=processing.MAX_ATTEMPTS)

    assert sweep() == 0

    batch.refresh_from_db()
    assert batch.state == BatchState.FAILED
    assert batch.problem


def test_processing_twice_changes_nothing(desk: Desk) -> None:
    batch = desk.send(desk.slices("M1"))
    events = Event.objects.count()

    process_batch(batch.pk)

    assert Event.objects.count() == events


@pytest.mark.parametrize(
    ("changes", "code", "state"),
    [
        ({"thickness_mm": 5.0}, [], "QC_PASS"),
        ({"thickness_mm": 5.1}, ["thick_slices"], "QC_QUERY"),
        ({"slices": 2}, ["few_slices"], "QC_QUERY"),
        ({"slices": 3}, [], "QC_PASS"),
    ],
)
def test_the_charter_decides_about_quality(
    desk: Desk, changes: dict[str, object], code: list[str], state: str
) -> None:
    desk.send(desk.slices("M1", **changes))

    study = Study.objects.get()
    assert ([finding["code"] for finding in study.findings], study.state) == (code, state)
    assert Read.objects.count() == (state == "QC_PASS")


def test_missing_slices_are_found_and_healed_by_sending_them(desk: Desk) -> None:
    files = desk.slices("M1", slices=9)
    late = files.pop("IM0004.dcm")

    desk.send(files)
    assert [finding["code"] for finding in Study.objects.get().findings] == ["gaps"]
    desk.send({"IM0004.dcm": late})

    assert (Study.objects.get().state, Study.objects.get().findings) == ("QC_PASS", [])


def test_a_person_may_accept_what_the_check_questions(desk: Desk) -> None:
    desk.send(desk.slices("M1", thickness_mm=7.5))
    study = Study.objects.get()

    accept_quality(actor=desk.cast.actor("datamanager"), study=study, reason="No other scan exists")

    study.refresh_from_db()
    assert (study.state, study.accepted_because) == ("QC_PASS", "No other scan exists")
    assert Read.objects.count() == 1


@pytest.mark.parametrize("table", ["imaging_instance", "imaging_ledger"])
def test_stored_images_and_ledgers_cannot_be_deleted(desk: Desk, table: str) -> None:
    desk.send(desk.slices("M1"))

    with (
        pytest.raises(Exception, match=r"(?i)cannot be deleted|append|permission denied"),
        acting(SETUP),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DELETE FROM {table}")


def test_a_stored_image_cannot_be_exchanged(desk: Desk) -> None:
    desk.send(desk.slices("M1"))

    with pytest.raises(IntegrityError, match="cannot be changed"), acting(SETUP):
        Instance.objects.update(file_sha256="0" * 64)


def test_the_command_takes_folders_and_tells_what_became_of_each_file(desk: Desk, tmp_path) -> None:
    for name, data in {**desk.slices("M1"), "notes.txt": b"x"}.items():
        (tmp_path / name).write_bytes(data)
    out = io.StringIO()

    call_command("receive_dicom", tmp_path, subject=desk.subject.number, visit="M1", stdout=out)

    assert "REJECTED" in out.getvalue()
    assert "notes.txt" in out.getvalue()
    assert "5 accepted, 1 rejected" in out.getvalue()
    assert Instance.objects.count() == 5


@pytest.mark.parametrize(
    ("subject", "visit", "message"),
    [("TDX-999-999", "M1", "no subject"), (None, "M99", "no visit"), (None, "P1", "No images are planned")],
)
def test_the_command_refuses_with_a_sentence(
    desk: Desk, tmp_path, subject: str | None, visit: str, message: str
) -> None:
    (tmp_path / "a").write_bytes(b"x")

    with pytest.raises(CommandError, match=message):
        call_command("receive_dicom", tmp_path, subject=subject or desk.subject.number, visit=visit)


def test_the_command_fails_where_nothing_was_accepted(desk: Desk, tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(b"no image")

    with pytest.raises(CommandError, match="No image was accepted"):
        call_command("receive_dicom", tmp_path, subject=desk.subject.number, visit="M1", stdout=io.StringIO())
