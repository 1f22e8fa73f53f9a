"""What every part of a protocol has in common: frozen, exact numbers, no unknown key, a source."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    Strict,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

NUMBER = re.compile(r"-?\d+(\.\d+)?")


def exact(value: object) -> Decimal:
    """Return a number as written; refuse a float, which is not what was written.

    Raises
    ------
    PydanticCustomError
        When `value` is neither an integer nor text that spells a decimal number.
    """
    if isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        raise PydanticCustomError("float", "quote the number: a float is not exact")
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return Decimal(value)
    raise PydanticCustomError("number", "expected a number, such as 7 or '1.5'")


def iso_day(value: object) -> object:
    """Let only an ISO 8601 calendar date through (pydantic would read an integer as seconds)."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return value
    raise PydanticCustomError("day", "expected a date, such as 2025-03-04")


def plain_value(value: object) -> int | bool | str | None:
    """Let a single value through: text, an integer, true, false or null (a decimal number is text)."""
    if value is None or isinstance(value, int | str):
        return value
    raise PydanticCustomError("plain", "expected one value: text, an integer, true, false or null")


def not_negative(value: object) -> object:
    """Refuse a negative integer."""
    if isinstance(value, int) and value < 0:
        raise PydanticCustomError("count", "expected zero or more")
    return value


Number = Annotated[Decimal, BeforeValidator(exact), PlainSerializer(str, return_type=str, when_used="json")]
Whole = Annotated[int, Strict()]
Count = Annotated[int, Strict(), BeforeValidator(not_negative)]
Flag = Annotated[bool, Strict()]
Plain = Annotated[int | bool | str | None, PlainValidator(plain_value)]
Day = Annotated[date, BeforeValidator(iso_day)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Rule = Annotated[str, StringConstraints(strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
FactName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*(\.[A-Z][A-Z0-9_]*)?$")]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
SettingName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Part(BaseModel):
    """A part of a protocol: cannot be changed, and refuses a key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Annotation(Part):
    """Where a part comes from: filled from the part above where the pack is silent.

    Attributes
    ----------
    source : str
        Key of `Protocol.sources`.
    ref : str
        The protocol's own numbering or section.
    provisional : bool
        True while the sponsor has not confirmed it; taken from the source where not said.
    note : str
        How an ambiguous source was read.
    """

    source: str = ""
    ref: str = ""
    provisional: Flag | None = None
    note: str = ""


class Sourced(Annotation):
    """A rule-like part: the pack must name its source."""

    source: Text
