"""The first step of de-identification, which a browser takes before it sends anything.

The browser does by this table what needs no secret: it takes out, empties and replaces whatever the profile would take
out, empty or replace. Dates and identifiers wait for the subject's key, which never leaves the server. The server then
treats such a file as any other, and ends with the same bytes. What it would have looked up in elements that are gone
travels in a private block of the file, as digests: the patient number, and the words by which the header named people
and places.

References
----------
.. [1] DICOM PS3.15 2026c, Annex E; PS3.5 2026c, 7.8.1 "Private Data Element Tags".
.. [2] RFC 8018, 5.2 "PBKDF2".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from pydicom.datadict import DicomDictionary  # type: ignore[attr-defined]

from imaging.dicom.deidentify import (
    DUMMIES,
    LOCAL_CODES,
    NAME_TAGS,
    NO_NAMES,
    PERSON_TAGS,
    PLACE_TAGS,
    SHORT_NAME,
    VENDOR_TAGS,
    WORD,
)
from imaging.dicom.elements import tag_name
from imaging.dicom.errors import Malformed
from imaging.dicom.profile import (
    CHECKS,
    CHECKS_OF_TAGS,
    EDITION,
    NUMBERS_THAT_READ,
    PHASES,
    PUBLIC_CODING_SCHEMES,
    SIZES,
    Action,
    action_for,
    most_values,
)
from imaging.dicom.reader import DicomFile, values_of

BLOCK: Final = 0x00090010
CONTENT: Final = 0x00091001
CREATOR: Final = "HILUM PREPARED"
ROUNDS: Final = 100_000
"""Rounds of PBKDF2: next to nothing for one patient number, years for all numbers of ten digits."""

_DONE_THERE: Final = {
    Action.KEEP: "keep",
    Action.CHECK: "check",
    Action.EMPTY: "empty",
    Action.REPLACE: "replace",
    Action.PHASE: "phase",
    Action.RECURSE: "recurse",
    Action.UID: "keep",
    Action.SHIFT: "keep",
    Action.AGE: "keep",
}
_OVERLAY_BITS: Final = tuple(0x60000102 | number << 16 for number in range(0, 0x20, 2))
"""Overlay Bit Position: says whether an overlay hides in the pixels, which the server has to know."""
_PATH: Final = re.compile(r"([0-9A-F]{8}\[\d{1,4}\]\.){0,12}[0-9A-F]{8}")
_HEX: Final = re.compile(r"[0-9a-f]{32}")
_MOST: Final = 20_000


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """What the browser needs to know, as JSON: the action for each element, and how to do it.

    Returns
    -------
    dict
        `actions`: action → value representation → tags. What stands in none of the lists is taken out. `most`: how many
        numbers an element may hold where it is not one; 0 for any number.
    """
    actions: dict[str, dict[str, list[int]]] = {}
    for tag, entry in sorted(DicomDictionary.items()):
        for vr in entry[0].split(" or "):
            action = _DONE_THERE.get(action_for(tag, vr))
            if action:
                actions.setdefault(action, {}).setdefault(vr, []).append(tag)
    actions["keep"].setdefault("US", []).extend(_OVERLAY_BITS)
    numbers = sorted({tag for vr in SIZES for tag in actions["keep"].get(vr, ())} - {*_OVERLAY_BITS})
    return {
        "edition": EDITION,
        "creator": CREATOR,
        "rounds": ROUNDS,
        "actions": actions,
        "sizes": SIZES,
        "most": {tag: most for tag in numbers if (most := most_values(tag)) != 1},
        "numbersThatRead": NUMBERS_THAT_READ.pattern.decode("latin-1"),
        "checks": {vr: check.pattern.decode("latin-1") for vr, check in CHECKS.items()},
        "checksOfTags": {tag: check.pattern.decode("latin-1") for tag, check in CHECKS_OF_TAGS.items()},
        "dummies": {vr: dummy.decode() for vr, dummy in DUMMIES.items()},
        "phases": [[name, pattern.pattern] for name, pattern in PHASES],
        "schemes": sorted(PUBLIC_CODING_SCHEMES),
        "localCodes": {tag: value.decode() for tag, value in LOCAL_CODES.items()},
        "people": PERSON_TAGS,
        "places": PLACE_TAGS,
        "vendors": VENDOR_TAGS,
        "names": NAME_TAGS,
        "noNames": sorted(word.decode() for word in NO_NAMES),
        "shortName": SHORT_NAME.pattern.decode("latin-1"),
        "word": WORD.pattern.decode("latin-1"),
    }


@dataclass(frozen=True)
class FirstStep:
    """What a browser did to a file, and the digests that it left in the place of words.

    Attributes
    ----------
    number
        The blinded patient number (see `blinded_number`); empty where the file had none.
    words
        First 32 digits of the SHA-256 of salt and word, for each word that identified somebody.
    emptied, replaced, removed
        Names of elements, for the ledger.
    """

    salt: str
    number: str
    words: frozenset[str]
    emptied: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]


def first_step_of(file: DicomFile) -> FirstStep | None:
    """What a browser did to this file before it was sent; None where it came as the scanner wrote it.

    Raises
    ------
    Malformed
        The block of the browser is not understood.
    """
    values = values_of(file)
    if values.text(BLOCK) != CREATOR:
        return None
    try:
        content = json.loads(values.text(CONTENT))
        return FirstStep(
            salt=_hex(content["salt"]),
            number=_hex(content["number"]) if content["number"] else "",
            words=frozenset(_hex(word) for word in _some(content["words"])),
            emptied=_names(content["emptied"]),
            replaced=_names(content["replaced"]),
            removed=_names(content["removed"], also=content["behind"] is True),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        words = "What the browser says of its first step is not understood. Send the file again."
        raise Malformed("first_step", words) from fault


def without_block(file: DicomFile) -> DicomFile:
    """The file without what the browser noted in it."""
    return replace(file, elements=tuple(each for each in file.elements if each.tag not in (BLOCK, CONTENT)))


def _some(found: Any) -> list[Any]:
    if not isinstance(found, list) or len(found) > _MOST:
        raise ValueError
    return found


def _hex(text: Any) -> str:
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise ValueError
    return text


def _names(paths: Any, *, also: bool = False) -> tuple[str, ...]:
    """Paths of tags as the ledger names them; nothing but tags is let through."""
    found = [path for path in _some(paths) if isinstance(path, str) and _PATH.fullmatch(path)]
    names = tuple(_named(path) for path in found)
    return (*names, "everything after the pixel data") if also else names


def _named(path: str) -> str:
    return re.sub(r"[0-9A-F]{8}", lambda match: tag_name(int(match[0], 16)), path)


@lru_cache(maxsize=256)
def blinded_number(number: str, site: str) -> str:
    """A hospital's patient number, comparable within one site and hardly to be read; 32 hexadecimal digits.

    A browser works the same out before it sends a file, so that the number itself stays at the site.

    Parameters
    ----------
    site
        Code of the site.
    """
    salt = f"hilum patient number/{site}".encode()
    return hashlib.pbkdf2_hmac("sha256", number.encode(), salt, ROUNDS, dklen=16).hex()


@lru_cache(maxsize=65_536)
def _word_digest(salt: str, word: bytes) -> str:
    return hashlib.sha256(salt.encode() + word).hexdigest()[:32]


def words_found(step: FirstStep, words: Iterable[bytes]) -> bool:
    """Whether one of these words is among those that the browser digested."""
    return any(_word_digest(step.salt, word) in step.words for word in words)
