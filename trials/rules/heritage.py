"""What earlier versions of a protocol had and this one has no more: never gone, only retired. Pure.

Whoever goes through a protocol (`protocol.forms`, `form.items`, `codelist.codes`) meets what is asked today; whoever
looks something up by its code (`protocol.form("QS")`, `form.items_by_id`, `codelist.labels`) also finds what was
retired, because data point at it. A part that is retired says since when: `retired_in(part)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, cast

from trials.schema import (
    Arm,
    CodeLabel,
    Codelist,
    Criterion,
    Fact,
    Form,
    Item,
    Part,
    Protocol,
    Source,
    SubStudy,
    Visit,
)

Found = TypeVar("Found")
PartKind = TypeVar("PartKind", bound=Part)


class RetiredItem(Item):
    """An item that an earlier version asked for."""

    retired_in: str


class RetiredCode(CodeLabel):
    """A choice that can no longer be made; where it was made, it keeps its words."""

    retired_in: str


class RetiredForm(Form):
    """A form that an earlier version had."""

    retired_in: str


class RetiredVisit(Visit):
    """A visit that an earlier version planned."""

    retired_in: str


class InheritingForm(Form):
    """A form with the items that it had before."""

    retired: tuple[RetiredItem, ...] = ()

    @cached_property
    def items_by_id(self) -> dict[str, Item]:
        """Items by their id, retired ones included."""
        return {item.id: item for item in (*self.retired, *self.items)}


class InheritingCodelist(Codelist):
    """A codelist with the choices that it had before."""

    retired: tuple[RetiredCode, ...] = ()

    @cached_property
    def labels(self) -> dict[str, str]:
        """Label by code, retired ones included."""
        return {each.code: each.label for each in (*self.codes, *self.retired)}


class InheritingProtocol(Protocol):
    """A version of a protocol with what was retired since the first."""

    retired_forms: tuple[RetiredForm, ...] = ()
    retired_visits: tuple[RetiredVisit, ...] = ()
    retired_codelists: tuple[Codelist, ...] = ()
    retired_arms: tuple[Arm, ...] = ()
    retired_sub_studies: tuple[SubStudy, ...] = ()
    retired_facts: tuple[Fact, ...] = ()
    retired_criteria: tuple[Criterion, ...] = ()
    ancestry: str = ""

    @cached_property
    def _forms(self) -> dict[str, Form]:
        return {each.code: each for each in (*self.retired_forms, *self.forms)}

    @cached_property
    def _visits(self) -> dict[str, Visit]:
        return {each.code: each for each in (*self.retired_visits, *self.visits)}

    @cached_property
    def _codelists(self) -> dict[str, Codelist]:
        return {each.name: each for each in (*self.retired_codelists, *self.codelists)}

    @cached_property
    def _facts(self) -> dict[str, Fact]:
        return {each.name: each for each in (*self.retired_facts, *self.facts)}

    @cached_property
    def _criteria(self) -> dict[str, Criterion]:
        return {each.id: each for each in (*self.retired_criteria, *self.criteria)}

    def arm(self, code: str) -> Arm:
        """Return the arm of that code, a retired one too."""
        return {each.code: each for each in (*self.retired_arms, *self.arms)}[code]

    def sub_study(self, code: str) -> SubStudy:
        """Return the sub-study of that code, a retired one too."""
        return {each.code: each for each in (*self.retired_sub_studies, *self.sub_studies)}[code]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the content and of that of all versions before: what compiled rules are kept by."""
        return hashlib.sha256(f"{super().sha256} {self.ancestry}".encode()).hexdigest()


def retired_in(part: Part) -> str:
    """The version that no longer has this part; empty for one that is in use."""
    return str(getattr(part, "retired_in", ""))


def with_heritage(current: Protocol, earlier: Sequence[Protocol]) -> Protocol:
    """The protocol with everything that the versions before had.

    Parameters
    ----------
    earlier
        The versions before, oldest first, as they were published.
    """
    history = [*earlier, current]
    return remade(
        InheritingProtocol,
        current,
        forms=tuple(_inheriting_form(form, history) for form in current.forms),
        codelists=tuple(_inheriting_codelist(each, history) for each in current.codelists),
        sources=_sources(history),
        retired_forms=tuple(
            remade(RetiredForm, form, retired_in=since)
            for form, since in _gone(history, lambda each: {form.code: form for form in each.forms})
        ),
        retired_visits=tuple(
            remade(RetiredVisit, visit, retired_in=since)
            for visit, since in _gone(history, lambda each: {visit.code: visit for visit in each.visits})
        ),
        retired_codelists=_parts_gone(history, "codelists", "name"),
        retired_arms=_parts_gone(history, "arms", "code"),
        retired_sub_studies=_parts_gone(history, "sub_studies", "code"),
        retired_facts=_parts_gone(history, "facts", "name"),
        retired_criteria=_parts_gone(history, "criteria", "id"),
        ancestry=" ".join(each.sha256 for each in earlier),
    )


def _gone(
    history: Sequence[Protocol], parts: Callable[[Protocol], Mapping[str, Found]]
) -> Iterable[tuple[Found, str]]:
    """Parts that the newest version lacks, as they were last, each with the version that no longer had it."""
    tables = [parts(each) for each in history]
    newest = tables[-1].keys()
    last: dict[str, tuple[Found, str]] = {}
    for place, table in enumerate(tables[:-1]):
        for key, part in table.items():
            last[key] = (part, history[place + 1].version.label)
    return [found for key, found in last.items() if key not in newest]


def _parts_gone(history: Sequence[Protocol], name: str, key: str) -> tuple[Part, ...]:
    found = _gone(history, lambda each: {getattr(part, key): part for part in getattr(each, name)})
    return tuple(part for part, _ in found)


def _inheriting_form(form: Form, history: Sequence[Protocol]) -> Form:
    gone = _gone(history, lambda each: _items(each, form.code))
    return remade(
        InheritingForm,
        form,
        retired=tuple(remade(RetiredItem, item, retired_in=since) for item, since in gone),
    )


def _items(protocol: Protocol, code: str) -> dict[str, Item]:
    return next(({item.id: item for item in form.items} for form in protocol.forms if form.code == code), {})


def _inheriting_codelist(codelist: Codelist, history: Sequence[Protocol]) -> Codelist:
    gone = _gone(history, lambda each: _codes(each, codelist.name))
    return remade(
        InheritingCodelist,
        codelist,
        retired=tuple(remade(RetiredCode, code, retired_in=since) for code, since in gone),
    )


def _codes(protocol: Protocol, name: str) -> dict[str, CodeLabel]:
    return next(
        ({code.code: code for code in each.codes} for each in protocol.codelists if each.name == name), {}
    )


def _sources(history: Sequence[Protocol]) -> dict[str, Source]:
    """Sources of all versions, so that what was retired still says where it came from."""
    return {key: source for each in history for key, source in each.sources.items()}


def remade(kind: type[PartKind], part: Part, **more: object) -> PartKind:
    """The same part as another kind, with more said; nothing is checked again, and no cached word goes along."""
    values = {name: getattr(part, name) for name in type(part).model_fields}
    return cast("PartKind", kind.model_construct(**{**values, **more}))
