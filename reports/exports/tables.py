"""Which files an export has, and which columns they have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from casebook.rules.cells import MISSING_REASONS, WITH_UNIT
from trials.schema import Form, Item, Protocol, Source
from visits.rules.schedule import study_day

KEYS = (
    "STUDYID",
    "SITEID",
    "SUBJID",
    "VISIT",
    "VISITSEQ",
    "VISITDAT",
    "VISITDY",
    "ROW",
    "FORMVERS",
    "FORMSTATE",
    "NOTDONE",
)


UNIT_OF_FORM = "unit of the form"
"""Part of a plain number's cell that stands on its form, not in the cell."""
STUDY_DAY = "study day"
"""What is worked out beside a date."""
DATES = frozenset({"date", "partial_date"})


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
    return [column for items in versions.values() for column in _columns(items, versions.keys())]


def _columns(items: Sequence[Item], taken: Collection[str]) -> list[Column]:
    """Columns of one item over its versions, the newest first."""
    newest, types = items[0], {item.type for item in items}
    columns = [Column(newest.id, newest, "value")]
    if types & WITH_UNIT:
        columns.append(Column(f"{newest.id}_U", newest, "unit"))
    elif len({item.unit for item in items}) > 1:
        columns.append(Column(f"{newest.id}_U", newest, UNIT_OF_FORM))
    if "lab" in types:
        columns += [Column(f"{newest.id}_LO", newest, "low"), Column(f"{newest.id}_HI", newest, "high")]
    if types <= DATES:
        columns.append(Column(_study_day_name(newest.id, taken), newest, STUDY_DAY))
    if types != {"derived"}:
        columns.append(Column(f"{newest.id}_ND", newest, "missing"))
    return columns


def _study_day_name(item: str, taken: Collection[str]) -> str:
    """`AESTDY` beside `AESTDAT`, as SDTM has `AESTDY` beside `AESTDTC`."""
    name = f"{item.removesuffix('DAT')}DY" if item.endswith("DAT") else f"{item}_DY"
    return f"{item}_DY" if name in taken else name


def study_day_of(start: date | None, day: Any) -> int | str:
    """Study day of a whole date (`--DY`: the reference start is day 1, there is no day 0); empty where one is unknown.

    References
    ----------
    SDTMIG 3.4, 4.4.4 (use of the "study day" variables).
    """
    if start is None or not day or len(str(day)) != len("2026-01-31"):
        return ""
    return study_day(start, day if isinstance(day, date) else date.fromisoformat(day))


def cells(
    columns: Sequence[Column],
    values: Mapping[str, Mapping[str, Any]],
    entered: Form | None = None,
    start: date | None = None,
) -> list[Any]:
    """One row's cells, in the order of the columns.

    Parameters
    ----------
    entered
        The form as it was when the row was entered, for the units that belong to the form.
    start
        The subject's reference start, for study days.
    """
    asked = entered.items_by_id if entered else {}
    found: list[Any] = []
    for column in columns:
        cell = values.get(column.item.id) or {}
        if column.part == UNIT_OF_FORM:
            found.append(_unit_of(asked.get(column.item.id), cell))
        elif column.part == STUDY_DAY:
            found.append(study_day_of(start, cell.get("value")))
        else:
            found.append(_part(cell, column.part))
    return found


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
        STUDY_DAY: "study day",
    }
    label = item.label if column.part == "value" else f"{item.label}, {about[column.part]}"
    sdtm = f"{item.sdtm.domain}.{item.sdtm.testcd or item.sdtm.variable}" if item.sdtm else ""
    source = sources[item.source].title if item.source in sources else ""
    return [
        f"{code}.csv",
        column.name,
        label,
        item.type if column.part == "value" else "integer" if column.part == STUDY_DAY else "text",
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
