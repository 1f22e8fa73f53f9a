"""From the forms of a subject to the one document that rules read. Pure.

The document is the one that the calculators take: a fact that was not recorded is null (unknown), a fact that
does not apply is left out. Beside it stand the sources: which form, visit, item and date a fact came from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from casebook.rules.amended import values_as_read
from casebook.rules.cells import WITH_UNIT, Cell, fact_value
from casebook.rules.picture import ProtocolKey, rules_of
from logic import Rule, Truth, compile_rule
from logic.units import convert
from trials.schema import Fact, Form, Item, Protocol
from trials.schema.facts import AS_OF, REGISTRY

Document = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One entry as rules see it.

    Attributes
    ----------
    visit_date
        When the visit happened; dates the facts of forms that have no date of their own.
    entered
        The form as it was when the row was entered, where that was under another protocol version.
    """

    entry_id: int
    form: str
    visit: str
    visit_date: date | None
    repeat: int
    values: Mapping[str, Cell]
    subject_id: int = 0
    entered: Form | None = None


@dataclass(frozen=True)
class Source:
    """Where a fact comes from."""

    form: str
    item: str
    visit: str
    dated: str
    entry_id: int


@dataclass(frozen=True)
class Projection:
    """Facts of one person at one date, and their sources."""

    document: Document
    sources: Mapping[str, tuple[Source, ...]]


@dataclass(frozen=True)
class Answer:
    """A fact that an upper room knows (a signed read, a score)."""

    value: Any
    dated: date | None = None


@dataclass(frozen=True)
class _Dated:
    """A row with its date and its cells, derived ones included."""

    row: Row
    dated: str
    cells: Mapping[str, Cell]


def project(
    protocol: Protocol,
    rows: Iterable[Row],
    as_of: date,
    *,
    time_zone: str = "UTC",
    answers: Mapping[str, Answer] | None = None,
    names: Collection[str] | None = None,
) -> Projection:
    """Project entries to the facts document of a protocol.

    Parameters
    ----------
    rows
        Entries of one person, of any form; forms that the protocol does not know are passed over.
    as_of
        Evaluation date: what is dated later does not count.
    time_zone
        Zone of the site, for times that were written without an offset.
    answers
        Facts of upper rooms by name.
    names
        The facts that are asked for; all where None.
    """
    dated = _known_rows(protocol, rows, as_of)
    by_form: dict[str, list[_Dated]] = {}
    for row in dated:
        by_form.setdefault(row.row.form, []).append(row)
    document: Document = {}
    dates: dict[str, str] = {}
    sources: dict[str, tuple[Source, ...]] = {}
    for fact in protocol.facts:
        if names is not None and fact.name not in names:
            continue
        value, found = _fact(protocol, fact, by_form, as_of, time_zone, answers or {})
        if value is _ABSENT:
            continue
        _put(document, fact.name, value)
        sources[fact.name] = found
        if found and fact.type != "list" and found[0].dated:
            dates[fact.name] = found[0].dated
    _leave_out_what_does_not_apply(protocol, document, dates, as_of)
    if dates:
        document["DATES"] = dates
    return Projection(document, sources)


def latest_values(protocol: Protocol, rows: Iterable[Row], as_of: date) -> dict[str, Any]:
    """What other forms say, dated on or before `as_of`, as form rules read it.

    Returns
    -------
    dict
        By form code: item → latest value; for a repeating form the list of its rows.
    """
    latest: dict[str, Any] = {}
    for each in sorted(_dated_rows(protocol, rows, as_of), key=_age):
        form = protocol.form(each.row.form)
        values = {item.id: fact_value(item, each.cells.get(item.id)) for item in form.items}
        if form.repeating:
            latest.setdefault(form.code, []).append(values)
        else:
            known = {item: value for item, value in values.items() if value is not None}
            latest[form.code] = {**latest.get(form.code, {}), **known}
    return latest


