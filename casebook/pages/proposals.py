"""Values that stand beside a field for a person to confirm: never filled in, never stored by themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from casebook.models import Entry
from casebook.rules.cells import cell_text, same_content
from casebook.rules.picture import codelist_of
from casebook.selectors import WorkedForm
from casebook.services import Kept
from trials.schema import Item

DRAFT = "draft"
EARLIER = "earlier"
PARTS = ("value", "unit", "low", "high", "missing")


@dataclass(frozen=True)
class Proposal:
    """A value to confirm.

    Attributes
    ----------
    words
        The value, as people read it.
    said
        Where it is from.
    parts
        JSON of the parts that the browser puts into the field.
    source
        Entry of the earlier visit; 0 for a draft.
    """

    origin: str
    words: str
    said: str
    parts: str
    source: int = 0


def from_earlier(worked: WorkedForm, earlier: Entry | None) -> dict[str, Proposal]:
    """What the visit before holds, beside each field that is empty, applies, and may be carried over."""
    if earlier is None:
        return {}
    entry = worked.entry
    said = f"{earlier.visit}, {_day(earlier)}" if _day(earlier) else str(earlier.visit)
    found = {}
    for item in worked.form.items:
        cell = earlier.values.get(item.id) or {}
        if (
            item.carry
            and item.id in worked.picture.shown
            and not entry.values.get(item.id)
            and cell.get("value")
        ):
            parts = {name: cell[name] for name in PARTS if cell.get(name)}
            words = cell_text(item, codelist_of(worked.protocol, item), cell)
            found[item.id] = Proposal(EARLIER, words, said, json.dumps(parts), earlier.pk)
    return found


def from_draft(worked: WorkedForm, kept: Kept | None) -> dict[str, Proposal]:
    """What the person typed earlier and did not save, beside each field that does not hold it."""
    if kept is None:
        return {}
    said = f"You typed this on {_moment(kept.at, worked.entry)} and it was not saved"
    found = {}
    for name, typed in kept.items.items():
        item = worked.form.items_by_id.get(name)
        if item is None or item.type == "derived":
            continue
        parts = _as_cell(item, typed)
        if not same_content(parts, worked.entry.values.get(name)):
            words = cell_text(item, codelist_of(worked.protocol, item), parts)
            found[name] = Proposal(DRAFT, words or "nothing", said, json.dumps(parts))
    return found


def _as_cell(item: Item, typed: Mapping[str, str]) -> dict[str, object]:
    """Parts as a cell holds them: several chosen codes are a list."""
    parts: dict[str, object] = dict(typed)
    if item.type == "multichoice" and typed.get("value"):
        parts["value"] = typed["value"].split(",")
    return parts


def _day(entry: Entry) -> str:
    return f"{entry.visit.happened_on:%d %b %Y}" if entry.visit and entry.visit.happened_on else ""


def _moment(at: datetime, entry: Entry) -> str:
    return f"{at.astimezone(ZoneInfo(entry.subject.site.time_zone)):%d %b %Y, %H:%M}"
