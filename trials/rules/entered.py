"""A completed form after an amendment: as it was, with what is asked besides. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from logic import RuleError, Schema, compile_rule
from trials.rules.heritage import InheritingForm, InheritingProtocol, RetiredItem, remade, retired_in
from trials.schema import Check, Form, Item, ItemGroup, Part, Protocol


class AddedItem(Item):
    """An item that a later version added to a form that was entered before."""

    added_in: str


class EnteredProtocol(InheritingProtocol):
    """A version as forms were entered under it, with what a later version adds to them."""


def added_in(part: Part) -> str:
    """The version that added this part to something entered before; empty otherwise."""
    return str(getattr(part, "added_in", ""))


def as_entered(then: Protocol, now: Protocol) -> Protocol:
    """The version under which a form was entered, with the items that the present version adds to its forms.

    What both versions know stays as it was: label, unit, choices, checks. What is new asks to be filled in, with the
    rules and checks that can be read beside the older items; the others are left out.

    Parameters
    ----------
    then
        The version under which the form was entered.
    now
        The version that the subject is on.
    """
    if then.sha256 == now.sha256:
        return then
    known = {form.code for form in then.forms}
    own = {each.name: each for each in then.codelists}
    lent = {each.name: each for each in now.codelists if own.get(each.name) != each}
    names = {name: f"{name}@{now.version.label}" if name in own else name for name in lent}
    raw = remade(
        EnteredProtocol,
        then,
        forms=(
            *(_with_additions(form, now, names) for form in then.forms),
            *(form for form in now.forms if form.code not in known),
        ),
        codelists=(
            *then.codelists,
            *(remade(type(each), each, name=names[name]) for name, each in lent.items()),
        ),
        sources={**now.sources, **then.sources},
        ancestry=f"{then.sha256} {now.sha256}",
    )
    later = {form.code: form for form in now.forms}
    return remade(
        EnteredProtocol,
        raw,
        forms=tuple(
            _readable(form, raw, later[form.code]) if form.code in known & later.keys() else form
            for form in raw.forms
        ),
        ancestry=f"{then.sha256} entered, {now.sha256}",
    )


def _with_additions(form: Form, now: Protocol, names: Mapping[str, str]) -> Form:
    try:
        later = now.form(form.code)
    except KeyError:
        return form
    groups = list(form.groups)
    for group in () if retired_in(later) else later.groups:
        new = tuple(_added(item, now, names) for item in group.items if item.id not in form.items_by_id)
        place = next((at for at, each in enumerate(groups) if each.title == group.title), None)
        if new and place is None:
            groups.append(remade(ItemGroup, group, items=new))
        elif new and place is not None:
            groups[place] = remade(ItemGroup, groups[place], items=(*groups[place].items, *new))
    asked = {item.id for group in groups for item in group.items}
    gone = tuple(
        item if retired_in(item) else remade(RetiredItem, item, retired_in=retired_in(later))
        for key, item in {**form.items_by_id, **later.items_by_id}.items()
        if key not in asked
    )
    return remade(InheritingForm, form, groups=tuple(groups), retired=gone)


def _added(item: Item, now: Protocol, names: Mapping[str, str]) -> Item:
    return remade(
        AddedItem, item, added_in=now.version.label, codelist=names.get(item.codelist, item.codelist)
    )


def _readable(form: Form, protocol: Protocol, later: Form) -> Form:
    """The form with those rules and checks of its added items that can be read here."""
    schema = form.rule_schema(protocol)
    groups = tuple(
        remade(
            ItemGroup,
            group,
            show_if=group.show_if if _reads(group.show_if, schema) else "",
            items=tuple(
                remade(type(item), item, show_if=item.show_if if _reads(item.show_if, schema) else "")
                for item in group.items
                if not added_in(item) or _reads(item.derive, schema)
            ),
        )
        for group in form.groups
    )
    kept = {item.id for group in groups for item in group.items if added_in(item)}
    taken = {check.id for check in form.checks}
    checks: list[Check] = [
        check
        for check in later.checks
        if check.item in kept and check.id not in taken and _reads(check.rule, schema)
    ]
    return remade(type(form), form, groups=groups, checks=(*form.checks, *checks))


def _reads(rule: str, schema: Schema) -> bool:
    try:
        return not rule or compile_rule(rule, schema) is not None
    except RuleError:
        return False