def latest_sources(
    protocol: Protocol, rows: Iterable[Row], as_of: date, names: Iterable[str]
) -> dict[str, tuple[Source, Cell]]:
    """Where `latest_values` takes these items from (`LB.BILI`), and their cells; repeating forms are left out."""
    wanted = [name.partition(".") for name in names]
    found: dict[str, tuple[Source, Cell]] = {}
    for each in sorted(_dated_rows(protocol, rows, as_of), key=_age):
        form = protocol.form(each.row.form)
        for code, _, item in wanted:
            cell = each.cells.get(item)
            if code != form.code or form.repeating or not cell or fact_value(form.item(item), cell) is None:
                continue
            source = Source(form.code, item, each.row.visit, each.dated, each.row.entry_id)
            found[f"{code}.{item}"] = source, dict(cell)
    return found


def first_values_after(
    protocol: Protocol, rows: Iterable[Row], as_of: date, known: Mapping[str, Any]
) -> dict[str, Any]:
    """What forms say that are dated after `as_of` only, by their earliest row.

    An event before consent is found by this: consent lies after the event, so it was not known on that day.

    Parameters
    ----------
    known
        What `latest_values` found; those forms are left out, and so are repeating ones.
    """
    waiting = [row for row in rows if row.form not in known]
    first: dict[str, Any] = {}
    for each in sorted(_dated_rows(protocol, waiting, date.max), key=_age):
        form = protocol.form(each.row.form)
        if (
            not form.repeating
            and each.dated > as_of.isoformat()[: len(each.dated)]
            and form.code not in first
        ):
            first[form.code] = {item.id: fact_value(item, each.cells.get(item.id)) for item in form.items}
    return first


_ABSENT = object()


def _known_rows(protocol: Protocol, rows: Iterable[Row], as_of: date) -> list[_Dated]:
    """Rows up to the date, oldest first, with the cells that their forms derive."""
    dated = sorted(_dated_rows(protocol, rows, as_of), key=_age)
    others = latest_values(protocol, [each.row for each in dated], as_of)
    return [
        _Dated(
            each.row,
            each.dated,
            {**each.cells, **rules_of(protocol, each.row.form).derived(each.cells, others, as_of)},
        )
        for each in dated
    ]


def _dated_rows(protocol: Protocol, rows: Iterable[Row], as_of: date) -> list[_Dated]:
    codes = {form.code for form in protocol.forms}
    limit = as_of.isoformat()
    dated = [
        _Dated(row, _date_of(form, row), values_as_read(form, row.values, row.entered))
        for row in rows
        if row.form in codes
        and row.values  # a log with none to record, or a row of which nothing was entered yet
        for form in [protocol.form(row.form)]
    ]
    return [each for each in dated if not each.dated or each.dated <= limit[: len(each.dated)]]


def _date_of(form: Form, row: Row) -> str:
    """The date of a row: its own date item, else the visit's; empty when neither is known."""
    own = (row.values.get(form.date_item) or {}).get("value") if form.date_item else None
    if own:
        return str(own)
    return row.visit_date.isoformat() if row.visit_date else ""


def _age(each: _Dated) -> tuple[str, int, int]:
    return (each.dated, each.row.entry_id, each.row.repeat)


def _fact(
    protocol: Protocol,
    fact: Fact,
    by_form: Mapping[str, list[_Dated]],
    as_of: date,
    time_zone: str,
    answers: Mapping[str, Answer],
) -> tuple[Any, tuple[Source, ...]]:
    if fact.from_ == AS_OF:
        return as_of.isoformat(), ()
    if fact.from_ == REGISTRY:
        answer = answers.get(fact.name)
        return (answer.value if answer else None), ()
    form_code, _, item_id = fact.from_.partition(".")
    rows = by_form.get(form_code, [])
    form = protocol.form(form_code)
    if fact.type == "list":
        return _list_fact(protocol, fact, form, item_id, rows, as_of, time_zone)
    return _latest(fact, form, form.item(item_id), rows, time_zone)


def _latest(
    fact: Fact, form: Form, item: Item, rows: list[_Dated], time_zone: str
) -> tuple[Any, tuple[Source, ...]]:
    """The newest row that holds a value of this item."""
    for each in reversed(rows):
        value = _typed(fact.type, fact.unit, item, each.cells, time_zone)
        if value is not None:
            return value, (_source(form, item.id, each),)
    return None, ()


