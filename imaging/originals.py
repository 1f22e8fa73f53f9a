"""Files as they came in: sealed while they wait for a person, destroyed when they are decided, and both on record.

An original carries the patient's name. What is processed at once lies in the storage for minutes; what waits for a
person may lie there for weeks, and is encrypted, so that a copy of the storage alone names nobody.

References
----------
.. [1] NIST SP 800-38D (AES-GCM), RFC 5869 (HKDF).
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from imaging.sealing import SealBroken

FOLDER = "incoming"
SEALED = ".sealed"
_PIECE = 1024 * 1024
_PREFIX_BYTES = 8
_IN_MEMORY = 16 * 1024 * 1024


def keep_sealed(name: str, content: IO[bytes]) -> str:
    """Store an original encrypted, and return its key.

    Raises
    ------
    OSError
        The storage does not take it.
    """
    with TemporaryFile() as sealed:
        for piece in _sealed_pieces(content):
            sealed.write(piece)
        sealed.seek(0)
        return default_storage.save(f"{FOLDER}/{name}{SEALED}", File(sealed))


@contextmanager
def opened(key: str) -> Iterator[IO[bytes]]:
    """An original to read, seekable, whether it was sealed or not.

    Raises
    ------
    OSError
        The storage does not give it.
    SealBroken
        It was sealed under another SECRET_KEY, or altered.
    """
    with default_storage.open(key) as stored:
        if not key.endswith(SEALED):
            yield stored
            return
        with SpooledTemporaryFile(_IN_MEMORY) as plain:
            for piece in _plain_pieces(stored):
                plain.write(piece)
            plain.seek(0)
            yield plain


def is_sealed(key: str) -> bool:
    """Whether what lies under a key is encrypted."""
    return key.endswith(SEALED)


def destroy(keys: Iterable[str]) -> None:
    """Delete originals once the transaction holds that decided about them; a storage that fails is swept later."""
    names = [key for key in keys if key]
    if names:
        transaction.on_commit(partial(_delete, names))


def _delete(keys: Iterable[str]) -> None:
    for key in keys:
        default_storage.delete(key)


def _sealed_pieces(content: IO[bytes]) -> Iterator[bytes]:
    """Pieces of a stream, each under a number of its own; the last one is known as the last, so none can be cut off."""
    prefix = secrets.token_bytes(_PREFIX_BYTES)
    yield prefix
    content.seek(0)
    number, piece = 0, content.read(_PIECE)
    while True:
        following = content.read(_PIECE)
        sealed = _cipher().encrypt(_nonce(prefix, number), piece, _place(last=not following))
        yield struct.pack("<L", len(sealed)) + sealed
        if not following:
            return
        number, piece = number + 1, following


def _plain_pieces(stored: IO[bytes]) -> Iterator[bytes]:
    prefix, number = stored.read(_PREFIX_BYTES), 0
    head = stored.read(4)
    while head:
        sealed = stored.read(struct.unpack("<L", head)[0])
        head = stored.read(4)
        try:
            yield _cipher().decrypt(_nonce(prefix, number), sealed, _place(last=not head))
        except InvalidTag as error:
            raise SealBroken("An original cannot be opened.") from error
        number += 1


def _nonce(prefix: bytes, number: int) -> bytes:
    return prefix + struct.pack("<L", number)


def _place(*, last: bool) -> bytes:
    return b"last" if last else b"more"


def _cipher() -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"hilum originals").derive(
        settings.SECRET_KEY.encode()
    )
    return AESGCM(key)
