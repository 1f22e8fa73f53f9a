"""What a form says, as one canonical text, and how two such texts differ. Pure.

References
----------
21 CFR 11.70 (signature/record linking); RFC 8785 (canonical JSON) as far as text, lists and objects go.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from casebook.rules.cells import cell_text
from casebook.rules.dates import date_in_words
from casebook.rules.picture import codelist_of, shown_number
from logic.units import unit_in_words
from trials.schema import Form, Item, Protocol

CONTENT_VERSION: Final = 2
"""Of what is signed today.

1 covers what was typed, and the status. 2 covers what the form shows beside that as well: the day of its visit, what
is calculated, and the grades that are suggested. A signature stays what it was when it was given: one over version 1
holds as long as what version 1 covers is unchanged.
"""
CONTENT_VERSIONS: Final = (1, 2)
NOT_SAID: Final = frozenset({"confirmed"})
"""Parts of a cell that are not its content: why a check was confirmed."""


@dataclass(frozen=True)
class Line:
    """One difference between what was signed and what stands now, in words.

    Attributes
    ----------
    worked_out
        Whether nobody typed it: it follows from other values.
    """

    item: str
    label: str
    before: str
    now: str
    worked_out: bool = False


@dataclass(frozen=True)
class Beside:
    """What a form shows that nobody typed into it.

    Attributes
    ----------
    day
        The day of its visit, ISO 8601; empty while nobody recorded it, and in running logs.
    derived
        Calculated values as shown, by item.
    suggested
        The grade that is suggested, with its term, by item.
    """

    day: str = ""
    derived: Mapping[str, str] = field(default_factory=dict)
    suggested: Mapping[str, str] = field(default_factory=dict)


def digest_of(content: Any) -> str:
    """SHA-256 of the canonical JSON of a content, 64 hexadecimal digits."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def said(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The cells that say something: value, unit, limits and missing reason; not why a check was confirmed."""
    cells = {
        item: {key: part for key, part in cell.items() if key not in NOT_SAID and part not in (None, "")}
        for item, cell in values.items()
    }
    return {item: cell for item, cell in cells.items() if cell}


def form_content(
    protocol: Protocol,
    form: str,
    *,
    subject: str,
    visit: str,
    repeat: int,
    values: Mapping[str, Mapping[str, Any]],
    state: str,
    not_done: str = "",
    struck_out: bool = False,
    beside: Beside | None = None,
) -> dict[str, Any]:
    """All that a signature on a form covers: the form's version, every item with its unit, and the status.

    Parameters
    ----------
    protocol
        The version under which the form was entered.
    subject, visit, repeat
        Where the form belongs, so that a content cannot be moved.
    beside
        What the form shows beside that, which makes it a content of version 2; version 1 without.
    """
    content: dict[str, Any] = {
        "version": 1,
        "subject": subject,
        "visit": visit,
        "form": form,
        "repeat": repeat,
        "form_version": _form_version(protocol, protocol.form(form)),
        "items": said(values),
        "status": {"state": state, "not_done": not_done, "struck_out": struck_out},
    }
    if beside is None:
        return content
    shown = {"day": beside.day, "derived": dict(beside.derived), "suggested": dict(beside.suggested)}
    return {**content, "version": 2, **shown}


def derived_as_shown(item: Item, cell: Mapping[str, Any]) -> str:
    """A calculated value with the digits that the form shows; a code stays a code."""
    value = str(cell["value"])
    return shown_number(value, item.digits) if item.result in {"number", "integer"} else value


def _form_version(protocol: Protocol, form: Form) -> str:
    """Digest of what is asked: items in their order with words, units and choices; help and checks do not count."""
    asked = []
    for item in form.items:
        codelist = codelist_of(protocol, item)
        codes = [[code.code, code.label] for code in codelist.codes] if codelist else []
        asked.append([item.id, item.label, item.type, list(item.units) or item.unit, codes])
    return digest_of([form.code, form.name, asked])


