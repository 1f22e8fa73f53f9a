"""The names that rules may use, by where a rule stands: facts, items of a form, times of a procedure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from logic import FactType, Schema, UnitError
from logic.facttypes import Kind
from logic.units import normalise_unit
from trials.schema.facts import Fact, FactField
from trials.schema.treatment import TimingScope

if TYPE_CHECKING:
    from trials.schema.forms import Codelist, Form, Item
    from trials.schema.protocol import Protocol


REFDAT = "REFDAT"
DOSE = "DOSE"
NY = "NY"
ITEM_KINDS: dict[str, Kind] = {
    "text": "text",
    "longtext": "text",
    "time": "text",
    "integer": "integer",
    "number": "number",
    "quantity": "quantity",
    "lab": "quantity",
    "date": "date",
    "partial_date": "date",
    "datetime": "datetime",
    "choice": "code",
    "instrument": "code",
    "yesno": "code",
}

_DATETIME, _INTEGER, _TEXT = FactType("datetime"), FactType("integer"), FactType("text")
_YES_NO = FactType("code", codes=("Y", "N"))
_TIMES = {"P0": _DATETIME, "T0": _DATETIME, "T1": _DATETIME, "A0": _DATETIME, "A1": _DATETIME}
_PROCEDURE = {"NUMBER": _INTEGER, **_TIMES, "EXITRPYN": _YES_NO, "ABLATIONS": _INTEGER}
_PREMEDICATION = {"DRUG": _TEXT, "ROUTE": _TEXT, "AT": _DATETIME}
_LESION = {
    "LNKID": _TEXT,
    "UNRESECT": _YES_NO,
    "PLANPROC": _INTEGER,
    "ABLATIONS": _INTEGER,
}

TIMING_NAMES: dict[TimingScope, dict[str, FactType]] = {
    "procedure": {
        **_PROCEDURE,
        "CONSENT": _DATETIME,
        "PREVIOUS_T0": _DATETIME,
        "PREMED": FactType("list", fields=_PREMEDICATION, absent="none"),
    },
    "premedication": {
        "NUMBER": _INTEGER,
        **_PREMEDICATION,
        "P0": _DATETIME,
        "T0": _DATETIME,
    },
    "plan": {
        "CONSENT": _DATETIME,
        "PROCEDURES": FactType("list", fields=_PROCEDURE, absent="none"),
        "LESIONS": FactType("list", fields=_LESION, absent="none"),
        "DONE": _INTEGER,
        "PLANNED": _INTEGER,
    },
}
"""Names of the timing scopes.