def _list_fact(
    protocol: Protocol,
    fact: Fact,
    form: Form,
    item_id: str,
    rows: list[_Dated],
    as_of: date,
    time_zone: str,
) -> tuple[Any, tuple[Source, ...]]:
    where = _where_rule(ProtocolKey(protocol), fact.name) if fact.where else None
    members: list[Any] = []
    sources: list[Source] = []
    for each in rows:
        belongs = Truth.TRUE if where is None else _holds(where, form, each, as_of)
        if belongs is Truth.FALSE:
            continue
        if belongs is Truth.UNKNOWN:
            members.append(None)
        elif item_id:
            members.append(_typed(fact.of or "", fact.unit, form.item(item_id), each.cells, time_zone))
        else:
            members.append(_record(fact, form, each, time_zone))
        sources.append(_source(form, item_id, each))
    if members:
        return members, tuple(sources)
    unknown = bool(fact.when) or fact.absent == "unknown"
    return (None if unknown else _ABSENT), ()


def _holds(where: Rule, form: Form, each: _Dated, as_of: date) -> Truth:
    row = {item.id: fact_value(item, each.cells.get(item.id)) for item in form.items}
    value = where.verdict({**row, "REFDAT": as_of.isoformat()}, as_of)
    return value if isinstance(value, Truth) else Truth.UNKNOWN


def _record(fact: Fact, form: Form, each: _Dated, time_zone: str) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, field in fact.fields.items():
        item = form.item(field.from_ or name)
        record[name] = _typed(field.type, field.unit, item, each.cells, time_zone)
    return record


def _typed(kind: str, unit: str, item: Item, cells: Mapping[str, Cell], time_zone: str) -> Any:
    """A cell as the fact's type wants it; null when it is not known."""
    value = fact_value(item, cells.get(item.id))
    if value is None:
        return None
    if item.type in WITH_UNIT and kind in {"number", "integer"}:
        if not value["unit"]:
            return None
        return format(convert(value["value"], item.analyte, value["unit"], unit or value["unit"]), "f")
    if kind == "datetime" and item.type in {"date", "partial_date"}:
        return _moment(item, value, cells, time_zone)
    return value


def _moment(item: Item, day: str, cells: Mapping[str, Cell], time_zone: str) -> str | None:
    """Join a date with the time that CDASH names beside it (EXSTDAT with EXSTTIM)."""
    clock = (cells.get(item.id.removesuffix("DAT") + "TIM") or {}).get("value")
    if not clock or len(day) != 10:
        return None
    moment = datetime.fromisoformat(f"{day}T{clock}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(time_zone))
    return moment.isoformat()


def _source(form: Form, item_id: str, each: _Dated) -> Source:
    return Source(form.code, item_id, each.row.visit, each.dated, each.row.entry_id)


def _put(document: Document, name: str, value: Any) -> None:
    head, _, tail = name.partition(".")
    if tail:
        document.setdefault(head, {})[tail] = value
    else:
        document[head] = value


def _leave_out_what_does_not_apply(
    protocol: Protocol, document: Document, dates: dict[str, str], as_of: date
) -> None:
    complete = dict(document)
    for fact in protocol.facts:
        if not fact.when:
            continue
        rule = _when_rule(ProtocolKey(protocol), fact.name)
        if rule.verdict(complete, as_of) is Truth.FALSE:
            _drop(document, fact.name)
            dates.pop(fact.name, None)


def _drop(document: Document, name: str) -> None:
    head, _, tail = name.partition(".")
    if tail:
        document[head] = {key: value for key, value in document.get(head, {}).items() if key != tail}
    else:
        document.pop(head, None)


@lru_cache(maxsize=1024)
def _when_rule(key: ProtocolKey, name: str) -> Rule:
    return compile_rule(key.protocol.fact(name).when, key.protocol.fact_schema())


@lru_cache(maxsize=1024)
def _where_rule(key: ProtocolKey, name: str) -> Rule:
    fact = key.protocol.fact(name)
    form = key.protocol.form(fact.from_.partition(".")[0])
    return compile_rule(fact.where, form.rule_schema(key.protocol))
