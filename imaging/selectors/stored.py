"""The stored files of images, given out only where they are still what was stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO

from django.core.files.base import File
from django.core.files.storage import default_storage

from imaging.errors import StoredFileChangedError, StoredFileMissingError

BLOCK = 1 << 20
IN_MEMORY = 8 << 20
"""A slice is about half as large at most; what is larger goes through a file on disk."""


@contextmanager
def as_stored(key: str, sha256: str) -> Iterator[IO[bytes]]:
    """The bytes of a stored file, once all of them were compared with the digest that was kept when it came.

    Raises
    ------
    StoredFileMissingError, StoredFileChangedError
    OSError
        The storage does not answer, which says nothing about the file.
    """
    digest = hashlib.sha256()
    with SpooledTemporaryFile(IN_MEMORY) as copy:
        with _opened(key) as stored:
            while block := stored.read(BLOCK):
                digest.update(block)
                copy.write(block)
        if digest.hexdigest() != sha256:
            raise StoredFileChangedError
        copy.seek(0)
        yield copy


def _opened(key: str) -> File[bytes]:
    try:
        return default_storage.open(key)
    except FileNotFoundError as error:
        raise StoredFileMissingError from error