P0 first prophylaxis dose; T0, T1 start and end of the infusion; A0 first ablation energy on; A1 end of the last
ablation; EXITRPYN infusion interrupted; ABLATIONS number of ablation records; PREVIOUS_T0 start of the infusion
before; DONE procedures with T0; PLANNED highest planned procedure of an unresectable lesion.
"""


def fact_schema(protocol: Protocol) -> Schema:
    """Return the facts that criteria may name, as the pack declares them."""
    return Schema({fact.name: fact_type(protocol, fact) for fact in protocol.facts})


def form_schema(protocol: Protocol, form: Form) -> Schema:
    """Return what rules of a form may name.

    Items of the form by id (of this row, in a repeating form), items of any form as `FORM.ITEM` (the latest value on or
    before that day; of this form too, so that what is asked once counts at later visits), rows of repeating forms as
    the list `FORM`, `REFDAT`, the day of the entry, and what the protocol sets for the dose: `DOSE.FORMULA`,
    `DOSE.PER_M2`, `DOSE.BSA_CAP`.
    """
    names = {REFDAT: FactType("date"), **row_types(protocol, form), **_dose_types(protocol)}
    for other in protocol.forms:
        types = row_types(protocol, other)
        if other.repeating and types:
            names[other.code] = FactType("list", fields=types, absent="none", label=other.name)
        elif not other.repeating:
            names |= {f"{other.code}.{name}": each for name, each in types.items()}
    return Schema(names)


def _dose_types(protocol: Protocol) -> dict[str, FactType]:
    if protocol.dose is None:
        return {}
    number = FactType("number")
    return {f"{DOSE}.FORMULA": _TEXT, f"{DOSE}.PER_M2": number, f"{DOSE}.BSA_CAP": number}


def dose_facts(protocol: Protocol) -> Mapping[str, object]:
    """Return what the protocol sets for the dose, for documents that rules of forms are evaluated on."""
    dose = protocol.dose
    if dose is None:
        return {}
    found = {"FORMULA": dose.formula.value, "PER_M2": dose.per_m2.value, "BSA_CAP": dose.bsa_cap.value}
    return {DOSE: {name: value for name, value in found.items() if value is not None}}


def row_schema(protocol: Protocol, form: Form) -> Schema:
    """Return the items of one row, for `where` of a fact."""
    return Schema({REFDAT: FactType("date"), **row_types(protocol, form)})


def row_types(protocol: Protocol, form: Form) -> dict[str, FactType]:
    """Return the type of each item of a form, by its id."""
    return {item.id: item_type(protocol, item) for item in form.items}


def timing_schema(protocol: Protocol, scope: TimingScope) -> Schema:
    """Return what timing rules of a scope may name: its times, and the settings of the protocol by name."""
    settings = {each.name: _setting_type(each.value) for each in protocol.settings}
    return Schema({**settings, **TIMING_NAMES[scope]})


def item_type(protocol: Protocol, item: Item) -> FactType:
    """Return the type that rules see an item as."""
    if item.type == "multichoice":
        return FactType("list", element=_code(protocol, item.codelist, item.label), absent="none")
    kind: Kind = item.result if item.type == "derived" else ITEM_KINDS[item.type]
    if kind == "code":
        return _code(protocol, NY if item.type == "yesno" else item.codelist, item.label)
    if kind == "quantity":
        return FactType(kind, analyte=item.analyte, label=item.label)
    return FactType(kind, unit=_known_unit(item.unit) if kind == "number" else None, label=item.label)


def fact_type(protocol: Protocol, fact: Fact) -> FactType:
    """Return the type of a fact as the rule language has it."""
    if fact.type != "list":
        return _scalar(protocol, fact)
    if fact.fields:
        fields = {name: _scalar(protocol, field) for name, field in fact.fields.items()}
        return FactType("list", fields=fields, absent=fact.absent, label=fact.label)
    return FactType("list", element=_element(protocol, fact), absent=fact.absent, label=fact.label)


def _scalar(protocol: Protocol, fact: Fact | FactField) -> FactType:
    codes = _codes(protocol, fact.codelist)
    return FactType(
        "number" if fact.type == "list" else fact.type,
        analyte=fact.analyte or None,
        unit=_known_unit(fact.unit),
        codes=codes[0],
        unknown_codes=codes[1],
        absent=fact.absent,
        label=fact.label,
    )


def _element(protocol: Protocol, fact: Fact) -> FactType:
    if fact.of is not None:
        codes = _codes(protocol, fact.codelist)
        return FactType(fact.of, analyte=fact.analyte or None, codes=codes[0], unknown_codes=codes[1])
    form_code, _, item_id = fact.from_.partition(".")
    return item_type(protocol, protocol.form(form_code).item(item_id))


def _code(protocol: Protocol, codelist: str, label: str) -> FactType:
    codes, unknown = _codes(protocol, codelist)
    return FactType("code", codes=codes, unknown_codes=unknown, label=label)


def _codes(protocol: Protocol, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not name:
        return (), ()
    codelist: Codelist = protocol.codelist(name)
    return tuple(code for code in codelist.labels if code not in codelist.unknown), codelist.unknown


def _known_unit(unit: str) -> str | None:
    try:
        return normalise_unit(unit) if unit else None
    except UnitError:
        return None


def _setting_type(value: object) -> FactType:
    if isinstance(value, bool):
        return FactType("boolean")
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        return FactType("text")
    return FactType("number")


def setting_facts(protocol: Protocol) -> Mapping[str, object]:
    """Return the settings as facts, for documents that timing rules are evaluated on."""
    return {each.name: each.value for each in protocol.settings}
