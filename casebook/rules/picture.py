"""What a form looks like with these values: which items show, what is derived, which checks fire. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Literal

from casebook.rules.cells import (
    NUMERIC,
    WITH_UNIT,
    Cell,
    cell_text,
    confirmations,
    confirmed_for,
    fact_value,
    holds_value,
)
from logic import Rule, Truth, Values, compile_rule, prepare
from logic.units import convert, unit_in_words
from trials.rules.entered import added_in
from trials.schema import Check, Codelist, Form, Item, Protocol
from trials.schema.vocabulary import dose_facts

Level = Literal["stop", "check"]
ASKS = "Confirm it, or correct it."
ADDED = "added"
"""Ends the name of the check that asks for an item which an amendment added."""
LEFT = "left"
"""Ends the name of the check that tells of a value whose item does not apply any more."""
Documents = Mapping[str, Any]
"""What other forms say: by form code, item → latest value, or the rows of a repeating form."""


@dataclass(frozen=True)
class Finding:
    """Something to look at in a form.

    Attributes
    ----------
    level
        `stop` keeps the form from being complete; `check` wants a correction or a reason.
    reason
        Why a person confirmed the value in spite of the check, or empty.
    about
        Digest of what the check looks at: what is confirmed of it holds for these values alone.
    """

    check_id: str
    item: str
    level: Level
    message: str
    reason: str = ""
    about: str = ""

    @property
    def statement(self) -> str:
        """The message without its last sentence, which asks for what was done when it is settled."""
        return self.message.removesuffix(f" {ASKS}")

    @property
    def settled(self) -> bool:
        """Whether nobody needs to look at it again."""
        return self.level == "check" and bool(self.reason)


@dataclass(frozen=True)
class Picture:
    """A form with its values, worked out.

    Attributes
    ----------
    shown
        Items that apply, and those that do not and hold a value.
    derived
        Cells of the derived items that could be calculated.
    findings
        Checks that fire, in reading order.
    unanswered
        Required items that show and hold neither a value nor a reason.
    """

    shown: frozenset[str]
    derived: Mapping[str, Cell]
    findings: tuple[Finding, ...]
    unanswered: tuple[str, ...]
    answered: int = 0
    expected: int = 0
    open_findings: tuple[Finding, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "open_findings", tuple(f for f in self.findings if not f.settled))

    def with_findings(self, more: Sequence[Finding]) -> Picture:
        """The same with findings that other rules made."""
        return replace(self, findings=(*self.findings, *more)) if more else self

    @property
    def can_be_completed(self) -> bool:
        """Whether every item is answered and nothing impossible stands."""
        return not self.unanswered and not any(finding.level == "stop" for finding in self.findings)


class FormRules:
    """The compiled rules of one form of one protocol version."""

    def __init__(self, protocol: Protocol, form: Form) -> None:
        schema = self._schema = form.rule_schema(protocol)
        self._set = dose_facts(protocol)
        self.form = form
        self.codelists: dict[str, Codelist | None] = {
            item.id: codelist_of(protocol, item) for item in form.items_by_id.values()
        }
        self._show = {item.id: compile_rule(item.show_if, schema) for item in form.items if item.show_if}
        self._show_group = {
            item.id: rule
            for group in form.groups
            if group.show_if
            for rule in [compile_rule(group.show_if, schema)]
            for item in group.items
        }
        derived = [item for item in form.items if item.derive]
        self._derive = [(item, compile_rule(item.derive, schema)) for item in _in_order(derived)]
        self.reads: dict[str, frozenset[str]] = {
            item.id: frozenset(rule.names) for item, rule in self._derive
        }
        """Names that the rule of each derived item reads."""
        self.timeless = self._timeless()
        """Derived items that follow from this form's own values alone, whatever the day and the other forms."""
        self._checks: list[tuple[Check, Rule]] = [
            (check, compile_rule(check.rule, schema)) for check in form.checks
        ]
        codes = {each.code for each in protocol.forms}
        applies = [compile_rule(form.applies, schema)] if form.applies else []
        self.names = frozenset(name for rule in (*self._all(), *applies) for name in rule.names)
        """Items of this form, items of others as `FORM.ITEM`, and repeating forms, that the rules name."""
        self.decides = self._deciding()
        """Items of this form whose answer shows or hides others."""
        roots = {name.partition(".")[0] for rule in self._all() for name in rule.names}
        self.looks_at = frozenset(roots & codes)
        """Codes of the forms whose entries the rules read."""

    def _all(self) -> Iterable[Rule]:
        yield from self._show.values()
        yield from self._show_group.values()
        yield from (rule for _, rule in self._derive)
        yield from (rule for _, rule in self._checks)

    def _timeless(self) -> frozenset[str]:
        found: set[str] = set()
        entered = {item.id for item in self.form.items if item.type != "derived"}
        for item, rule in self._derive:
            if rule.names <= entered | found:
                found.add(item.id)
        return frozenset(found)

    def _deciding(self) -> frozenset[str]:
        """Items that the rules of showing name, and those that derived items among them are calculated from."""
        shows = (*self._show.values(), *self._show_group.values())
        named = {name for rule in shows for name in rule.names}
        for item, rule in reversed(self._derive):
            if item.id in named:
                named |= rule.names
        return frozenset(named & self.form.items_by_id.keys())

    def picture(
        self, values: Mapping[str, Cell], others: Documents, as_of: date, later: Documents | None = None
    ) -> Picture:
        """Work the form out.

        Parameters
        ----------
        values
            Cells by item.
        others
            Latest values of the subject's other forms.
        as_of
            Date of the visit or row (what `REFDAT` means here).
        later
            What forms say that are dated after that only: checks look at it, nothing else does.
        """
        document = self._document(values, others, as_of)
        derived = self._derived(document, as_of)
        prepared = prepare(self._schema, document, as_of)
        shown = self._shown(prepared)
        checked = prepare(self._schema, {**later, **document}, as_of) if later else prepared
        expected = [
            item for item in self.form.items if item.id in shown and item.required and item.type != "derived"
        ]
        unanswered = tuple(item.id for item in expected if not _is_answered(values.get(item.id)))
        left = self._left_behind(values, shown)
        fired = self._findings(values, checked, shown, {**(later or {}), **document})
        found = (*fired, *self._added(values, unanswered), *left)
        return Picture(
            shown=shown | {finding.item for finding in left},
            derived=derived,
            findings=found,
            unanswered=unanswered,
            answered=len(expected) - len(unanswered),
            expected=len(expected),
        )

    def watched(self, item: str, check_id: str) -> frozenset[str]:
        """Items of this form that a check looks at: its own, and those that its rule names or is calculated from."""
        names = next((rule.names for check, rule in self._checks if check.id == check_id), frozenset())
        for derived, reads in reversed(self.reads.items()):
            if derived in names:
                names |= reads
        return frozenset({item, *(name for name in names if name in self.form.items_by_id)})

    def behind(self, item: str) -> frozenset[str]:
        """Items of this form that a derived item is calculated from, and the item itself."""
        names = frozenset({item})
        for derived, reads in reversed(self.reads.items()):
            if derived in names:
                names |= reads
        return frozenset(name for name in names if name in self.form.items_by_id)

    def derived(self, values: Mapping[str, Cell], others: Documents, as_of: date) -> dict[str, Cell]:
        """Cells of the derived items alone (see `picture`)."""
        return self._derived(self._document(values, others, as_of), as_of) if self._derive else {}

    def _document(self, values: Mapping[str, Cell], others: Documents, as_of: date) -> dict[str, Any]:
        document: dict[str, Any] = {**others, **self._set, "REFDAT": as_of.isoformat()}
        for item in self.form.items:
            if item.type != "derived":
                document[item.id] = fact_value(item, values.get(item.id))
        return document

    def _derived(self, document: dict[str, Any], as_of: date) -> dict[str, Cell]:
        cells: dict[str, Cell] = {}
        for item, rule in self._derive:
            value = rule.value(document, as_of)
            document[item.id] = None if value is None else _plain(value)
            if value is not None:
                cells[item.id] = {"value": _plain(value)}
        return cells

    def _shown(self, document: Values) -> frozenset[str]:
        return frozenset(
            item.id
            for item in self.form.items
            if all(
                rule is None or rule.verdict(document) is Truth.TRUE
                for rule in (self._show.get(item.id), self._show_group.get(item.id))
            )
        )

    def _findings(
        self, values: Mapping[str, Cell], document: Values, shown: frozenset[str], said: Documents
    ) -> tuple[Finding, ...]:
        found = [
            finding
            for item in self.form.items
            if item.id in shown
            for finding in possible_findings(item, values.get(item.id))
        ]
        for check, rule in self._checks:
            if check.item in shown and rule.verdict(document) is Truth.FALSE:
                found.append(self._fired(check, values, looked_at(said, {check.item, *rule.names})))
        found = _loudest(found)
        order = {item.id: place for place, item in enumerate(self.form.items)}
        return tuple(sorted(found, key=lambda finding: order[finding.item]))

    def _left_behind(self, values: Mapping[str, Cell], shown: frozenset[str]) -> list[Finding]:
        """Values of items that do not apply any more: nothing that somebody entered is out of sight."""
        return [
            Finding(
                f"{item.id}-{LEFT}",
                item.id,
                "check",
                "By the other answers this does not apply, and it holds a value. Empty it, or correct the answer.",
                reason=confirmations(values.get(item.id)).get(f"{item.id}-{LEFT}", ""),
            )
            for item in self.form.items
            if item.id not in shown and item.type != "derived" and holds_value(values.get(item.id))
        ]

    def _added(self, values: Mapping[str, Cell], unanswered: Iterable[str]) -> list[Finding]:
        """What an amendment added to a form that was entered before, and nobody answered yet."""
        asked = [item for key in unanswered if added_in(item := self.form.item(key))]
        return [
            Finding(
                f"{item.id}-{ADDED}",
                item.id,
                "check",
                f"Asked since protocol version {added_in(item)}. Enter it, say why it is missing, or confirm that "
                "it stays empty.",
                reason=confirmations(values.get(item.id)).get(f"{item.id}-{ADDED}", ""),
            )
            for item in asked
        ]

    def _fired(self, check: Check, values: Mapping[str, Cell], about: str) -> Finding:
        return Finding(
            check_id=check.id,
            item=check.item,
            level="stop" if check.kind == "hard" else "check",
            message=self._worded(check.message, values),
            reason=confirmed_for(values.get(check.item), check.id, about),
            about=about,
        )

    def _worded(self, message: str, values: Mapping[str, Cell]) -> str:
        """Put values in the places of a message (`{WEIGHT}`)."""

        def words(match: re.Match[str]) -> str:
            item = self.form.items_by_id.get(match[1])
            return cell_text(item, self.codelists[item.id], values.get(item.id)) if item else match[0]

        return re.sub(r"\{([A-Z][A-Z0-9_]*)\}", words, message)


