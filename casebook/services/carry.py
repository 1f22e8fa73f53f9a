"""A value of an earlier visit that a person looked at and confirmed for this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.context import Actor
from casebook.errors import EarlierValueError
from casebook.models import Entry
from casebook.rules.cells import Typed, same_content
from casebook.selectors import earlier_entry
from casebook.services.entries import SaveResult, read_typed, save_item


def save_carried(
    *,
    actor: Actor,
    entry: Entry,
    item_id: str,
    typed: Typed,
    source_id: int,
    expected: Mapping[str, Any] | None = None,
) -> SaveResult:
    """Save what an earlier visit holds, because the person confirmed it. The trail names that visit.

    Raises
    ------
    EarlierValueError
        The pack does not let this item be carried over, or the earlier visit no longer holds that value.
    """
    item = entry.protocol.form(entry.form).items_by_id.get(item_id)
    source = earlier_entry(entry)
    if item is None or not item.carry or source is None or source.pk != source_id:
        raise EarlierValueError(field=item_id)
    if not same_content(read_typed(entry, item, typed), source.values.get(item_id)):
        raise EarlierValueError(field=item_id)
    return save_item(
        actor=actor,
        entry=entry,
        item_id=item_id,
        typed=typed,
        expected=expected,
        reason=f"Confirmed from {source.visit}",
    )
