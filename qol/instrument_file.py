"""The file in which the holder of a licence supplies an instrument's wording: JSON or YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, StringConstraints

from foundation.documents import Document, DocumentError, IsoDate, parse_document, read_json
from qol.errors import InstrumentFileError, LicenceReferenceMissingError
from qol.rules.questionnaire import INSTRUMENTS, Instrument

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=20)]
LARGEST_FILE = 1_000_000


class LicencePart(Document):
    """Who allows the use, under which number, and until when."""

    reference: Words
    holder: Words
    valid_from: IsoDate
    valid_until: IsoDate | None = None
    languages: Annotated[list[Language], Field(min_length=1)]


class LanguagePart(Document):
    """The wording in one language; `anchors` are the answers from the least to the most."""

    language: Language
    instruction: Words
    anchors: list[Words]
    items: dict[str, Words]


class InstrumentFile(Document):
    """A licence and the wording that it covers."""

    instrument: str
    licence: LicencePart
    texts: Annotated[list[LanguagePart], Field(min_length=1)]

    @property
    def known(self) -> Instrument:
        """The instrument by its code."""
        return INSTRUMENTS[self.instrument]


def read_instrument_file(path: Path) -> InstrumentFile:
    """Read and check a file.

    Raises
    ------
    InstrumentFileError
        Not readable, not JSON or YAML, or something in it is missing or too much.
    LicenceReferenceMissingError
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InstrumentFileError(path=str(path), problem=error.strerror or "cannot be read") from None
    if len(raw) > LARGEST_FILE:
        raise InstrumentFileError(path=str(path), problem="is larger than 1 MB, which no instrument needs")
    return check_instrument(_parsed(path, raw))


def _parsed(path: Path, raw: bytes) -> object:
    try:
        if path.suffix.lower() in {".yaml", ".yml"}:
            return yaml.load(raw, Loader=yaml.BaseLoader)  # noqa: S506 - makes text, lists and mappings only
        return read_json(raw)
    except (yaml.YAMLError, DocumentError) as error:
        raise InstrumentFileError(path=path.name, problem=str(error)) from None


def check_instrument(content: object) -> InstrumentFile:
    """A parsed file as an instrument with its licence; every language must be complete.

    Raises
    ------
    InstrumentFileError, LicenceReferenceMissingError
    """
    if not _reference(content):
        raise LicenceReferenceMissingError(field="licence.reference")
    try:
        found = parse_document(InstrumentFile, content)
    except DocumentError as error:
        raise InstrumentFileError(path=error.path or "the file", problem=error.error) from None
    if found.instrument not in INSTRUMENTS:
        known = ", ".join(INSTRUMENTS)
        raise InstrumentFileError(
            path="instrument", problem=f"{found.instrument} is not known here; {known} is"
        )
    for place, text in enumerate(found.texts):
        _check_language(found, f"texts[{place}]", text)
    if len({text.language for text in found.texts}) < len(found.texts):
        raise InstrumentFileError(path="texts", problem="a language stands twice")
    return found


def _reference(content: object) -> str:
    licence = content.get("licence") if isinstance(content, dict) else None
    reference = licence.get("reference") if isinstance(licence, dict) else None
    return reference.strip() if isinstance(reference, str) else ""


def _check_language(found: InstrumentFile, path: str, text: LanguagePart) -> None:
    instrument = found.known
    missing = [item for item in instrument.items if item not in text.items]
    unknown = [item for item in text.items if item not in instrument.items]
    problems = {
        "language": f"the licence does not cover {text.language}"
        if text.language not in found.licence.languages
        else "",
        "items": f"missing: {', '.join(missing)}"
        if missing
        else f"not items of {instrument.code}: {', '.join(unknown)}"
        if unknown
        else "",
        "anchors": f"{len(instrument.responses)} answers are needed, from the least to the most"
        if len(text.anchors) != len(instrument.responses)
        else "",
    }
    for part, problem in problems.items():
        if problem:
            raise InstrumentFileError(path=f"{path}.{part}", problem=problem)
