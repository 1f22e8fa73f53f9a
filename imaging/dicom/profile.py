"""Which element is treated how: the confidentiality profile as a table.

Basic Application Level Confidentiality Profile with four options: Retain Longitudinal Temporal Information with
Modified Dates, Retain Patient Characteristics (sex, age up to 90, size and weight only), Clean Descriptors and Clean
Graphics. The rows of Table E.1-1 come from the package `dicom-anonymizer`, edition 2026c; the columns of the options
are computed here. The profile is stricter than the table in one way: what the table does not name is kept only where
its value representation cannot carry free text, or where the element stands on a short list of technical texts.

References
----------
.. [1] DICOM PS3.15 2026c, Annex E, Table E.1-1, E.2 "Basic Application Level Confidentiality Profile", E.3.4, E.3.6,
   E.3.7, E.3.8 (options 113105, 113103, 113107, 113108).
.. [2] DICOM PS3.16 2026c, CID 7050 "De-identification Method".
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Any

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.sr._concepts_dict import concepts  # by code; the public way in has keywords only
from pydicom.sr._snomed_dict import mapping

from imaging.dicom.elements import public_vr

EDITION = "PS3.15 2026c"

METHOD_CODES: tuple[tuple[str, str], ...] = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113103", "Clean Graphics Option"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
)


class Action(Enum):
    """What happens to an element."""

    KEEP = "keep"
    CHECK = "keep if its value cannot carry text"
    EMPTY = "empty"
    REPLACE = "replace by a dummy"
    REMOVE = "remove"
    UID = "map the identifier"
    SHIFT = "shift the date"
    RECURSE = "clean the items"
    AGE = "cap the age"
    PHASE = "replace the description by the contrast phase"


KEPT_UIDS = frozenset({0x00080016, 0x00081150, 0x0008010C, 0x00080117, 0x00080118})
"""Identifiers that name a class or a vocabulary, never an instance."""

DROPPED_DATES = frozenset(
    {
        0x00100032,  # Patient's Birth Time
        0x001021D0,  # Last Menstrual Date
        0x00160077,  # GPS Time Stamp
        0x0016008D,  # GPS Date Stamp
        0x00080201,  # Timezone Offset From UTC: names the region of the site
    }
)

PATIENT_CHARACTERISTICS = {
    0x00100040: Action.CHECK,  # Patient's Sex
    0x00101010: Action.AGE,
    0x00101020: Action.CHECK,  # Patient's Size
    0x00101030: Action.CHECK,  # Patient's Weight
}

TECHNICAL_TEXTS = frozenset(
    {
        0x00080070,  # Manufacturer
        0x00080100,  # Code Value
        0x00080102,  # Coding Scheme Designator
        0x00080103,  # Coding Scheme Version
        0x00081090,  # Manufacturer's Model Name
        0x00180024,  # Sequence Name
        0x00180085,  # Imaged Nucleus
        0x00181020,  # Software Versions
        0x00181040,  # Contrast/Bolus Route
        0x00181160,  # Filter Type
        0x00181210,  # Convolution Kernel
        0x00181250,  # Receive Coil Name
        0x00181251,  # Transmit Coil Name
        0x00189005,  # Pulse Sequence Name
        0x00281054,  # Rescale Type
        0x00283004,  # Modality LUT Type
        0x00541101,  # Attenuation Correction Method
        0x00541103,  # Reconstruction Method
        0x00541105,  # Scatter Correction Method
    }
)

BINARY_KEPT = frozenset(
    {
        0x00281201, 0x00281202, 0x00281203,  # palette colour tables
        0x00281221, 0x00281222, 0x00281223,
        0x00283006,  # LUT Data
    }
)  # fmt: skip

PUBLIC_CODING_SCHEMES = frozenset(
    {"DCM", "SCT", "SRT", "SNM3", "99SDM", "UCUM", "LN", "FMA", "RADLEX", "BI", "UMLS"}
)

_SNOMED_BEFORE = frozenset({"SRT", "SNM3", "99SDM"})


@lru_cache(maxsize=1)
def _meanings() -> dict[tuple[str, str], str]:
    """The names of some 18,000 public codes, by scheme and code."""
    public: Any = concepts
    known: dict[tuple[str, str], str] = {
        (scheme, code): meaning
        for scheme, keywords in public.items()
        for entries in keywords.values()
        for code, (meaning, _) in entries.items()
    }
    today = {old: known.get(("SCT", new)) for old, new in mapping["SRT"].items()}
    return known | {("SRT", old): meaning for old, meaning in today.items() if meaning}


def meaning_of(scheme: str, code: str) -> str:
    """How a public vocabulary names a code; empty for a code that is not known here."""
    scheme = scheme.upper()
    return _meanings().get(("SRT" if scheme in _SNOMED_BEFORE else scheme, code), "")


OVERRIDES: dict[int, Action] = {
    0x00080005: Action.CHECK,  # Specific Character Set
    0x0008103E: Action.PHASE,  # Series Description
    0x00080104: Action.REPLACE,  # Code Meaning: of a code that is known, by its name (see `meaning_of`)
    0x00100030: Action.EMPTY,  # Patient's Birth Date: type 2
    0x00180010: Action.REPLACE,  # Contrast/Bolus Agent
    0x00201040: Action.EMPTY,  # Position Reference Indicator
    0x00081140: Action.RECURSE,  # Referenced Image Sequence (X/Z/U*)
    0x00082112: Action.RECURSE,  # Source Image Sequence (X/Z/U*)
    0x00400555: Action.REMOVE,  # Acquisition Context Sequence
    **PATIENT_CHARACTERISTICS,
}

SIZES = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "AT": 4, "SV": 8, "UV": 8}
NUMERIC = frozenset(SIZES)
_NUMBERS = NUMERIC | {"DS", "IS"}
_CHECKED = frozenset({"CS", "DS", "IS", "TM", "AS"})
_BY_CATEGORY: tuple[tuple[list[tuple[int, ...]], Action], ...] = (
    (table.D_TAGS, Action.REPLACE),
    (table.Z_D_TAGS, Action.REPLACE),
    (table.Z_TAGS, Action.EMPTY),
    (table.U_TAGS, Action.UID),
    # X/Z, X/D and X/Z/D depend on the type in the object; in the image objects that are taken these are all type 3
    (table.X_TAGS, Action.REMOVE),
    (table.X_Z_TAGS, Action.REMOVE),
    (table.X_D_TAGS, Action.REMOVE),
    (table.X_Z_D_TAGS, Action.REMOVE),
    (table.X_Z_U_STAR_TAGS, Action.RECURSE),
)


@lru_cache(maxsize=1)
def basic_profile() -> dict[int, Action]:
    """Table E.1-1 as tag → action; the repeating groups 50xx and 60xx are removed whole elsewhere."""
    return {row[0] << 16 | row[1]: action for rows, action in _BY_CATEGORY for row in rows if len(row) == 2}


@lru_cache(maxsize=8192)
def action_for(tag: int, vr: str) -> Action:
    """What the profile does with an element.

    Parameters
    ----------
    tag
        `0xggggeeee`.
    vr
        Its value representation, from the file or from the dictionary. The dictionary's counts.
    """
    group, number = tag >> 16, tag & 0xFFFF
    if number == 0 or group & 1 or group < 0x0008 or group & 0xFF00 in (0x5000, 0x6000):
        return (
            Action.REMOVE
        )  # group lengths, private elements, groups of messages and media, curves, overlays
    known = public_vr(tag)
    if known is None or tag in DROPPED_DATES or (vr == "UN" != known):
        return Action.REMOVE
    if (vr == "SQ") != (known == "SQ"):
        return Action.REMOVE
    if tag in OVERRIDES:
        return OVERRIDES[tag]
    vr = judged_vr(tag, vr)
    if vr in ("DA", "DT"):
        return Action.REMOVE if group == 0x0010 else Action.SHIFT
    if vr == "TM":
        return Action.CHECK
    if vr == "UI":
        return _uid_action(tag)
    return _table_action(tag, vr)


@lru_cache(maxsize=8192)
def judged_vr(tag: int, vr: str) -> str:
    """The value representation by which an element is treated: what a file calls a number or a time may be text.

    The file's own counts where the dictionary names it too, and among numbers.
    """
    known = public_vr(tag)
    if known is None or vr in dictionary_VR(tag).split(" or ") or {vr, known} <= _NUMBERS:
        return vr
    return known


def _uid_action(tag: int) -> Action:
    listed = basic_profile().get(tag)
    if listed is Action.REMOVE:
        return Action.REMOVE
    return Action.CHECK if tag in KEPT_UIDS else Action.UID


def _table_action(tag: int, vr: str) -> Action:
    listed = basic_profile().get(tag)
    if vr == "SQ":
        # a replaced or emptied sequence would be invalid or say nothing: it goes
        return Action.RECURSE if listed in (None, Action.UID, Action.RECURSE) else Action.REMOVE
    if listed is not None:
        return Action.REMOVE if listed in (Action.UID, Action.RECURSE) else listed
    if vr in NUMERIC:
        return Action.KEEP
    if vr in _CHECKED or tag in TECHNICAL_TEXTS or tag in CHECKS_OF_TAGS:
        return Action.CHECK
    return Action.KEEP if tag in BINARY_KEPT else Action.REMOVE


_TIME = rb"((?:[01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)? *)?"
_PRINTABLE = re.compile(rb"[^\x00-\x1a\x1c-\x1f\x7f]{0,1024}\0?")

CHECKS: dict[str, re.Pattern[bytes]] = {
    "CS": re.compile(rb"[A-Z0-9_ ]{0,16}(\\[A-Z0-9_ ]{0,16})*\0?"),
    "DS": re.compile(rb"[0-9+\-.eE \\]*\0?"),
    "IS": re.compile(rb"[0-9+\- \\]*\0?"),
    "TM": re.compile(_TIME + rb"(\\" + _TIME + rb")*\0?"),
    "AS": re.compile(rb"(\d{3}[DWMY])? ?\0?"),
    "UI": re.compile(rb"[0-9.\\ ]*\0?"),
    "LO": _PRINTABLE,  # the technical texts
    "SH": _PRINTABLE,
}

_WINDOW_WORDS = (
    rb"ABDOMEN|ALGO|ANGIO|BODY|BONE|BRAIN|BROAD|CENTER|CERVICAL|CHEST|CONTRAST|DEFAULT|HARD|HARDER|HEAD|HIGH|LIVER|LOW"
    rb"|LUNG|MEDIASTINUM|MAX|MIN|NARROW|NECK|NORMAL|PELVIS|SHARP|SMOOTH|SOFT|SOFTER|SPINE|STANDARD|THORAX|TISSUE"
    rb"|USER|VESSEL|WIDE|WIDTH|WINDOW"
)
_CHARACTER_SET = rb"( *(ISO[ _-]?(2022[ _-]?)?IR[ _-]?\d{1,3}|GB18030|GBK) *)"
_WINDOW_WORD = rb"((" + _WINDOW_WORDS + rb")\d{0,2}|\d{1,2})"
CHECKS_OF_TAGS: dict[int, re.Pattern[bytes]] = {
    0x00080005: re.compile(_CHARACTER_SET + rb"?(\\" + _CHARACTER_SET + rb"?)*\0?"),
    # Window Center & Width Explanation: free text, of which the usual words are known
    0x00281055: re.compile(_WINDOW_WORD + rb"?([ _\\]{1,4}" + _WINDOW_WORD + rb"){0,16}[ \\]{0,4}\0?"),
}

NUMBERS_THAT_READ = re.compile(rb"(?=[^A-Za-z]*[A-Za-z])[ -~]{8,64}")
"""Binary numbers whose bytes are letters, one and all: text that was declared to be numbers."""


@lru_cache(maxsize=8192)
def most_values(tag: int) -> int:
    """How many values an element may have; 0 where the dictionary sets no limit."""
    multiplicity = dictionary_VM(tag)
    return 0 if "n" in multiplicity else int(multiplicity.split("-")[-1])


def holds_numbers(tag: int, vr: str, value: bytes) -> bool:
    """Whether a binary value can be the numbers that it says to be; true for what does not say so."""
    if vr in ("OB", "OW"):
        return NUMBERS_THAT_READ.fullmatch(value) is None
    size = SIZES.get(vr)
    if size is None:
        return True
    most = most_values(tag)
    fits = not len(value) % size and (not most or len(value) <= size * most)
    return fits and NUMBERS_THAT_READ.fullmatch(value) is None


def well_formed(tag: int, vr: str, value: bytes) -> bool:
    """Whether a value is what its element allows, so that no name can hide in it; of technical texts, hardly.

    Lengths of numbers are not looked at: real scanners write over-long decimal strings.
    """
    check = CHECKS_OF_TAGS.get(tag) or CHECKS.get(vr)
    return check is not None and check.fullmatch(value) is not None


PHASES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ARTERIAL PHASE", re.compile(r"\bart(er|\b)|arterial|\bhap\b|\blap\b", re.IGNORECASE)),
    ("PORTAL VENOUS PHASE", re.compile(r"port|\bpv[pi]?\b|venous|ven[oö]s|\bvein", re.IGNORECASE)),
    ("HEPATOBILIARY PHASE", re.compile(r"hepatobil|\bhbp\b", re.IGNORECASE)),
    ("DELAYED PHASE", re.compile(r"delay|late phase|equilib|sp[aä]t", re.IGNORECASE)),
    (
        "UNENHANCED",
        re.compile(r"nativ|unenh|non.?contrast|without|\bplain\b|\bw/?o\b|\bpre\b", re.IGNORECASE),
    ),
    ("DIFFUSION", re.compile(r"\bdwi\b|diff|\badc\b", re.IGNORECASE)),
    ("T2 WEIGHTED", re.compile(r"\bt2", re.IGNORECASE)),
    ("T1 WEIGHTED", re.compile(r"\bt1|vibe|lava|thrive|dixon", re.IGNORECASE)),
    ("LOCALISER", re.compile(r"scout|locali[sz]|topogram|surview|survey", re.IGNORECASE)),
)


def cleaned_description(text: str) -> str:
    """The contrast phase or sequence type that a series description names, from a closed list; empty if none.

    Readers need the phase; the rest of a description is free text of the site and does not leave it.
    """
    return next((phase for phase, pattern in PHASES if pattern.search(text)), "")
