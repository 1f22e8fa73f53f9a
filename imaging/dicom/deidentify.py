"""De-identification of one file, with a ledger of what was done to every element.

Elements that stay are copied byte for byte, pixel data are never decoded, and what is written can be read by any DICOM
tool. The key belongs to one subject; without it neither a date nor an identifier can be turned back.

References
----------
.. [1] DICOM PS3.15 2026c, Annex E.
.. [2] DICOM PS3.3 2026c, C.7.1.3 "Clinical Trial Subject Module", C.7.2.3 "Clinical Trial Study Module", C.12.1.1.7.
.. [3] DICOM PS3.5 2026c, Annex B.2 "UUID derived UID" (root 2.25).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import struct
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from pydicom.uid import UID_dictionary  # type: ignore[attr-defined]

from imaging.dicom.elements import (
    EXPLICIT_LITTLE,
    Element,
    Syntax,
    Tokenizer,
    encode_element,
    encode_items,
    tag_name,
)
from imaging.dicom.errors import Malformed
from imaging.dicom.profile import (
    EDITION,
    METHOD_CODES,
    PUBLIC_CODING_SCHEMES,
    TECHNICAL_TEXTS,
    Action,
    action_for,
    cleaned_description,
    holds_numbers,
    judged_vr,
    meaning_of,
    well_formed,
)
from imaging.dicom.reader import DicomFile, Values, values_of

IMPLEMENTATION_UID = "2.25.143271960423911784190247339062417895541"
IMPLEMENTATION_NAME = "HILUM"

_MIN_SHIFT_DAYS = 30
_SHIFT_RANGE_DAYS = 3650
LOCAL_CODES = {0x00080100: b"LOCAL", 0x00080102: b"99LOCAL", 0x00080103: b"", 0x00080104: b"Local code"}
_CODE_MEANING = 0x00080104
DUMMY = b"REMOVED"
DUMMIES = {"DS": b"0", "IS": b"0", "AS": b"000Y"} | dict.fromkeys(
    ("AE", "CS", "LO", "SH", "LT", "ST", "UT", "UC", "PN"), DUMMY
)


def patient_fingerprint(key: bytes, number: str) -> str:
    """Digest of a hospital's patient number, which was blinded before, under a subject's key."""
    return hmac.new(key, b"patient\0" + number.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Identity:
    """What takes the place of the patient's identity, and the subject's secret.

    Attributes
    ----------
    key
        At least 32 random bytes, one key for each subject.
    """

    key: bytes
    subject: str
    sponsor: str
    protocol_id: str
    protocol_name: str
    site_id: str
    site_name: str
    time_point_id: str
    time_point: str = ""

    def __post_init__(self) -> None:
        if len(self.key) < 32:
            raise ValueError("The key of a subject has at least 32 bytes.")

    def uid(self, original: str) -> str:
        """The identifier that stands for `original`, always the same under this key."""
        digest = hmac.new(self.key, b"uid\0" + original.encode("latin-1", "replace"), hashlib.sha256).digest()
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"

    @property
    def shift(self) -> timedelta:
        """By how much every date of this subject moves: 30 to 3679 days into the past."""
        digest = hmac.new(self.key, b"date shift", hashlib.sha256).digest()
        return -timedelta(days=_MIN_SHIFT_DAYS + int.from_bytes(digest[:8], "big") % _SHIFT_RANGE_DAYS)

    def fingerprint(self, number: str) -> str:
        """A keyed digest by which a later file can be recognised as the same patient's; of a blinded number."""
        return patient_fingerprint(self.key, number)


@dataclass
class Ledger:
    """What was done to the elements of a file, by path; never a value.

    Attributes
    ----------
    before_sending
        Those of which the browser had emptied, replaced or removed the value already.
    covered
        Areas of the picture that a person had covered.
    """

    kept: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    before_sending: list[str] = field(default_factory=list)
    covered: list[str] = field(default_factory=list)

    def take_over(self, emptied: Sequence[str], replaced: Sequence[str], removed: Sequence[str]) -> None:
        """Note what the browser did, of which the file shows no trace."""
        settled = {*self.emptied, *self.replaced, *self.removed}
        done = {*emptied, *replaced}
        self.kept = [name for name in self.kept if name not in done]
        for mine, names in ((self.emptied, emptied), (self.replaced, replaced), (self.removed, removed)):
            mine.extend(name for name in names if name not in settled)
        self.before_sending = [*emptied, *replaced, *removed]

    def as_dict(self) -> dict[str, list[str]]:
        """For storage as JSON."""
        content = {
            "edition": [EDITION],
            "kept": self.kept,
            "emptied": self.emptied,
            "replaced": self.replaced,
            "removed": self.removed,
        }
        seldom = {"before_sending": self.before_sending, "covered": self.covered}
        return content | {part: names for part, names in seldom.items() if names}


