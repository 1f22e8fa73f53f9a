"""Sealing of the subjects' secrets, so that a copy of the database alone turns no date back.

References
----------
.. [1] NIST SP 800-38D (AES-GCM), RFC 5869 (HKDF).
"""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

KEY_BYTES = 32
_NONCE_BYTES = 12


class SealBroken(Exception):
    """The secret was sealed under another SECRET_KEY, for another subject, or was altered."""


def new_key() -> bytes:
    """A fresh secret for a subject."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, subject_id: int) -> str:
    """Encrypt a subject's secret; it can be opened for this subject only."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + _cipher().encrypt(nonce, key, _context(subject_id))).decode()


def unseal(sealed: str, subject_id: int) -> bytes:
    """The secret again.

    Raises
    ------
    SealBroken
    """
    raw = base64.b64decode(sealed)
    try:
        return _cipher().decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _context(subject_id))
    except InvalidTag as error:
        raise SealBroken("A subject's imaging secret cannot be opened.") from error


def _cipher() -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"hilum imaging keys").derive(
        settings.SECRET_KEY.encode()
    )
    return AESGCM(derived)


def _context(subject_id: int) -> bytes:
    return f"imaging key of subject {subject_id}".encode()
