"""Reference ranges as a table: reading what a laboratory sends, and writing what is kept. No database."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from trials.errors import UnreadableTable
from trials.rules.ranges import Band, Range

COLUMNS = ("test", "unit", "sex", "age_from", "age_to", "low", "high", "valid_from")
NEEDED = ("test", "unit", "valid_from")
LARGEST = 1_000_000
"""Bytes: some thousand ranges; more is another file by mistake."""
NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
SEX_WORDS = {"": "", "M": "M", "F": "F", "MALE": "M", "FEMALE": "F", "BOTH": "", "ALL": "", "K": "F"}


class FieldFault(ValueError):
    """One field cannot be read; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True)
class BadRow:
    """A row that was refused: its line in the file, counted from 1, and every reason."""

    line: int
    text: str
    reasons: tuple[str, ...]


def read_rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """Rows of a CSV file by column, each with its line; commas or semicolons between the fields.

    Raises
    ------
    UnreadableTable
        Not UTF-8, too large, no heading, or a column missing or unknown.
    """
    if len(content) > LARGEST:
        raise UnreadableTable(
            field="file", message="The file is larger than a table of ranges can be (1 MB)."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableTable(
            field="file", message="The file is not UTF-8 text. Save it as “CSV UTF-8” and try again."
        ) from None
    heading, _, _ = text.partition("\n")
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in heading else ",")
    names = [name.strip().casefold() for name in next(reader, [])]
    _check_heading(names)
    return [
        (reader.line_num, {name: cell.strip() for name, cell in zip(names, row, strict=False)})
        for row in reader
        if any(cell.strip() for cell in row)
    ]


def _check_heading(names: list[str]) -> None:
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise UnreadableTable(
            field="file", message=f"The first line must name the columns; {', '.join(missing)} not found."
        )
    unknown = [name for name in names if name and name not in COLUMNS]
    if unknown:
        raise UnreadableTable(
            field="file", message=f"Unknown column {', '.join(unknown)}. Known are {', '.join(COLUMNS)}."
        )


def read_range(fields: Mapping[str, str], laboratory: str) -> Range:
    """A range from the fields of a row or of a page.

    Raises
    ------
    FieldFault
        A field cannot be read.
    """
    sex = fields.get("sex", "").strip().upper()
    if sex not in SEX_WORDS:
        raise FieldFault(
            "sex", f"“{fields['sex']}” is no sex here. Write M or F, or leave it empty for both."
        )
    return Range(
        key=0,
        version=0,
        laboratory=laboratory,
        test=fields.get("test", "").strip().upper(),
        unit=fields.get("unit", "").strip(),
        band=Band(SEX_WORDS[sex], _age(fields, "age_from") or 0, _age(fields, "age_to"), _day(fields)),
        low=_limit(fields, "low"),
        high=_limit(fields, "high"),
    )


def _limit(fields: Mapping[str, str], name: str) -> str:
    text = fields.get(name, "").strip().replace(",", ".")
    if text and not NUMBER.fullmatch(text):
        raise FieldFault(name, f"“{fields[name]}” is not a number. A limit is a plain number, such as 3.5.")
    return text


def _age(fields: Mapping[str, str], name: str) -> int | None:
    text = fields.get(name, "").strip()
    if text and not re.fullmatch(r"\d{1,3}", text):
        raise FieldFault(name, f"“{text}” is not an age in completed years.")
    return int(text) if text else None


def _day(fields: Mapping[str, str]) -> date:
    text = fields.get("valid_from", "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldFault("valid_from", f"“{text}” is not a date. Write it as 2026-01-31.") from None