def looked_at(document: Documents, names: Iterable[str]) -> str:
    """SHA-256 of what single items say in a document; rows of a repeating form are left aside, for others come."""
    said: dict[str, Any] = {}
    for name in sorted(names):
        form, _, item = name.partition(".")
        of_form = document.get(form)
        said[name] = of_form.get(item) if item and isinstance(of_form, Mapping) else of_form
    single = {
        name: value for name, value in said.items() if not isinstance(value, Mapping) or "value" in value
    }
    known = {name: value for name, value in single.items() if not _is_rows(value)}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(each, Mapping) for each in value)


class ProtocolKey:
    """A protocol as the key of a cache: two are equal when their digests are."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol

    def __hash__(self) -> int:
        return hash(self.protocol.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProtocolKey) and other.protocol.sha256 == self.protocol.sha256


@lru_cache(maxsize=512)
def _kept_rules(key: ProtocolKey, form_code: str) -> FormRules:
    return FormRules(key.protocol, key.protocol.form(form_code))


def rules_of(protocol: Protocol, form_code: str) -> FormRules:
    """Compiled rules of one form of this protocol."""
    return _kept_rules(ProtocolKey(protocol), form_code)


def codelist_of(protocol: Protocol, item: Item) -> Codelist | None:
    """The codelist that an item's choices come from, if it has choices."""
    name = item.codelist or ("NY" if item.type == "yesno" else "")
    return protocol.codelist(name) if name else None


