"""What a form says, as one canonical text, and how two such texts differ. Pure.

References
----------
21 CFR 11.70 (signature/record linking); RFC 8785 (canonical JSON) as far as text, lists and objects go.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from casebook.rules.cells import cell_text
from casebook.rules.picture import codelist_of
from trials.schema import Form, Protocol

CONTENT_VERSION: Final = 1
NOT_SAID: Final = frozenset({"confirmed"})
"""Parts of a cell that are not its content: why a check was confirmed."""


@dataclass(frozen=True)
class Line:
    """One difference between what was signed and what stands now, in words."""

    item: str
    label: str
    before: str
    now: str


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
) -> dict[str, Any]:
    """All that a signature on a form covers: the form's version, every item with its unit, and the status.

    Parameters
    ----------
    protocol
        The version under which the form was entered.
    subject, visit, repeat
        Where the form belongs, so that a content cannot be moved.
    """
    return {
        "version": CONTENT_VERSION,
        "subject": subject,
        "visit": visit,
        "form": form,
        "repeat": repeat,
        "form_version": _form_version(protocol, protocol.form(form)),
        "items": said(values),
        "status": {"state": state, "not_done": not_done, "struck_out": struck_out},
    }


def _form_version(protocol: Protocol, form: Form) -> str:
    """Digest of what is asked: items in their order with words, units and choices; help and checks do not count."""
    asked = []
    for item in form.items:
        codelist = codelist_of(protocol, item)
        codes = [[code.code, code.label] for code in codelist.codes] if codelist else []
        asked.append([item.id, item.label, item.type, list(item.units) or item.unit, codes])
    return digest_of([form.code, form.name, asked])


def record_content(
    kind: str, key: str, protocol_version: str, forms: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """All that a signature on a form, a visit or a casebook covers: the manifest of its forms."""
    return {
        "version": CONTENT_VERSION,
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
    lines += _status_lines(before.get("status", {}), now.get("status", {}))
    if before.get("form_version") != now.get("form_version"):
        lines.append(Line("", "The form itself", "as signed", "changed by a new protocol version"))
    return tuple(lines)


def _line(protocol: Protocol, form: Form, item_id: str, old: Any, new: Any) -> Line:
    item = form.items_by_id.get(item_id)
    if item is None:
        return Line(item_id, item_id, _plain(old), _plain(new))
    codelist = codelist_of(protocol, item)
    texts = [cell_text(item, codelist, cell) for cell in (old, new)]
    if texts[0] == texts[1]:  # the limits of normal differ
        texts = [f"{text} ({_limits(cell)})" for text, cell in zip(texts, (old, new), strict=True)]
    return Line(item_id, item.label, *texts)


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