@dataclass(frozen=True)
class Deidentified:
    """The result for one file.

    Attributes
    ----------
    data
        The new file.
    pixel_offset, pixel_length
        Where the pixel data value lies in `data`, bytes; (0, 0) for an object without.
    pixel_sha256
        Of the pixel data value, the same before and after.
    header_length
        Bytes of `data` before the pixel data element.
    texts
        Codes and technical texts that were kept.
    """

    data: bytes
    sop_uid: str
    ledger: Ledger
    pixel_offset: int
    pixel_length: int
    pixel_sha256: str
    header_length: int
    texts: tuple[bytes, ...]


def deidentify(file: DicomFile, identity: Identity) -> Deidentified:
    """Apply the profile to a file.

    Parameters
    ----------
    file
        The file as read.
    identity
        The subject's key and the names that go in.

    Returns
    -------
    Deidentified
        Whose pixel data are bit-identical to those of `file`.

    Raises
    ------
    Malformed
        A sequence is broken, or the file has no SOP Instance UID.
    """
    values = values_of(file)
    original_uid = values.text(0x00080018)
    if not original_uid:
        raise Malformed("no_sop_uid", "The object has no SOP Instance UID (0008,0018).")
    run = _Run(file, identity)
    body = run.dataset(file.elements, inserted=_inserted(identity, file.syntax))
    head = _file_head(values.text(0x00080016), identity.uid(original_uid), file.transfer_syntax) + body
    pixel = file.pixel
    tail = b"" if pixel is None else file.data[pixel.start : pixel.end]
    if pixel is not None:
        run.ledger.kept.append(tag_name(pixel.tag))
    if file.after_pixel:
        run.ledger.removed.append("everything after the pixel data")
    value = b"" if pixel is None else memoryview(file.data)[pixel.value : pixel.value_end]
    return Deidentified(
        data=head + tail,
        sop_uid=identity.uid(original_uid),
        ledger=run.ledger,
        pixel_offset=0 if pixel is None else len(head) + pixel.value - pixel.start,
        pixel_length=0 if pixel is None else pixel.length,
        pixel_sha256=hashlib.sha256(value).hexdigest(),
        header_length=len(head),
        texts=tuple(run.texts),
    )


class _Run:
    """One pass over one file."""

    def __init__(self, file: DicomFile, identity: Identity) -> None:
        self._data = file.data
        self._syntax = file.syntax
        self._tokenizer = Tokenizer(file.data, file.syntax)
        self._identity = identity
        self.ledger = Ledger()
        self.texts: list[bytes] = []

    def dataset(self, elements: Iterable[Element], *, inserted: Mapping[int, bytes]) -> bytes:
        """The cleaned data set, with our own elements in their places."""
        parts = {
            element.tag: self._element(element, "", 0) for element in elements if element.tag not in inserted
        }
        parts.update(inserted)
        self.ledger.replaced.extend(tag_name(tag) for tag in sorted(inserted))
        return b"".join(parts[tag] for tag in sorted(parts))

    def _element(self, element: Element, path: str, depth: int) -> bytes:
        action = action_for(element.tag, element.vr)
        place = path + tag_name(element.tag)
        if action is Action.RECURSE:
            return self._sequence(element, place, depth)
        value = self._data[element.value : element.value_end]
        new = self._new_value(action, element, value)
        if new is None:
            self.ledger.removed.append(place)
            return b""
        if new == value and not element.undefined:
            self.ledger.kept.append(place)
            if element.tag in TECHNICAL_TEXTS or element.vr == "CS":
                self.texts.append(value)
            if not element.unnamed:
                return self._data[element.start : element.end]
            return encode_element(element.tag, element.vr, new, self._syntax)
        (self.ledger.replaced if new else self.ledger.emptied).append(place)
        return encode_element(element.tag, element.vr, new, self._syntax)

    def _new_value(self, action: Action, element: Element, value: bytes) -> bytes | None:
        """The value that the element gets; None removes the element."""
        vr = judged_vr(element.tag, element.vr)
        if action is Action.KEEP:
            return value if holds_numbers(element.tag, vr, value) else None
        if action is Action.CHECK:
            # an image without a time of day is a better one than an image without the element
            return value if well_formed(element.tag, vr, value) else b"" if vr == "TM" else None
        if action is Action.EMPTY:
            return b""
        if action is Action.UID:
            return self._uids(value)
        if action is Action.SHIFT:
            return _shifted(vr, value, self._identity.shift)
        if action is Action.REPLACE:
            return _dummy(element.vr, value)
        if action is Action.AGE:
            return _capped_age(value)
        phase = cleaned_description(value.decode("latin-1")) if action is Action.PHASE else ""
        return phase.encode() or None

    def _uids(self, value: bytes) -> bytes:
        parts = [part.strip(" \0") for part in value.decode("latin-1").split("\\")]
        # an identifier that the standard itself defines tells nothing, and is the same everywhere
        mapped = [part if not part or part in UID_dictionary else self._identity.uid(part) for part in parts]
        new = "\\".join(mapped).encode()
        return new + b"\0" * (len(new) % 2)

    def _sequence(self, element: Element, place: str, depth: int) -> bytes:
        items = []
        for index, item in enumerate(self._tokenizer.items(element, depth)):
            code = self._code(item)
            parts = [
                self._written(each, code[each.tag], f"{place}[{index}]")
                if each.tag in code and each.vr != "SQ"
                else self._element(each, f"{place}[{index}].", depth + 1)
                for each in sorted(item, key=lambda each: each.tag)
            ]
            items.append(b"".join(parts))
        if items and not any(items):
            self.ledger.removed.append(place)
            return b""
        self.ledger.kept.append(place)
        return encode_element(element.tag, "SQ", encode_items(items, self._syntax), self._syntax)

    def _code(self, item: list[Element]) -> Mapping[int, bytes]:
        """What is written of an item that is a code: nobody's own words, but the name that a public vocabulary has."""
        values = Values(self._data, {each.tag: each for each in item}, self._syntax)
        scheme = values.text(0x00080102)
        if scheme and scheme.upper() not in PUBLIC_CODING_SCHEMES:
            return LOCAL_CODES
        meaning = ascii_text(meaning_of(scheme, values.text(0x00080100))).encode()
        return {_CODE_MEANING: meaning or DUMMY}

    def _written(self, element: Element, value: bytes, path: str) -> bytes:
        self.ledger.replaced.append(f"{path}.{tag_name(element.tag)}")
        return encode_element(element.tag, element.vr, value, self._syntax)


