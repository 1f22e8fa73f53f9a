"""Which files an export has, and which columns they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casebook.rules.cells import MISSING_REASONS, WITH_UNIT
from trials.schema import Form, Item, Protocol, Source

KEYS = (
    "STUDYID",
    "SITEID",
    "SUBJID",
    "VISIT",
    "VISITSEQ",
    "VISITDAT",
    "ROW",
    "FORMVERS",
    "FORMSTATE",
    "NOTDONE",
)


UNIT_OF_FORM = "unit of the form"
"""Part of a plain number's cell that stands on its form, not in the cell."""


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
    """Columns of a form's file: value, unit, limits of normal, and the reason for what is missing.

    An item has the columns of all its versions, the newest first; a plain number whose unit was changed has a column
    for the unit in which each row was entered.
    """
    versions: dict[str, list[Item]] = {}
    for form in forms:
        for item in form.items:
            versions.setdefault(item.id, []).append(item)
    return [column for items in versions.values() for column in _columns(items)]


def _columns(items: Sequence[Item]) -> list[Column]:
    """Columns of one item over its versions, the newest first."""
    newest, types = items[0], {item.type for item in items}
    columns = [Column(newest.id, newest, "value")]
    if types & WITH_UNIT:
        columns.append(Column(f"{newest.id}_U", newest, "unit"))
    elif len({item.unit for item in items}) > 1:
        columns.append(Column(f"{newest.id}_U", newest, UNIT_OF_FORM))
    if "lab" in types:
        columns += [Column(f"{newest.id}_LO", newest, "low"), Column(f"{newest.id}_HI", newest, "high")]
    if types != {"derived"}:
        columns.append(Column(f"{newest.id}_ND", newest, "missing"))
    return columns


def cells(
    columns: Sequence[Column], values: Mapping[str, Mapping[str, Any]], entered: Form | None = None
) -> list[Any]:
    """One row's cells, in the order of the columns.

    Parameters
    ----------
    entered
        The form as it was when the row was entered, for the units that belong to the form.
    """
    asked = entered.items_by_id if entered else {}
    return [
        _unit_of(asked.get(column.item.id), values.get(column.item.id))
        if column.part == UNIT_OF_FORM
        else _part(values.get(column.item.id) or {}, column.part)
        for column in columns
    ]


def _unit_of(item: Item | None, cell: Mapping[str, Any] | None) -> str:
    return item.unit if item is not None and cell and cell.get("value") is not None else ""


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
    "FROMVERS",
    "TOVERS",
)


def dictionary(protocols: Sequence[Protocol], forms: Mapping[str, Sequence[Form]]) -> Iterable[list[str]]:
    """The data dictionary: one row per column of every form's file, with the versions that asked for it.

    Parameters
    ----------
    protocols
        All versions of the trial, the newest first. `TOVERS` is empty while the newest still asks.
    """
    sources = {key: source for protocol in reversed(protocols) for key, source in protocol.sources.items()}
    asked = asked_by(protocols)
    for code, versions in forms.items():
        for column in columns_of(versions):
            first, last = asked[code, column.item.id]
            until = "" if last == protocols[0].version.label else last
            yield [*_dictionary_row(sources, code, column), first, until]


def asked_by(protocols: Sequence[Protocol]) -> dict[tuple[str, str], tuple[str, str]]:
    """By form and item: labels of the first and of the last version that asks for it; newest version first given."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for protocol in reversed(protocols):
        label = protocol.version.label
        for form in protocol.forms:
            for item in form.items:
                first, _ = found.get((form.code, item.id), (label, label))
                found[form.code, item.id] = (first, label)
    return found


def _dictionary_row(sources: Mapping[str, Source], code: str, column: Column) -> list[str]:
    item = column.item
    about = {
        "unit": "unit",
        "low": "lower limit of normal",
        "high": "upper limit of normal",
        "missing": "reason for a missing value",
        UNIT_OF_FORM: "unit in which it was entered",
    }
    label = item.label if column.part == "value" else f"{item.label}, {about[column.part]}"
    sdtm = f"{item.sdtm.domain}.{item.sdtm.testcd or item.sdtm.variable}" if item.sdtm else ""
    source = sources[item.source].title if item.source in sources else ""
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
