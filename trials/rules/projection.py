"""Can each fact be taken from the place that the pack names?"""

from __future__ import annotations

from collections.abc import Iterator

from trials.rules.findings import Finding, Loc, did_you_mean, unknown_reference
from trials.rules.measures import unit_problem
from trials.schema import Fact, Form, Item, Protocol
from trials.schema.facts import AS_OF, REGISTRY

READABLE = {
    "number": {"number", "integer", "derived", "quantity", "lab", "instrument"},
    "integer": {"integer", "derived", "choice", "instrument"},
    "quantity": {"quantity", "lab"},
    "date": {"date", "partial_date", "datetime", "derived"},
    "datetime": {"datetime"},
    "code": {"choice", "yesno", "derived", "instrument"},
    "text": {"text", "longtext", "choice", "yesno", "derived", "date", "time"},
    "boolean": {"yesno"},
}
ABSENT = ("unknown", "none")


def facts(protocol: Protocol) -> Iterator[Finding]:
    """Yield facts that name an unknown form, item or codelist, or one of another type."""
    for i, fact in enumerate(protocol.facts):
        at: Loc = ("facts", i)
        yield from _origin(protocol, fact, at)
        yield from _codes(protocol, fact, at)
        yield from _shape(fact, at)
    roots = {fact.name for fact in protocol.facts if "." not in fact.name}
    for i, fact in enumerate(protocol.facts):
        root, dot, _ = fact.name.partition(".")
        if dot and root in roots:
            yield Finding(("facts", i, "name"), f"'{root}' is a fact itself, so it cannot hold '{fact.name}'")
    yield from _anchored(protocol)


def _anchored(protocol: Protocol) -> Iterator[Finding]:
    known = {fact.name: fact for fact in protocol.facts}
    for i, anchor in enumerate(protocol.anchors):
        yield from unknown_reference(("anchors", i, "fact"), "fact", anchor.fact, known)
        fact = known.get(anchor.fact)
        if fact is not None and fact.type not in ("date", "datetime") and fact.type != "list":
            yield Finding(("anchors", i, "fact"), f"'{fact.name}' is no date and no list of dates")


def _origin(protocol: Protocol, fact: Fact, at: Loc) -> Iterator[Finding]:
    if fact.from_ == AS_OF:
        if fact.type != "date":
            yield Finding((*at, "type"), "the evaluation date is a date")
        return
    if fact.from_ == REGISTRY:
        if fact.type == "list" and not fact.fields and fact.of is None:
            yield Finding(at, f"'{fact.name}' is a list: give its 'fields', or 'of' for plain members")
        return
    form_code, dot, item_id = fact.from_.partition(".")
    forms = {form.code: form for form in protocol.forms}
    if form_code not in forms:
        near = did_you_mean(form_code, [*forms, AS_OF, REGISTRY])
        yield Finding((*at, "from"), f"unknown form '{form_code}'{near}")
        return
    form = forms[form_code]
    if dot:
        yield from _from_item(fact, form, item_id, at)
    else:
        yield from _from_rows(fact, form, at)


def _from_item(fact: Fact, form: Form, item_id: str, at: Loc) -> Iterator[Finding]:
    item = form.items_by_id.get(item_id)
    if item is None:
        near = did_you_mean(item_id, form.items_by_id)
        yield Finding((*at, "from"), f"unknown item '{item_id}' of the form '{form.code}'{near}")
        return
    wanted = (fact.of or "") if fact.type == "list" else fact.type
    if wanted and not _readable(wanted, item, form):
        yield Finding((*at, "from"), f"a {wanted} cannot be read from '{fact.from_}', which is a {item.type}")
    yield from _same_measure(fact, item, at)


def _readable(wanted: str, item: Item, form: Form) -> bool:
    """Whether a fact of a type can be read from an item; a moment also from a date with its clock time beside it.

    CDASH names the two alike: EXSTDAT and EXSTTIM.
    """
    if wanted == "datetime" and item.type == "date":
        beside = form.items_by_id.get(item.id.removesuffix("DAT") + "TIM")
        return beside is not None and beside.type == "time"
    return item.type in READABLE[wanted]


def _same_measure(fact: Fact, item: Item, at: Loc) -> Iterator[Finding]:
    if fact.analyte and item.analyte and fact.analyte != item.analyte:
        yield Finding((*at, "analyte"), f"'{fact.from_}' measures {item.analyte}, not {fact.analyte}")
    if not fact.unit:
        return
    if item.analyte:
        problem = unit_problem(item.analyte, fact.unit)
        if problem:
            yield Finding((*at, "unit"), problem)
    elif item.unit and item.unit != fact.unit:
        yield Finding((*at, "unit"), f"'{fact.from_}' is in {item.unit} and has no analyte to convert by")


def _from_rows(fact: Fact, form: Form, at: Loc) -> Iterator[Finding]:
    if fact.type != "list":
        yield Finding(
            (*at, "from"), f"name an item, as '{form.code}.ITEM': only a list is taken from all rows"
        )
        return
    if not fact.fields:
        yield Finding(at, f"'{fact.name}' is a list of rows: give its 'fields'")
    for name, field in fact.fields.items():
        item_id = field.from_ or name
        item = form.items_by_id.get(item_id)
        if item is None:
            near = did_you_mean(item_id, form.items_by_id)
            yield Finding((*at, "fields", name), f"unknown item '{item_id}' of the form '{form.code}'{near}")
        elif not _readable(field.type, item, form):
            yield Finding((*at, "fields", name), f"a {field.type} cannot be read from a {item.type}")


def _codes(protocol: Protocol, fact: Fact, at: Loc) -> Iterator[Finding]:
    codelists = {each.name: each for each in protocol.codelists}
    coded: list[tuple[Loc, str, str, str]] = [(at, fact.name, fact.codelist, fact.absent)]
    coded += [
        ((*at, "fields", name), name, field.codelist, field.absent) for name, field in fact.fields.items()
    ]
    for loc, name, codelist, absent in coded:
        if codelist:
            yield from unknown_reference((*loc, "codelist"), "codelist", codelist, codelists)
        if absent in ABSENT:
            continue
        if codelist in codelists:
            yield from unknown_reference(
                (*loc, "absent"), "code", absent, [*codelists[codelist].labels, *ABSENT]
            )
        elif not codelist:
            yield Finding(
                (*loc, "absent"), f"'{name}' may be absent as 'unknown' or 'none', not as '{absent}'"
            )


def _shape(fact: Fact, at: Loc) -> Iterator[Finding]:
    if fact.type == "code" and not fact.codelist:
        yield Finding(at, f"'{fact.name}' is a code: give its 'codelist'")
    if fact.type != "list" and (fact.fields or fact.of):
        yield Finding(at, f"'{fact.name}' is no list: it has no fields and no members")
    for name, field in fact.fields.items():
        if field.type == "code" and not field.codelist:
            yield Finding((*at, "fields", name), f"'{name}' is a code: give its 'codelist'")