_DATE = re.compile(r"(\d{4})[.\-]?(\d{2})[.\-]?(\d{2})")
_DATETIME = re.compile(r"(\d{8})(\d{0,6}(?:\.\d{1,6})?)(?:[+\-]\d{4})?")


def _shifted(vr: str, value: bytes, shift: timedelta) -> bytes:
    """Dates (DA, DT) moved by `shift`; empty where a part is no complete date. Times of day stay, zone offsets go."""
    parts = [part.strip(" \0") for part in value.decode("latin-1").split("\\")]
    moved = [_shifted_one(vr, part, shift) for part in parts]
    if any(part is None for part in moved):
        return b""
    new = "\\".join(part for part in moved if part is not None).encode()
    return new + b" " * (len(new) % 2)


def _shifted_one(vr: str, text: str, shift: timedelta) -> str | None:
    if not text:
        return ""
    rest = ""
    if vr == "DT":
        moment = _DATETIME.fullmatch(text)
        if moment is None:
            return None
        text, rest = moment.group(1), moment.group(2)
        if not well_formed(0, "TM", rest.encode()):
            return None
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        moved = date(*(int(part) for part in match.groups())) + shift
    except (ValueError, OverflowError):
        return None
    return f"{moved:%Y%m%d}".rjust(8, "0") + rest


def _dummy(vr: str, value: bytes) -> bytes:
    """A value that says nothing; an empty value stays empty, a binary one is emptied."""
    if not value.strip(b" \0"):
        return b""
    dummy = DUMMIES.get(vr, b"")
    return dummy + b" " * (len(dummy) % 2)


def _capped_age(value: bytes) -> bytes | None:
    """Age as it is, but `090Y` for everyone above 89 years; None for what is no age."""
    if not well_formed(0, "AS", value):
        return None
    text = value.strip(b" \0")
    if text.endswith(b"Y") and int(text[:3]) > 89:
        return b"090Y"
    return value


