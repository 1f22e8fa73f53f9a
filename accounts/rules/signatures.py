"""The exact text that a signature row's seal covers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

SEAL_VERSION = 1


def sealed_text(
    *,
    signer_id: int,
    signer_name: str,
    meaning: str,
    at: str,
    target_kind: str,
    target_id: str,
    digest: str,
    statement: str,
) -> str:
    """What a signature's seal covers: a row copied to another record does not fit it.

    Parameters
    ----------
    signer_id, signer_name
        Who signed, and the printed name at that time.
    meaning, statement
        What was said by signing.
    at
        When, ISO 8601 in UTC with microseconds.
    target_kind, target_id
        The record.
    digest
        SHA-256 of the record's content, 64 hexadecimal digits.

    Returns
    -------
    str
        A JSON array.

    References
    ----------
    21 CFR 11.70, signature/record linking.
    """
    parts = [SEAL_VERSION, signer_id, signer_name, meaning, at, target_kind, target_id, digest, statement]
    return json.dumps(parts, ensure_ascii=False)


def seal_of(**signature: Any) -> str:
    """SHA-256 of `sealed_text`, 64 hexadecimal digits: ties a signature to its record."""
    return hashlib.sha256(sealed_text(**signature).encode()).hexdigest()
