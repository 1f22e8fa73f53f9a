"""Secrets in the database, readable only together with the secret key of the installation.

References
----------
.. [1] NIST SP 800-38D (AES-GCM); RFC 5869 (HKDF).
"""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_KEY_BYTES = 32
_NONCE_BYTES = 12


class SealBroken(Exception):
    """Sealed under another SECRET_KEY, for something else, or altered."""


def seal(secret: bytes, *, purpose: str, about: str) -> str:
    """Encrypt a secret.

    Parameters
    ----------
    purpose
        What the key is for; every purpose has a key of its own.
    about
        What the secret belongs to; it can be opened for that alone.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + _cipher(purpose).encrypt(nonce, secret, about.encode())).decode()


def unseal(sealed: str, *, purpose: str, about: str) -> bytes:
    """The secret again.

    Raises
    ------
    SealBroken
    """
    raw = base64.b64decode(sealed)
    try:
        return _cipher(purpose).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode())
    except InvalidTag as error:
        raise SealBroken(f"The secret of {about} cannot be opened.") from error


def _cipher(purpose: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"hilum {purpose}".encode())
    return AESGCM(derived.derive(settings.SECRET_KEY.encode()))
