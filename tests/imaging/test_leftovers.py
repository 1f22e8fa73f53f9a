"""An original that carries a patient's name goes, even where the storage did not let it go at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from foundation import clock
from imaging.models import BatchFile
from imaging.services import destroy_leftovers
from tests.imaging.conftest import Desk, stored_names
from tests.imaging.dicom_files import changed

pytestmark = pytest.mark.django_db


def incoming() -> list[str]:
    return list(stored_names("incoming"))


def later() -> Any:
    return time_machine.travel(clock.now() + timedelta(days=2), tick=False)


def test_what_the_storage_did_not_let_go_is_destroyed_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(default_storage, "delete", lambda _: None)
        batch = desk.send(desk.slices("M1"))
    assert len(incoming()) == 5
    assert set(BatchFile.objects.filter(batch=batch).values_list("stored_key", flat=True)) == {""}

    assert destroy_leftovers() == 0, "a file of today may belong to a transaction that has not ended"
    with later():
        assert destroy_leftovers() == 5
    assert incoming() == []


def test_what_somebody_still_has_to_decide_about_stays(desk: Desk) -> None:
    some = desk.slices("M1")["IM0001.dcm"]
    desk.send({"burned.dcm": changed(some, BurnedInAnnotation="YES")})
    default_storage.save("incoming/nobodys", ContentFile(b"x"))
    with later():
        assert destroy_leftovers() == 1
    (held,) = incoming()
    assert BatchFile.objects.get().stored_key == held


def test_nothing_received_is_nothing_to_destroy() -> None:
    assert destroy_leftovers() == 0