def record_content(
    kind: str,
    key: str,
    protocol_version: str,
    forms: Sequence[Mapping[str, Any]],
    version: int,
) -> dict[str, Any]:
    """All that a signature on a form, a visit or a casebook covers: the manifest of its forms."""
    return {
        "version": version,
        "kind": kind,
        "key": key,
        "protocol_version": protocol_version,
        "forms": list(forms),
    }


def differences(
    protocol: Protocol, form: Form, before: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[Line, ...]:
    """Items and status that differ between two contents of one form, in reading order."""
    old, new = before.get("items", {}), now.get("items", {})
    order = {item.id: place for place, item in enumerate(form.items)}
    changed = sorted(
        (item for item in {*old, *new} if old.get(item) != new.get(item)),
        key=lambda item: (order.get(item, len(order)), item),
    )
    lines = [_line(protocol, form, item, old.get(item), new.get(item)) for item in changed]
    said_before, said_now = (worked_out(protocol, form, content) for content in (before, now))
    lines += [
        Line(
            item, label, said_before.get((item, label), ""), said_now.get((item, label), ""), worked_out=True
        )
        for item, label in dict.fromkeys((*said_before, *said_now))
        if said_before.get((item, label)) != said_now.get((item, label))
    ]
    lines += _status_lines(before.get("status", {}), now.get("status", {}))
    if before.get("form_version") != now.get("form_version"):
        lines.append(Line("", "The form itself", "as signed", "changed by a new protocol version"))
    return tuple(lines)


def worked_out(protocol: Protocol, form: Form, content: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """What a content covers that nobody typed, in words, by item and label; nothing of a content of version 1."""
    found: dict[tuple[str, str], str] = {}
    if content.get("day"):
        found["", "Day of the visit"] = date_in_words(content["day"])
    derived, suggested = content.get("derived", {}), content.get("suggested", {})
    for item in form.items_by_id.values():
        if item.id in derived:
            found[item.id, f"{item.label} (calculated)"] = _calculated(protocol, item, derived[item.id])
        if item.id in suggested:
            found[item.id, f"{item.label}, suggested grade"] = suggested[item.id]
    return found


def _calculated(protocol: Protocol, item: Item, value: str) -> str:
    codelist = codelist_of(protocol, item)
    if codelist is not None:
        return codelist.labels.get(value, value)
    return f"{value} {unit_in_words(item.unit)}".strip()


def _line(protocol: Protocol, form: Form, item_id: str, old: Any, new: Any) -> Line:
    item = form.items_by_id.get(item_id)
    if item is None:
        return Line(item_id, item_id, _plain(old), _plain(new))
    codelist = codelist_of(protocol, item)
    texts = [cell_text(item, codelist, cell) for cell in (old, new)]
    if texts[0] == texts[1]:  # the limits of normal differ
        texts = [f"{text} ({_limits(cell)})" for text, cell in zip(texts, (old, new), strict=True)]
    return Line(item_id, item.label, texts[0], texts[1])


def _limits(cell: Mapping[str, Any] | None) -> str:
    low, high = (cell or {}).get("low", ""), (cell or {}).get("high", "")
    return f"normal {low or '…'} to {high or '…'}" if low or high else "no limits of normal"


def _plain(cell: Mapping[str, Any] | None) -> str:
    return str((cell or {}).get("value") or (cell or {}).get("missing") or "")


STATUS_WORDS: Final[Mapping[str, tuple[str, Mapping[Any, str]]]] = {
    "state": ("State", {"EMPTY": "not started", "IN_PROGRESS": "in progress", "COMPLETE": "complete"}),
    "not_done": ("Not done", {"": "no"}),
    "struck_out": ("Struck out", {False: "no", True: "yes"}),
}


def _status_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Line]:
    return [
        Line(
            "", label, str(words.get(old.get(key), old.get(key))), str(words.get(new.get(key), new.get(key)))
        )
        for key, (label, words) in STATUS_WORDS.items()
        if old.get(key) != new.get(key)
    ]
