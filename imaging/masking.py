"""Names of slices and series that a reader gets: another one in every read, so that no two reads can be laid together.

A name is the number of the row, encrypted under a key of the read; nobody without the installation's secret can tell
which slice it is, or that two names mean the same slice.

References
----------
.. [1] FIPS 197 (AES, one block), RFC 5869 (HKDF).
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

SLICE, SERIES = b"slice", b"series"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_KIND_BYTES = 8


def masked(scope: UUID, kind: bytes, row: int) -> UUID:
    """The name of a row for one read or adjudication."""
    block = kind.ljust(_KIND_BYTES, b"\0") + row.to_bytes(16 - _KIND_BYTES, "big")
    encryptor = _cipher(scope).encryptor()
    return UUID(bytes=encryptor.update(block) + encryptor.finalize())


def unmasked(scope: UUID, kind: bytes, name: UUID) -> int | None:
    """The row of a name; None where it was not given out for this read."""
    decryptor = _cipher(scope).decryptor()
    block = decryptor.update(name.bytes) + decryptor.finalize()
    if block[:_KIND_BYTES] != kind.ljust(_KIND_BYTES, b"\0"):
        return None
    return int.from_bytes(block[_KIND_BYTES:], "big")


@lru_cache(maxsize=256)
def _cipher(scope: UUID) -> Cipher[ECB]:
    """One block of one random-looking number each: the mode is right for that, and for nothing else."""
    key = HKDF(algorithm=SHA256(), length=32, salt=scope.bytes, info=b"hilum names of images").derive(
        settings.SECRET_KEY.encode()
    )
    return Cipher(AES(key), ECB())  # noqa: S305


def case_code() -> str:
    """A random name for a case that readers can say aloud."""
    letters = [secrets.choice(_LETTERS) for _ in range(6)]
    return f"{''.join(letters[:3])}-{''.join(letters[3:])}"
