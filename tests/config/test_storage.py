"""Received files lie in a folder or in an S3-compatible store, and everything goes on alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from moto.server import ThreadedMotoServer

from config.object_storage import ObjectStorage
from config.storage import storage
from imaging.models import BatchState, Instance
from imaging.services import sweep
from tests.imaging.conftest import Desk, desk  # noqa: F401  a fixture


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A store on a free port, with an empty bucket."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="s",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="scans")
    yield f"{host}:{port}"
    running.stop()


@pytest.fixture
def store(server: str) -> ObjectStorage:
    return ObjectStorage(**storage(f"s3+http://key:s%2Fcret@{server}/scans/trial", Path("/data"))["OPTIONS"])


def test_a_folder_is_where_the_address_says() -> None:
    assert storage("file:///srv/hilum%20files", Path("/data"))["OPTIONS"] == {"location": "/srv/hilum files"}
    assert storage("", Path("/data/files"))["OPTIONS"] == {"location": "/data/files"}


def test_a_store_speaks_tls_and_never_overwrites() -> None:
    made = storage("s3://key:s%2Fcret@store.example:9000/scans/trial?region=eu-north-1", Path("/data"))
    options = made["OPTIONS"]
    assert made["BACKEND"] == "config.object_storage.ObjectStorage"
    assert (options["endpoint_url"], options["bucket_name"]) == ("https://store.example:9000", "scans")
    assert (options["secret_key"], options["location"], options["region_name"]) == (
        "s/cret",
        "trial",
        "eu-north-1",
    )
    assert options["file_overwrite"] is False


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "s3://host/bucket",
        "s3://k:s@host/",
        "s3://k:s@host/Bad_Bucket",
        "/srv/files",
        "file://host/srv",
        "file:srv",
    ],
)
def test_an_address_of_neither_form_is_an_error_that_does_not_repeat_the_secret(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL") as raised:
        storage(url, Path("/data"))
    assert url not in str(raised.value)


def test_what_is_stored_comes_back_and_the_same_name_is_another_file(store: ObjectStorage) -> None:
    first = store.save("images/a", ContentFile(b"one" * 1000))
    second = store.save("images/a", ContentFile(b"two"))
    assert first != second
    with store.open(first) as file:
        assert file.read() == b"one" * 1000
    assert store.exists(second)
    store.delete(second)
    assert not store.exists(second)
    with pytest.raises(FileNotFoundError):
        store.open(second)


def test_a_store_that_does_not_answer_fails_like_a_disc() -> None:
    options = storage("s3+http://key:secret@127.0.0.1:9/scans", Path("/data"))["OPTIONS"]
    gone = ObjectStorage(**options)
    for act in (
        lambda: gone.save("a", ContentFile(b"x")),
        lambda: gone.exists("a"),
        lambda: gone.delete("a"),
        lambda: gone.open("a").read(),
    ):
        with pytest.raises(OSError):  # noqa: PT011 - the kind of error is what matters
            act()


@pytest.mark.django_db
def test_a_series_is_received_stored_and_read_in_the_store(
    desk: Desk,  # noqa: F811
    store: ObjectStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(default_storage, "_wrapped", store)
    batch = desk.send(desk.slices("M1"))
    assert batch.state == BatchState.DONE
    instance = Instance.objects.order_by("pk")[0]
    with store.open(instance.file_key) as file:
        assert len(file.read()) == instance.file_bytes
    assert store.listdir(f"incoming/{batch.opaque}") == ([], [])


@pytest.mark.django_db
def test_a_store_that_went_away_loses_nothing(
    desk: Desk,  # noqa: F811
    store: ObjectStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(default_storage, "_wrapped", store)
    batch = desk.deliver(desk.slices("M1"))

    def away(*_: object, **__: object) -> str:
        raise OSError("The object store refused")

    with monkeypatch.context() as patch:
        patch.setattr(store, "_save", away)
        assert sweep() == 1
    batch.refresh_from_db()
    assert (batch.state, Instance.objects.count()) == (BatchState.RECEIVED, 0)
