"""Which files an export has, and which columns they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casebook.rules.cells import MISSING_REASONS, WITH_UNIT
from trials.schema import Form, Item, Protocol

KEYS = ("STUDYID", "SITEID", "SUBJID", "VISIT", "VISITSEQ", "VISITDAT", "ROW", "FORMSTATE", "NOTDONE")


@dataclass(frozen=True)
class Column:
    """One column of a form's file: an item, or a part of its cell."""

    name: str
    item: Item
    part: str


def forms_of(protocols: Iterable[Protocol]) -> dict[str, list[Form]]:
    """Each form's definitions over all protocol versions in use, the newest first.

    An item that a later version retired keeps its column.
    """
    found: dict[str, list[Form]] = {}
    for protocol in protocols:
        for form in protocol.forms:
            found.setdefault(form.code, []).append(form)
    return found


def columns_of(forms: Sequence[Form]) -> list[Column]:
    """Columns of a form's file: value, unit, limits of normal, and the reason for what is missing."""
    items: dict[str, Item] = {}
    for form in forms:
        for item in form.items:
            items.setdefault(item.id, item)
    return [column for item in items.values() for column in _columns(item)]


def _columns(item: Item) -> list[Column]:
    columns = [Column(item.id, item, "value")]
    if item.type in WITH_UNIT:
        columns.append(Column(f"{item.id}_U", item, "unit"))
    if item.type == "lab":
        columns += [Column(f"{item.id}_LO", item, "low"), Column(f"{item.id}_HI", item, "high")]
    if item.type != "derived":
        columns.append(Column(f"{item.id}_ND", item, "missing"))
    return columns


def cells(columns: Sequence[Column], values: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """One row's cells, in the order of the columns."""
    return [_part(values.get(column.item.id) or {}, column.part) for column in columns]


def _part(cell: Mapping[str, Any], part: str) -> Any:
    value = cell.get(part)
    return " ".join(map(str, value)) if isinstance(value, list) else value


DICTIONARY = (
    "FILE",
    "COLUMN",
    "LABEL",
    "TYPE",
    "UNIT",
    "CODELIST",
    "CDASH",
    "SDTM",
    "DERIVED_BY",
    "SOURCE",
    "PROVISIONAL",
)


def dictionary(protocol: Protocol, forms: Mapping[str, Sequence[Form]]) -> Iterable[list[str]]:
    """The data dictionary: one row per column of every form's file."""
    for code, versions in forms.items():
        for column in columns_of(versions):
            yield _dictionary_row(protocol, code, column)


def _dictionary_row(protocol: Protocol, code: str, column: Column) -> list[str]:
    item = column.item
    about = {
        "unit": "unit",
        "low": "lower limit of normal",
        "high": "upper limit of normal",
        "missing": "reason for a missing value",
    }
    label = item.label if column.part == "value" else f"{item.label}, {about[column.part]}"
    sdtm = f"{item.sdtm.domain}.{item.sdtm.testcd or item.sdtm.variable}" if item.sdtm else ""
    source = protocol.sources[item.source].title if item.source in protocol.sources else ""
    return [
        f"{code}.csv",
        column.name,
        label,
        item.type if column.part == "value" else "text",
        item.unit or " ".join(item.units),
        "MISSING" if column.part == "missing" else item.codelist or ("NY" if item.type == "yesno" else ""),
        item.cdash,
        sdtm,
        item.derive if column.part == "value" else "",
        source,
        "Y" if item.provisional else "N",
    ]


CODELISTS = ("CODELIST", "CODE", "LABEL", "READ_AS_UNKNOWN")


def codelists(protocols: Iterable[Protocol]) -> Iterable[list[str]]:
    """Every code that a file may hold, and its words."""
    seen: set[tuple[str, str]] = set()
    for protocol in protocols:
        for codelist in protocol.codelists:
            for code in codelist.codes:
                if (codelist.name, code.code) not in seen:
                    seen.add((codelist.name, code.code))
                    yield [
                        codelist.name,
                        code.code,
                        code.label,
                        "Y" if code.code in codelist.unknown else "N",
                    ]
    for code_, label in MISSING_REASONS.items():
        yield ["MISSING", code_, label, "Y"]
