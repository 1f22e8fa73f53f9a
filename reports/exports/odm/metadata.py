"""The metadata of a protocol version as ODM has it. Nothing is read here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

from casebook.rules.cells import MISSING_REASONS, WITH_UNIT
from casebook.rules.picture import codelist_of
from trials.schema import Form, Item, Protocol

ODM = "http://www.cdisc.org/ns/odm/v1.3"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
LOG = "E.LOG"
VISIT_FORM = "F._VISIT"
VISIT_GROUP = "G._VISIT"
VISIT_ITEMS = {
    "happened_on": ("I._VISIT.DAT", "Day of the visit", "date"),
    "state": ("I._VISIT.STATE", "State of the visit", "text"),
    "missed_reason": ("I._VISIT.WHY", "Why it was missed", "text"),
}
"""Columns of a visit as items: ODM has no place for the day of a visit."""
MISSING = "CL._MISSING"
QUERY = "CL._QUERY"
SDV = "CL._SDV"
QUERY_STATES = {"OPEN": "Open", "ANSWERED": "Answered", "CLOSED": "Closed"}
SDV_STATES = {"VERIFIED": "Agrees with the source", "CHANGED": "Changed since it was verified"}
TYPES = {
    "integer": "integer",
    "number": "float",
    "quantity": "float",
    "lab": "float",
    "date": "date",
    "partial_date": "partialDate",
    "time": "partialTime",
    "datetime": "partialDatetime",
}
RESULTS = {"number": "float", "integer": "integer", "date": "date"}
LIMITS = {"low": ("LO", "lower limit of normal"), "high": ("HI", "upper limit of normal")}


def tag(name: str) -> str:
    """A name of the ODM namespace."""
    return f"{{{ODM}}}{name}"


def element(name: str, *children: etree._Element, text: str = "", **attributes: str) -> etree._Element:
    """An element of ODM."""
    made = etree.Element(tag(name), attributes)
    made.text = text or None
    made.extend(children)
    return made


def said(name: str, text: str) -> etree._Element:
    """Words in the language of the protocol."""
    words = element("TranslatedText", text=text)
    words.set(XML_LANG, "en")
    return element(name, words)


def study_oid(protocol: Protocol) -> str:
    """Identifier of the trial."""
    return f"S.{protocol.trial.code}"


def version_oid(protocol: Protocol) -> str:
    """Identifier of a version: its label, and the beginning of its digest."""
    return f"V.{protocol.version.label}"


def item_oid(form: str, item: str, part: str = "") -> str:
    """Identifier of an item, or of a limit of normal beside it."""
    return f"I.{form}.{item}" + (f".{LIMITS[part][0]}" if part else "")


def unit_oid(unit: str) -> str:
    """Identifier of a unit."""
    return f"MU.{unit}"


def units_of(protocols: Iterable[Protocol]) -> list[str]:
    """Every unit that any version knows."""
    return sorted(
        {
            unit
            for protocol in protocols
            for form in protocol.forms
            for item in form.items_by_id.values()
            for unit in (*item.units, item.unit)
            if unit
        }
    )


def global_variables(protocol: Protocol) -> etree._Element:
    """The trial by its names."""
    trial = protocol.trial
    return element(
        "GlobalVariables",
        element("StudyName", text=trial.short_title),
        element("StudyDescription", text=trial.title),
        element("ProtocolName", text=trial.registry_id or trial.code),
    )


def basic_definitions(units: Iterable[str]) -> etree._Element:
    """Units of measurement."""
    return element(
        "BasicDefinitions",
        *(element("MeasurementUnit", said("Symbol", unit), OID=unit_oid(unit), Name=unit) for unit in units),
    )


def metadata_version(protocol: Protocol) -> etree._Element:
    """Visits, forms, items, codes, calculations and conditions of one version."""
    label = protocol.version.label
    return element(
        "MetaDataVersion",
        _protocol(protocol),
        *_events(protocol),
        *_forms(protocol),
        *_groups(protocol),
        *_items(protocol),
        *_codelists(protocol),
        *_conditions(protocol),
        *_methods(protocol),
        OID=version_oid(protocol),
        Name=f"{protocol.trial.short_title} {label}",
        Description=f"SHA-256 {protocol.sha256}, in force from {protocol.version.effective_from.isoformat()}",
    )


def _protocol(protocol: Protocol) -> etree._Element:
    codes = [f"E.{visit.code}" for visit in protocol.visits] + [LOG]
    return element(
        "Protocol",
        *(
            element("StudyEventRef", StudyEventOID=code, OrderNumber=str(place), Mandatory="No")
            for place, code in enumerate(codes, start=1)
        ),
    )


def _events(protocol: Protocol) -> Iterator[etree._Element]:
    for visit in protocol.visits:
        forms = [VISIT_FORM, *(f"F.{code}" for code in visit.forms)]
        kind = "Scheduled" if visit.scheduled else "Unscheduled"
        yield _event(f"E.{visit.code}", visit.name, kind, forms)
    yield _event(LOG, "Running logs", "Common", [f"F.{code}" for code in protocol.logs])


def _event(oid: str, name: str, kind: str, forms: Iterable[str]) -> etree._Element:
    refs = (element("FormRef", FormOID=form, Mandatory="No") for form in dict.fromkeys(forms))
    return element("StudyEventDef", *refs, OID=oid, Name=name, Repeating="Yes", Type=kind)


def _forms(protocol: Protocol) -> Iterator[etree._Element]:
    yield _form(VISIT_FORM, "The visit", VISIT_GROUP)
    for form in protocol.forms:
        yield _form(f"F.{form.code}", form.name, f"G.{form.code}", repeating=form.repeating)


def _form(oid: str, name: str, group: str, *, repeating: bool = False) -> etree._Element:
    ref = element("ItemGroupRef", ItemGroupOID=group, Mandatory="No")
    return element("FormDef", ref, OID=oid, Name=name, Repeating="Yes" if repeating else "No")


def _groups(protocol: Protocol) -> Iterator[etree._Element]:
    refs = [element("ItemRef", ItemOID=oid, Mandatory="No") for oid, _, _ in VISIT_ITEMS.values()]
    yield element("ItemGroupDef", *refs, OID=VISIT_GROUP, Name="The visit", Repeating="No")
    for form in protocol.forms:
        yield element(
            "ItemGroupDef",
            *(ref for item in form.items_by_id.values() for ref in _item_refs(form, item)),
            OID=f"G.{form.code}",
            Name=form.name,
            Repeating="No",
        )


def _item_refs(form: Form, item: Item) -> Iterator[etree._Element]:
    required = "Yes" if item.required and item.type != "derived" and not item.show_if else "No"
    more = {"MethodOID": f"M.{form.code}.{item.id}"} if item.derive else {}
    if item.show_if:
        more["CollectionExceptionConditionOID"] = f"C.{form.code}.{item.id}"
    yield element("ItemRef", ItemOID=item_oid(form.code, item.id), Mandatory=required, **more)
    if item.type == "lab":
        for part in LIMITS:
            yield element("ItemRef", ItemOID=item_oid(form.code, item.id, part), Mandatory="No")


def _items(protocol: Protocol) -> Iterator[etree._Element]:
    for oid, label, kind in VISIT_ITEMS.values():
        yield element("ItemDef", said("Question", label), OID=oid, Name=label, DataType=kind)
    for form in protocol.forms:
        for item in form.items_by_id.values():
            yield _item(protocol, form, item)
            if item.type == "lab":
                yield from (_limit(form, item, part) for part in LIMITS)


def _item(protocol: Protocol, form: Form, item: Item) -> etree._Element:
    kind = RESULTS.get(item.result, "text") if item.type == "derived" else TYPES.get(item.type, "text")
    made = element(
        "ItemDef", said("Question", item.label), OID=item_oid(form.code, item.id), Name=item.id, DataType=kind
    )
    units = item.units if item.type in WITH_UNIT else filter(None, [item.unit])
    made.extend(element("MeasurementUnitRef", MeasurementUnitOID=unit_oid(unit)) for unit in units)
    made.extend(_checks(form, item))
    codelist = codelist_of(protocol, item)
    if codelist is not None and item.type != "multichoice":
        made.append(element("CodeListRef", CodeListOID=f"CL.{codelist.name}"))
    if item.cdash:
        made.append(element("Alias", Context="CDASH", Name=item.cdash))
    if item.sdtm:
        name = f"{item.sdtm.domain}.{item.sdtm.testcd or item.sdtm.variable}"
        made.append(element("Alias", Context="SDTM", Name=name))
    return made


def _limit(form: Form, item: Item, part: str) -> etree._Element:
    suffix, words = LIMITS[part]
    oid = item_oid(form.code, item.id, part)
    question = said("Question", f"{item.label}, {words}")
    return element("ItemDef", question, OID=oid, Name=f"{item.id}_{suffix}", DataType="float")


def _checks(form: Form, item: Item) -> Iterator[etree._Element]:
    for check in form.checks:
        if check.item == item.id:
            yield element(
                "RangeCheck",
                element("FormalExpression", text=check.rule, Context="Hilum"),
                said("ErrorMessage", check.message),
                SoftHard="Hard" if check.kind == "hard" else "Soft",
            )


def _codelists(protocol: Protocol) -> Iterator[etree._Element]:
    for each in protocol.codelists:
        yield _codelist(f"CL.{each.name}", each.label or each.name, each.labels)
    yield _codelist(MISSING, "Why a value is missing", MISSING_REASONS)
    yield _codelist(QUERY, "State of a query", QUERY_STATES)
    yield _codelist(SDV, "Verification against the source", SDV_STATES)


def _codelist(oid: str, name: str, codes: Mapping[str, str]) -> etree._Element:
    items = (element("CodeListItem", said("Decode", label), CodedValue=code) for code, label in codes.items())
    return element("CodeList", *items, OID=oid, Name=name, DataType="text")


def _conditions(protocol: Protocol) -> Iterator[etree._Element]:
    for form, item in _each(protocol):
        if item.show_if:
            yield element(
                "ConditionDef",
                said("Description", f"Not collected unless: {item.show_if}"),
                element("FormalExpression", text=f"not ({item.show_if})", Context="Hilum"),
                OID=f"C.{form.code}.{item.id}",
                Name=f"{item.label} does not apply",
            )


def _methods(protocol: Protocol) -> Iterator[etree._Element]:
    for form, item in _each(protocol):
        if item.derive:
            yield element(
                "MethodDef",
                said("Description", item.help or item.label),
                element("FormalExpression", text=item.derive, Context="Hilum"),
                OID=f"M.{form.code}.{item.id}",
                Name=item.label,
                Type="Computation",
            )


def _each(protocol: Protocol) -> Iterator[tuple[Form, Item]]:
    for form in protocol.forms:
        for item in form.items_by_id.values():
            yield form, item