def ascii_text(text: str, limit: int = 64) -> str:
    """Text in the default character repertoire, so that no character set needs to be declared for it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain.replace("\\", "/")[:limit].strip()


@lru_cache(maxsize=8)
def _inserted(identity: Identity, syntax: Syntax) -> Mapping[int, bytes]:
    """Our own elements: subject, trial, and the statement of what was done."""

    def text(tag: int, vr: str, value: str) -> bytes:
        return encode_element(tag, vr, ascii_text(value).encode(), syntax)

    codes = [
        text(0x00080100, "SH", code) + text(0x00080102, "SH", "DCM") + text(0x00080104, "LO", meaning)
        for code, meaning in METHOD_CODES
    ]
    return {
        0x00100010: text(0x00100010, "PN", identity.subject + "^"),
        0x00100020: text(0x00100020, "LO", identity.subject),
        0x00120010: text(0x00120010, "LO", identity.sponsor),
        0x00120020: text(0x00120020, "LO", identity.protocol_id),
        0x00120021: text(0x00120021, "LO", identity.protocol_name),
        0x00120030: text(0x00120030, "LO", identity.site_id),
        0x00120031: text(0x00120031, "LO", identity.site_name),
        0x00120040: text(0x00120040, "LO", identity.subject),
        0x00120050: text(0x00120050, "LO", identity.time_point_id),
        0x00120051: text(0x00120051, "ST", identity.time_point),
        0x00120062: text(0x00120062, "CS", "YES"),
        0x00120063: text(0x00120063, "LO", f"Hilum table {EDITION}"),
        0x00120064: encode_element(0x00120064, "SQ", encode_items(codes, syntax), syntax),
        0x00280303: text(0x00280303, "CS", "MODIFIED"),
    }


def _file_head(sop_class: str, sop_uid: str, transfer_syntax: str) -> bytes:
    """An empty preamble and file meta information of our own: nothing of the original's is kept."""
    parts = [
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", sop_class.encode("latin-1", "replace")),
        (0x00020003, "UI", sop_uid.encode()),
        (0x00020010, "UI", transfer_syntax.encode("latin-1", "replace")),
        (0x00020012, "UI", IMPLEMENTATION_UID.encode()),
        (0x00020013, "SH", IMPLEMENTATION_NAME.encode()),
    ]
    meta = b"".join(encode_element(tag, vr, value, EXPLICIT_LITTLE) for tag, vr, value in parts)
    length = encode_element(0x00020000, "UL", struct.pack("<L", len(meta)), EXPLICIT_LITTLE)
    return bytes(128) + b"DICM" + length + meta


PERSON_TAGS = (
    0x00100010, 0x00100020, 0x00101000, 0x00101001, 0x00101005, 0x00101040, 0x00101060, 0x00102154,
    0x00080050, 0x00080090, 0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x00200010, 0x00321032,
)  # fmt: skip
PLACE_TAGS = (0x00080080, 0x00080081, 0x00081010, 0x00081040)
VENDOR_TAGS = (0x00080070, 0x00081090)
NAME_TAGS = (
    0x00100010, 0x00101001, 0x00101005, 0x00101060, 0x00080090, 0x00081048, 0x00081050, 0x00081060, 0x00081070,
)  # fmt: skip
WORD = re.compile(rb"[0-9A-Za-z\x80-\xff\x1b]+")
SHORT_NAME = re.compile(rb"[A-Z\x80-\xff]{2,3}")
NO_NAMES = frozenset(
    b"AL BIN CT DE DEL DEN DER DI DOC DR EL II III JR LA LE MD MR MRS MS NON NOT PET PHD RN RT SR TEN TER THE UND VAN"
    b" VON".split()
)
"""Short words of the elements that name people which name nobody."""
_RUN_TOGETHER = 5
_LONGEST_WORD = 64


def identity_words(file: DicomFile) -> set[bytes]:
    """Words by which the original file identifies people and places, in capitals.

    Words of fewer than four letters and numbers of fewer than five digits are left out, for they would be found
    everywhere; names alone count from two letters. A hospital that carries its vendor's name (a test system, mostly) is
    not recognised by that word.
    """
    values = values_of(file)
    people, places, vendor, names = (
        {word.upper() for tag in tags for word in WORD.findall(values.raw(tag))}
        for tags in (PERSON_TAGS, PLACE_TAGS, VENDOR_TAGS, NAME_TAGS)
    )
    named = (people | (places - vendor)) - {DUMMY}
    short = {word for word in names - NO_NAMES if SHORT_NAME.fullmatch(word)}
    return {word for word in named if len(word) >= (5 if word.isdigit() else 4)} | short


def words_of(result: Deidentified, identity: Identity) -> set[bytes]:
    """Words in the header of the result, in capitals, but those that the trial itself writes (subject, site, sponsor).

    The words of `identity_words` must not be among them: a net below the table, for names that a scanner or a person
    put where the standard does not expect them. Of words in texts their parts count too, for names are run together;
    words of two letters count there alone, for in a header every element has one.
    """
    inserted = b"".join(_inserted(identity, EXPLICIT_LITTLE).values())
    own = {word.upper() for word in WORD.findall(inserted)} | {IMPLEMENTATION_NAME.encode(), DUMMY}
    present = {
        word.upper() for word in WORD.findall(result.data[132 : result.header_length]) if len(word) > 2
    }
    written = {word.upper() for text in result.texts for word in WORD.findall(text)}
    return (present | written).union(*map(_parts, written)) - own


@lru_cache(maxsize=4096)
def _parts(word: bytes) -> frozenset[bytes]:
    """What may be a name in a word of several."""
    word = word[:_LONGEST_WORD]
    ends = range(_RUN_TOGETHER, len(word) + 1)
    return frozenset(word[start:end] for end in ends for start in range(end - _RUN_TOGETHER + 1))