def possible_findings(item: Item, cell: Mapping[str, Any] | None) -> list[Finding]:
    """Tell when a number lies outside what is possible for anybody; limits inclusive."""
    limits = item.possible
    if limits is None or not cell or cell.get("value") is None or item.type not in NUMERIC:
        return []
    number = Decimal(cell["value"])
    unit = cell.get("unit", "")
    if item.type in WITH_UNIT and limits.unit and unit:
        number = Decimal(convert(number, item.analyte, unit, limits.unit))
    too_low = limits.min is not None and number < limits.min
    too_high = limits.max is not None and number > limits.max
    if not (too_low or too_high):
        return []
    message = (
        f"{cell['value']} {unit_in_words(unit)}".strip() + f" is outside what is possible ({_span(item)})."
    )
    return [Finding(f"{item.id}-possible", item.id, "stop", message)]


def _span(item: Item) -> str:
    limits = item.possible
    assert limits is not None
    unit = f" {unit_in_words(limits.unit)}".rstrip()
    if limits.min is None:
        return f"up to {limits.max}{unit}"
    if limits.max is None:
        return f"from {limits.min}{unit}"
    return f"{limits.min} to {limits.max}{unit}"


def _loudest(findings: list[Finding]) -> list[Finding]:
    """Without the soft checks of a value that is impossible: it has to change, so nobody confirms it."""
    impossible = {finding.item for finding in findings if finding.level == "stop"}
    return [finding for finding in findings if finding.level == "stop" or finding.item not in impossible]


def _is_answered(cell: Mapping[str, Any] | None) -> bool:
    return holds_value(cell) or bool((cell or {}).get("missing"))


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize() if value else value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def _in_order(items: list[Item]) -> list[Item]:
    """Derived items, each after the derived items that it reads."""
    known = {item.id for item in items}
    ordered: list[Item] = []
    waiting = list(items)
    while waiting:
        placed = {item.id for item in ordered}
        ready = [
            item
            for item in waiting
            if not (set(re.findall(r"[A-Z][A-Z0-9_]*", item.derive)) & known) - placed - {item.id}
        ]
        ordered += ready
        waiting = [item for item in waiting if item not in ready]
        if not ready:
            raise ValueError(f"derived items wait for each other: {[item.id for item in waiting]}")
    return ordered


def shown_number(value: str, digits: int | None) -> str:
    """A derived number as shown: rounded once, half away from zero, to the digits of its item."""
    if digits is None:
        return value
    return format(Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP), "f")
