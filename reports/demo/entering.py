"""Entering a form as a coordinator would: what is known, then something plausible for what is left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from audit.context import Actor
from casebook import services
from casebook.models import Entry
from casebook.rules.cells import WITH_UNIT, Typed
from casebook.rules.picture import codelist_of
from casebook.selectors import entries, worked_form
from patients.models import Subject
from trials.schema import Item, Protocol
from visits.models import Visit

Values = Mapping[str, Any]

USUAL = {
    "TULNKID": "T01",
    "TRLNKID": "T01",
    "HGB": "12.6 g/dL 11.5 16.0", "WBC": "6.4 10^9/L 3.5 10.0", "NEUT": "3.4 10^9/L 1.5 7.3",
    "LYM": "1.8 10^9/L 1.1 3.3", "PLAT": "212 10^9/L 145 390",
    "BILI": "12 umol/L 5 25", "AST": "34 U/L 15 45", "ALT": "38 U/L 10 70",
    "ALP": "96 U/L 35 105", "ALB": "41 g/L 36 48", "INR": "1.0 1 0.9 1.2", "CREAT": "76 umol/L 60 105",
    "K": "4.2 mmol/L 3.5 5.0", "SODIUM": "140 mmol/L 137 145", "CEA": "14 ug/L 0 5",
    "HEIGHT": "172 cm", "WEIGHT": "74 kg", "SYSBP": "128", "DIABP": "78", "PULSE": "70", "TEMP": "36.8", "LVEF": "62",
    "ECOG": "0", "LIVMETN": "3", "LIVMAX": "34 mm", "LDIAM": "24 mm", "SLICE": "2.5", "PRIMSITE": "COLON",
    "ICFVER": "3.0", "ICFAPPR": "Y", "ICFCOPY": "Y", "PROCSURV": "Y", "COOP": "Y", "CONTRAST": "Y", "TECHSUCC": "Y",
    "CRC": "Y", "LIVMET": "Y", "UNRES": "Y", "MWACAND": "Y", "LIFEEXP3M": "Y", "SURVSTAT": "ALIVE", "PREGSER": "NEG",
}  # fmt: skip
"""Values that a healthy enough patient would have, by item; the form's own units."""


def enter_form(
    actor: Actor,
    subject: Subject,
    visit: Visit | None,
    form: str,
    on: date,
    known: Values,
    *,
    repeat: int = 1,
    complete: bool = True,
    leave: frozenset[str] = frozenset(),
) -> Entry:
    """Enter one form and mark it complete.

    Parameters
    ----------
    known
        Values by item, as typed: `12.4 g/dL 11.5 16` for a laboratory result, `ND` for a missing reason with `!`.
    leave
        Items that stay blank, for forms that are not complete.
    """
    entry = services.open_entry(actor=actor, subject=subject, visit=visit, form=form, repeat=repeat)
    definition = subject.version.protocol.form(form)
    for item_id, value in known.items():
        entry = _save(actor, entry, definition.item(item_id), str(value))
    entry = _fill(actor, entry, on, leave)
    if complete:
        services.complete_entry(actor=actor, entry=entry)
    return entry


def _fill(actor: Actor, entry: Entry, on: date, leave: frozenset[str]) -> Entry:
    """Answer what is still asked; an answer may bring new questions."""
    for _ in range(60):
        worked = worked_form(entry)
        asked = [item for item in worked.picture.unanswered if item not in leave]
        if not asked:
            return entry
        item = worked.form.item(asked[0])
        entry = _save(actor, entry, item, plausible(worked.protocol, item, on))
    raise RuntimeError(f"{entry.form} keeps asking")


def _save(actor: Actor, entry: Entry, item: Item, text: str) -> Entry:
    services.save_item(actor=actor, entry=entry, item_id=item.id, typed=typed(item, text))
    return entries().get(pk=entry.pk)


def typed(item: Item, text: str) -> Typed:
    """What was typed, from one line of words."""
    if text.startswith("!"):
        return Typed(missing=text[1:])
    if item.type not in WITH_UNIT:
        return Typed(value=text)
    value, unit, low, high = [*text.split(), "", "", ""][:4]
    return (
        Typed(value, unit or item.units[0], low, high)
        if item.type == "lab"
        else Typed(value, unit or item.units[0])
    )


def plausible(protocol: Protocol, item: Item, on: date) -> str:
    """A value that fits the item."""
    if item.id in USUAL:
        return USUAL[item.id]
    if item.type in {"date", "partial_date"}:
        return on.isoformat()
    if item.type == "time":
        return "09:00"
    if item.type == "yesno":
        return "N"
    codelist = codelist_of(protocol, item)
    if codelist is not None:
        return next(code.code for code in codelist.codes if code.code not in codelist.unknown)
    if item.type in {"integer", "number", "quantity", "lab"}:
        return str(item.possible.min if item.possible and item.possible.min else 1)
    return "As in source"
