"""Do the parts of a protocol that name each other exist, and only once?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trials.rules.findings import Finding, Loc, did_you_mean, parts_of, repeated, unknown_reference
from trials.schema import Annotation, Charter, Form, Protocol

IDENTIFIERS = (
    ("arms", "code", "arm"),
    ("sub_studies", "code", "sub-study"),
    ("settings", "name", "setting"),
    ("anchors", "name", "anchor"),
    ("visits", "code", "visit"),
    ("forms", "form", "form"),
    ("codelists", "name", "codelist"),
    ("facts", "name", "fact"),
    ("criteria", "id", "criterion"),
    ("sets", "name", "criteria set"),
    ("timing", "id", "timing rule"),
    ("endpoints", "PARAMCD", "endpoint"),
)


def duplicates(protocol: Protocol) -> Iterator[Finding]:
    """Yield every identifier that is given twice."""
    for key, field, what in IDENTIFIERS:
        attribute = {"form": "code", "PARAMCD": "paramcd"}.get(field, field)
        parts = enumerate(getattr(protocol, key))
        yield from repeated((((key, i, field), getattr(part, attribute)) for i, part in parts), what)
    yield from repeated(_check_ids(protocol), "check")
    for i, codelist in enumerate(protocol.codelists):
        codes = ((("codelists", i, "codes", j, "code"), each.code) for j, each in enumerate(codelist.codes))
        yield from repeated(codes, "code")
    for i, visit in enumerate(protocol.visits):
        forms = ((("visits", i, "forms", j), each) for j, each in enumerate(visit.forms))
        yield from repeated(forms, "form")
    yield from repeated(((("logs", i), each) for i, each in enumerate(protocol.logs)), "form")
    for i, form in enumerate(protocol.forms):
        yield from repeated(_item_ids(form, i), "item")


def _check_ids(protocol: Protocol) -> Iterator[tuple[Loc, str]]:
    for i, form in enumerate(protocol.forms):
        for j, check in enumerate(form.checks):
            yield ("forms", i, "checks", j, "id"), check.id


def _item_ids(form: Form, i: int) -> Iterator[tuple[Loc, str]]:
    for g, group in enumerate(form.groups):
        for j, item in enumerate(group.items):
            yield ("forms", i, "groups", g, "items", j, "id"), item.id


def sources(protocol: Protocol) -> Iterator[Finding]:
    """Yield every part whose source is not listed."""
    for loc, part in parts_of(protocol):
        if isinstance(part, Annotation) and part.source and part.source not in protocol.sources:
            near = did_you_mean(part.source, protocol.sources)
            yield Finding((*loc, "source"), f"unknown source '{part.source}'{near}", written_only=True)
    if protocol.charter is not None:
        yield from _charter_sources(protocol, protocol.charter)


def _charter_sources(protocol: Protocol, charter: Charter) -> Iterator[Finding]:
    for key, source in charter.sources.items():
        loc = ("charter", "sources", key)
        yield from unknown_reference(loc, "key of the charter", key, Charter.model_fields)
        yield from unknown_reference(loc, "source", source, protocol.sources)


def design(protocol: Protocol) -> Iterator[Finding]:
    """Yield what sub-studies, routing, strata and endpoints name and is not there."""
    arms = {each.code for each in protocol.arms}
    sets = {each.name for each in protocol.sets}
    facts = {each.name for each in protocol.facts}
    studies = {each.code for each in protocol.sub_studies}
    for i, study in enumerate(protocol.sub_studies):
        at: Loc = ("sub_studies", i)
        yield from unknown_reference((*at, "criteria_set"), "criteria set", study.criteria_set, sets)
        for j, share in enumerate(study.arms):
            yield from unknown_reference((*at, "arms", j, "arm"), "arm", share.arm, arms)
        for j, stratum in enumerate(study.strata):
            if stratum.fact:
                yield from unknown_reference((*at, "strata", j, "fact"), "fact", stratum.fact, facts)
    for i, endpoint in enumerate(protocol.endpoints):
        for j, code in enumerate(endpoint.sub_studies):
            yield from unknown_reference(("endpoints", i, "sub_studies", j), "sub-study", code, studies)


def eligibility(protocol: Protocol) -> Iterator[Finding]:
    """Yield what criteria and routing name and is not there, and sets without a criterion."""
    sets = {each.name for each in protocol.sets}
    facts = {each.name for each in protocol.facts}
    for i, criterion in enumerate(protocol.criteria):
        for j, name in enumerate(criterion.sets):
            yield from unknown_reference(("criteria", i, "sets", j), "criteria set", name, sets)
        for j, name in enumerate(criterion.look_back.facts if criterion.look_back else ()):
            yield from unknown_reference(("criteria", i, "look_back", "facts", j), "fact", name, facts)
    for i, each in enumerate(protocol.sets):
        if not protocol.criteria_of(each.name):
            yield Finding(("sets", i, "name"), f"no criterion belongs to the set '{each.name}'")
    used = {each.criteria_set for each in protocol.sub_studies}
    for i, name in enumerate(protocol.routing.order if protocol.routing else ()):
        yield from unknown_reference(("routing", "order", i), "criteria set", name, sets)
        if name in sets and name not in used:
            yield Finding(("routing", "order", i), f"no sub-study takes subjects of the set '{name}'")


def visits(protocol: Protocol) -> Iterator[Finding]:
    """Yield what visits and running logs name and is not there, and forms that nobody can reach."""
    known = {
        "form": {each.code for each in protocol.forms},
        "arm": {each.code for each in protocol.arms},
        "sub-study": {each.code for each in protocol.sub_studies},
    }
    anchors = {each.name for each in protocol.anchors}
    for i, visit in enumerate(protocol.visits):
        if visit.anchor:
            yield from unknown_reference(("visits", i, "anchor"), "anchor", visit.anchor, anchors)
        named = (("forms", "form", visit.forms), ("arms", "arm", visit.arms),
                 ("sub_studies", "sub-study", visit.sub_studies))  # fmt: skip
        for key, what, words in named:
            for j, word in enumerate(words):
                yield from unknown_reference(("visits", i, key, j), what, word, known[what])
    for i, code in enumerate(protocol.logs):
        yield from unknown_reference(("logs", i), "form", code, known["form"])
    reached = {code for visit in protocol.visits for code in visit.forms} | set(protocol.logs)
    for i, form in enumerate(protocol.forms):
        if form.code not in reached:
            yield Finding(("forms", i, "form"), f"the form '{form.code}' belongs to no visit and no log")


def forms(protocol: Protocol) -> Iterator[Finding]:
    """Yield what forms name and is not there: dating items, row labels, columns, checked items, codelists."""
    codelists = {each.name for each in protocol.codelists}
    for i, form in enumerate(protocol.forms):
        ids = set(form.items_by_id)
        for at, word in _items_named(form):
            yield from unknown_reference(("forms", i, *at), "item", word, ids)
        yield from _deviation_kind(protocol, form, ("forms", i, "window_deviation", "code"))
        for g, group in enumerate(form.groups):
            for j, item in enumerate(group.items):
                at = ("groups", g, "items", j, "codelist")
                name = "NY" if item.type == "yesno" else item.codelist
                if name:
                    yield from unknown_reference(("forms", i, *at), "codelist", name, codelists)


def _items_named(form: Form) -> Iterator[tuple[Loc, str]]:
    """Where a form names an item of its own, and which."""
    single = [(("date_item",), form.date_item), (("laboratory",), form.laboratory)]
    yield from ((at, word) for at, word in single if word)
    yield from ((("row_label",), word) for word in re.findall(r"\{(\w+)\}", form.row_label))
    yield from ((("columns", j), word) for j, word in enumerate(form.columns))
    for key, part, names in (
        ("window_deviation", form.window_deviation, ("date", "kind", "text")),
        ("reconsent", form.reconsent, ("date", "version")),
    ):
        words = ((name, getattr(part, name, "")) for name in names)
        yield from (((key, name), word) for name, word in words if word)
    yield from ((("checks", j, "item"), check.item) for j, check in enumerate(form.checks))


def _deviation_kind(protocol: Protocol, form: Form, at: Loc) -> Iterator[Finding]:
    if form.window_deviation is None:
        return
    kind = form.items_by_id.get(form.window_deviation.kind)
    known = {
        code for each in protocol.codelists if kind and each.name == kind.codelist for code in each.labels
    }
    yield from unknown_reference(at, "code", form.window_deviation.code, known)


def codelists(protocol: Protocol) -> Iterator[Finding]:
    """Yield codes that are called unknown and are not in the list."""
    for i, codelist in enumerate(protocol.codelists):
        for j, code in enumerate(codelist.unknown):
            yield from unknown_reference(("codelists", i, "unknown", j), "code", code, codelist.labels)
