"""An S3-compatible store for received files; loaded only where `STORAGE_URL` names one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """A store that does not answer is what a full disc is to everybody who uses it: an `OSError`."""
    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError) as error:
        raise OSError(f"The object store refused: {type(error).__name__}") from error


class ObjectStorage(S3Storage):
    """An S3-compatible store that fails as a folder does. Files are fetched whole when they are opened."""

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with _as_os_errors():
            opened: File[bytes] = super()._open(name, mode)
            if "r" in mode:
                opened.seek(0)
            return opened

    def _save(self, name: str, content: File[bytes]) -> str:
        with _as_os_errors():
            return str(super()._save(name, content))

    def exists(self, name: str) -> bool:
        """Whether something is stored under a name.

        Raises
        ------
        OSError
        """
        with _as_os_errors():
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        """Destroy what is stored under a name, if anything is.

        Raises
        ------
        OSError
        """
        with _as_os_errors():
            super().delete(name)
