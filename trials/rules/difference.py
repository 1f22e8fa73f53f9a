"""What one version of a protocol has that another has not, and what differs between them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trials.rules.overview import timing_of
from trials.schema import Check, Criterion, Form, Item, Protocol, Visit

Kind = Literal["added", "retired", "changed"]


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was.

    Attributes
    ----------
    part
        `form`, `item`, `option`, `check`, `visit`, `log` or `criterion`.
    where
        Code of the form (or codelist) that it belongs to; empty for what stands by itself.
    aspect
        What of it changed: `type`, `unit`, `options`, `label`, `window`; empty where all of it came or went.
    before, after
        In words; empty where there is nothing.
    """

    part: str
    where: str
    code: str
    label: str
    kind: Kind
    aspect: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Difference:
    """All changes from one version to another, and how many of each part stayed as they were."""

    before: str
    after: str
    changes: tuple[Change, ...]
    kept: Mapping[str, int]

    def of(self, part: str) -> tuple[Change, ...]:
        """Changes of one kind of part."""
        return tuple(each for each in self.changes if each.part == part)

    @property
    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "before": self.before,
            "after": self.after,
            "kept": dict(self.kept),
            "changes": [asdict(each) for each in self.changes],
        }


Aspects = Mapping[str, str]
"""What can differ about a part, in words, by the name of the aspect."""


@dataclass(frozen=True)
class _Part:
    part: str
    where: str
    code: str
    label: str
    aspects: Aspects


def difference(before: Protocol, after: Protocol) -> Difference:
    """Compare two versions: forms, items, options, checks, visits, logs and criteria.

    Parts are the same where their codes are; a part with another code is another part.
    """
    changes: list[Change] = []
    kept: dict[str, int] = {}
    for name in ("form", "item", "option", "check", "visit", "log", "criterion"):
        found = list(_compared(_parts(before, name), _parts(after, name)))
        changes += found
        touched = {(each.where, each.code) for each in found}
        kept[name] = len(
            {(each.where, each.code) for each in _parts(before, name)}
            & {(each.where, each.code) for each in _parts(after, name)} - touched
        )
    return Difference(before.version.label, after.version.label, tuple(changes), kept)


def _compared(before: Iterable[_Part], after: Iterable[_Part]) -> Iterator[Change]:
    old = {(each.where, each.code): each for each in before}
    new = {(each.where, each.code): each for each in after}
    for key, part in new.items():
        if key not in old:
            yield Change(part.part, part.where, part.code, part.label, "added", after=_all_words(part))
            continue
        for aspect, words in part.aspects.items():
            earlier = old[key].aspects.get(aspect, "")
            if earlier != words:
                yield Change(part.part, part.where, part.code, part.label, "changed", aspect, earlier, words)
    for key, part in old.items():
        if key not in new:
            yield Change(part.part, part.where, part.code, part.label, "retired", before=_all_words(part))


def _all_words(part: _Part) -> str:
    first = {"item": "type", "visit": "window", "criterion": "rule", "check": "rule"}.get(part.part, "")
    return part.aspects.get(first, "")


def _parts(protocol: Protocol, name: str) -> list[_Part]:
    if name == "form":
        return [_Part(name, "", form.code, form.name, _form(form)) for form in protocol.forms]
    if name == "item":
        return [
            _Part(name, form.code, item.id, item.label, _item(protocol, item))
            for form in protocol.forms
            for item in form.items
        ]
    if name == "option":
        return [
            _Part(name, each.name, code.code, code.label, {"label": code.label})
            for each in protocol.codelists
            for code in each.codes
        ]
    if name == "check":
        return [
            _Part(name, form.code, check.id, check.message, _check(check))
            for form in protocol.forms
            for check in form.checks
        ]
    if name == "visit":
        return [_Part(name, "", each.code, each.name, _visit(protocol, each)) for each in protocol.visits]
    if name == "log":
        return [_Part(name, "", code, protocol.form(code).name, {}) for code in protocol.logs]
    return [_Part(name, "", each.id, each.label, _criterion(each)) for each in protocol.criteria]


def _form(form: Form) -> Aspects:
    return {"label": form.name, "applies": form.applies, "repeats": "yes" if form.repeating else "no"}


def _item(protocol: Protocol, item: Item) -> Aspects:
    name = item.codelist or ("NY" if item.type == "yesno" else "")
    codes = {each.name: each for each in protocol.codelists}
    options = ", ".join(code.label for code in codes[name].codes) if name in codes else ""
    limits = item.possible
    return {
        "type": item.type,
        "unit": item.unit or ", ".join(item.units),
        "options": options,
        "label": item.label,
        "required": "yes" if item.required else "no",
        "limits": f"{limits.min} to {limits.max} {limits.unit}".strip() if limits else "",
        "shown if": item.show_if,
        "calculated": item.derive,
    }


def _check(check: Check) -> Aspects:
    return {"rule": check.rule, "kind": check.kind, "label": check.message}


def _visit(protocol: Protocol, visit: Visit) -> Aspects:
    return {
        "window": timing_of(visit, protocol) or "when it happens",
        "label": visit.name,
        "forms": ", ".join(visit.forms),
        "imaging": "yes" if visit.imaging else "no",
    }


def _criterion(criterion: Criterion) -> Aspects:
    back = criterion.look_back
    return {
        "rule": criterion.rule,
        "applies": criterion.applies,
        "look-back": f"{back.days} days" if back else "",
        "wording": criterion.text,
        "sets": ", ".join(criterion.sets),
    }
