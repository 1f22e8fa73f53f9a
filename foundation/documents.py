"""Strict documents: what comes from outside as JSON, checked before anything is computed.

Used where an outsider hands over a table of cases (the calculators). Every field is
declared, an unknown key is an error, numbers are exact, and a fault is named by its path
in the document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

FIRST_YEAR, LAST_YEAR = 1850, 2200
MAX_DIGITS = 30

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PARTIAL_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


class DocumentError(Exception):
    """The document cannot be used; `path` says where, `error` says why in plain words."""

    def __init__(self, path: str, error: str) -> None:
        super().__init__(f"{path}: {error}" if path else error)
        self.path = path
        self.error = error


class Document(BaseModel):
    """Base of every document: immutable, and nothing that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _exact(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be a number, or a number written as text")
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise ValueError(f"{value!r} is not a number")
        value = value.strip()
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("must be a finite number")
    digits = number.as_tuple().digits
    if len(digits) > MAX_DIGITS or (number and abs(number.adjusted()) > MAX_DIGITS):
        raise ValueError(f"has more than {MAX_DIGITS} digits")
    return number


def _positive(value: Any) -> Decimal:
    number = _exact(value)
    if number <= 0:
        raise ValueError("must be greater than 0")
    return number


def _not_negative(value: Any) -> Decimal:
    number = _exact(value)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _checked_year(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"year must lie between {FIRST_YEAR} and {LAST_YEAR}")


def _iso_date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        day = value
    elif isinstance(value, str) and _DATE.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a day of the calendar") from None
    else:
        raise ValueError("must be a date written YYYY-MM-DD")
    _checked_year(day)
    return day


def _partial_date(value: Any) -> str:
    if not isinstance(value, str) or not _PARTIAL_DATE.fullmatch(value):
        raise ValueError("must be a date written YYYY-MM-DD, YYYY-MM or YYYY")
    _iso_date(value + "-01-01"[len(value) - 10 :] if len(value) < 10 else value)
    return value


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a time of the calendar") from None
    else:
        raise ValueError("must be a time written YYYY-MM-DDTHH:MM[:SS]+HH:MM")
    if moment.utcoffset() is None:
        raise ValueError("must carry its offset from UTC, such as +01:00")
    _checked_year(moment.date())
    return moment


def _day_or_moment(value: Any) -> date | datetime:
    if isinstance(value, str) and _DATE.fullmatch(value):
        return _iso_date(value)
    return _moment(value)


def _strict_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value


def _strict_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _strict_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value):
            return int(value)
        raise ValueError("must be a whole number")
    return value


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Positive = Annotated[Decimal, BeforeValidator(_positive)]
NotNegative = Annotated[Decimal, BeforeValidator(_not_negative)]
IsoDate = Annotated[date, BeforeValidator(_iso_date)]
PartialDate = Annotated[str, BeforeValidator(_partial_date)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
DayOrMoment = Annotated[date | datetime, BeforeValidator(_day_or_moment)]
Text = Annotated[str, BeforeValidator(_strict_text)]
Flag = Annotated[bool, BeforeValidator(_strict_bool)]
Whole = Annotated[int, BeforeValidator(_strict_int)]

D = TypeVar("D", bound=Document)

_MESSAGES = {
    "extra_forbidden": "unknown key",
    "missing": "is required",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be a text",
}


def path_of(location: tuple[str | int, ...]) -> str:
    """`("procedures", 0, "infusion_start")` as `procedures[0].infusion_start`."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path


def parse_document(model: type[D], document: object) -> D:
    """`document` as `model`, or `DocumentError` for its first fault."""
    if not isinstance(document, Mapping):
        raise DocumentError("", "must be a JSON object")
    try:
        return model.model_validate(document)
    except ValidationError as refused:
        fault = refused.errors(include_url=False, include_input=False)[0]
    message = _MESSAGES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    raise DocumentError(path_of(fault["loc"]), message)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return document


def read_json(raw: bytes) -> object:
    """JSON as it was written: decimals exact, no key twice, no NaN. `DocumentError` otherwise."""
    try:
        return json.loads(
            raw.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_once,
        )
    except json.JSONDecodeError as fault:
        error = f"not valid JSON: {fault.msg} (line {fault.lineno}, column {fault.colno})"
    except UnicodeDecodeError:
        error = "not valid JSON: the text is not UTF-8"
    except RecursionError:
        error = "not valid JSON: nested too deeply"
    except ValueError as fault:
        error = f"not valid JSON: {fault}"
    raise DocumentError("", error)


def plain(number: Decimal) -> str:
    """A decimal as text without exponent and without trailing zeros: `17.60` is `17.6`, `9E+1` is `90`."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _jsonable(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def write_json(document: object) -> str:
    """JSON for people and programs: decimals as text, dates as ISO 8601."""
    return json.dumps(document, default=_jsonable, ensure_ascii=False, indent=2)
