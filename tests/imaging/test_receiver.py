"""The DICOM receiver against a real sender on a real socket."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian
from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    SecondaryCaptureImageStorage,
    Verification,
)

from audit.models import Event
from imaging.models import Batch, BatchState, InboxItem, InboxState, Instance, Origin
from imaging.originals import opened
from imaging.receiver import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, SUCCESS, Listening, Receiver
from imaging.services import process_batch, sweep
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import bundled_files, changed

pytestmark = pytest.mark.django_db(transaction=True)

type_connect = Callable[..., Association]


@pytest.fixture
def connect(desk: Desk) -> Iterator[type_connect]:
    """A receiver for the home site on a free port, and a way to connect to it."""
    receiver = Receiver(desk.cast.home, Listening("HILUM", "127.0.0.1", 0, ["SCANNER"]))
    port = receiver.start()

    def associate(title: str = "SCANNER", to: str = "HILUM") -> Association:
        entity = AE(ae_title=title)
        entity.add_requested_context(Verification)
        for syntax in (ExplicitVRLittleEndian, JPEG2000):
            entity.add_requested_context(CTImageStorage, syntax)
        entity.add_requested_context(SecondaryCaptureImageStorage)
        return entity.associate("127.0.0.1", port, ae_title=to)

    yield associate
    receiver.stop()
    gc.collect()  # a thread that was ended leaves its connection to the database, in a ring of references


def datasets(files: dict[str, bytes]) -> list[Dataset]:
    return [dcmread(BytesIO(data)) for data in files.values()]


def named(desk: Desk, files: dict[str, bytes]) -> dict[str, bytes]:
    tags = {"ClinicalTrialSubjectID": desk.subject.number, "ClinicalTrialTimePointID": "M1"}
    return {name: changed(data, **tags) for name, data in files.items()}


def test_a_series_that_names_its_visit_goes_from_the_scanner_to_the_study(
    desk: Desk, connect: type_connect
) -> None:
    sender = connect()
    assert sender.send_c_echo().Status == SUCCESS
    sent = [sender.send_c_store(each).Status for each in datasets(named(desk, desk.slices("M1")))]
    assert sent == [SUCCESS] * 5
    sender.release()
    _until(lambda: Batch.objects.filter(state=BatchState.DONE).exists())

    batch = Batch.objects.get()
    assert (batch.visit.code, batch.origin) == ("M1", Origin.DICOM)
    assert batch.sent_by == f"DICOM receiver {desk.cast.home.code}, SCANNER"
    assert Instance.objects.filter(series__study__visit=desk.visits["M1"]).count() == 5
    assert set(InboxItem.objects.values_list("state", flat=True)) == {InboxState.MATCHED}
    assert Event.objects.filter(table_name="imaging_inboxitem", origin="dicom").exists()


def test_what_names_nobody_waits_in_the_inbox_of_the_site_and_the_same_object_twice_is_one(
    desk: Desk, connect: type_connect
) -> None:
    sender = connect()
    for each in datasets(desk.slices("M1")) * 2:
        assert sender.send_c_store(each).Status == SUCCESS
    sender.release()

    assert InboxItem.objects.filter(state=InboxState.WAITING, site=desk.cast.home).count() == 5
    assert Batch.objects.count() == 0


def test_a_connection_that_breaks_keeps_what_came_and_the_rest_completes_it(
    desk: Desk, connect: type_connect
) -> None:
    images = datasets(named(desk, desk.slices("M1")))
    sender = connect()
    for each in images[:2]:
        assert sender.send_c_store(each).Status == SUCCESS
    sender.abort()
    assert InboxItem.objects.filter(state=InboxState.WAITING).count() == 2

    again = connect()
    for each in images:
        assert again.send_c_store(each).Status == SUCCESS
    again.release()
    _until(lambda: Batch.objects.filter(state=BatchState.DONE).exists())

    assert InboxItem.objects.count() == 5
    assert Instance.objects.count() == 5


@pytest.mark.parametrize(("title", "to"), [("STRANGER", "HILUM"), ("SCANNER", "OTHER")])
def test_strangers_and_wrong_titles_are_not_let_in(connect: type_connect, title: str, to: str) -> None:
    assert connect(title, to).is_rejected


def test_the_sender_is_told_when_nothing_was_kept(
    desk: Desk, connect: type_connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = datasets(desk.slices("M1"))[0]
    sender = connect()

    def full(*_: object) -> str:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", full)
        assert sender.send_c_store(image).Status == OUT_OF_RESOURCES
    assert InboxItem.objects.count() == 0
    assert sender.send_c_store(image).Status == SUCCESS, (
        "the same connection goes on when there is room again"
    )
    sender.release()


@pytest.mark.req("DCM-12")
def test_an_object_that_cannot_be_understood_is_refused_and_the_others_come(
    desk: Desk, connect: type_connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_config, "STORE_SEND_CHUNKED_DATASET", True)
    data = desk.slices("M1")["IM0001.dcm"]
    whole, broken = tmp_path / "whole.dcm", tmp_path / "broken.dcm"
    whole.write_bytes(data)
    nameless = dcmread(BytesIO(data))
    del nameless.SOPClassUID, nameless.SOPInstanceUID
    nameless.save_as(broken)
    sender = connect()

    assert sender.send_c_store(broken).Status == CANNOT_UNDERSTAND
    assert sender.send_c_store(whole).Status == SUCCESS
    sender.release()
    assert InboxItem.objects.count() == 1


def test_compressed_images_and_screen_captures_come_as_they_are(desk: Desk, connect: type_connect) -> None:
    data = desk.slices("M1")["IM0001.dcm"]
    capture = dcmread(BytesIO(changed(data, SOPClassUID=SecondaryCaptureImageStorage)))
    compressed = dcmread(next(path for path in bundled_files() if path.name == "JPEG2000.dcm"))
    compressed.SOPClassUID = compressed.file_meta.MediaStorageSOPClassUID = CTImageStorage
    pixels = compressed.PixelData
    sender = connect()
    statuses = [sender.send_c_store(each).Status for each in (capture, compressed)]
    sender.release()

    assert statuses == [SUCCESS, SUCCESS]
    with ExitStack() as stack:
        kept = [stack.enter_context(opened(item.stored_key)).read() for item in InboxItem.objects.all()]
    assert pixels in {dcmread(BytesIO(each)).PixelData for each in kept}


def test_a_batch_of_the_receiver_survives_a_worker_that_died(
    desk: Desk, connect: type_connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imaging.receiver.enqueue", lambda *_: None)
    sender = connect()
    for each in datasets(named(desk, desk.slices("M1"))):
        sender.send_c_store(each)
    sender.release()
    _until(Batch.objects.exists)

    assert sweep() == 1
    assert Instance.objects.count() == 5
    process_batch(Batch.objects.get().pk)
    assert Instance.objects.count() == 5


def test_the_command_refuses_with_a_sentence(desk: Desk) -> None:
    with pytest.raises(CommandError, match="There is no site XX-99"):
        call_command("dicom_receiver", "--site", "XX-99", "--sender", "A")
    with pytest.raises(CommandError, match="Cannot listen"):
        call_command(
            "dicom_receiver", "--site", desk.cast.home.code, "--sender", "A", "--certificate", "/nowhere.pem"
        )


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for the receiver's thread."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
