"""The panel beside a form that tells everything of one item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.selectors import item_history
from casebook.limits import why_no_limits
from casebook.models import Entry, Query, QueryMessage, Verification
from casebook.pages.addresses import form_url
from casebook.pages.earlier import EarlierValues, earlier_values
from casebook.rules.cells import MISSING_REASONS, cell_text
from casebook.rules.limits import LIMITS, provenance, shown_limit, typed_by_hand
from casebook.rules.picture import codelist_of
from casebook.services.verification import content_digest
from logic.units import unit_in_words
from trials.schema import Codelist, Item


@dataclass(frozen=True)
class Version:
    """One value that the item has had."""

    at: datetime
    by: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True)
class Thread:
    """A query with its messages."""

    query: Query
    messages: tuple[QueryMessage, ...]


@dataclass(frozen=True)
class ItemPanel:
    """Everything of one item."""

    entry: Entry
    item: Item
    form_code: str
    url: str
    zone: str
    source: str
    limits: str
    earlier: EarlierValues | None
    history: tuple[Version, ...]
    threads: tuple[Thread, ...]
    missing_reasons: dict[str, str]
    verified_by: str
    verified_at: datetime | None
    changed_since_verified: bool


def item_panel(entry: Entry, item_id: str) -> ItemPanel:
    """Make the panel: five statements, and two more to say why a laboratory value has no limits."""
    protocol = entry.protocol
    item = protocol.form(entry.form).item(item_id)
    verification = _verification(entry, item_id)
    return ItemPanel(
        entry=entry,
        item=item,
        form_code=entry.form,
        url=form_url(entry.subject, entry.visit, entry.form, entry.repeat),
        zone=entry.subject.site.time_zone,
        source=protocol.source_title(item.source) if item.source else "",
        limits=_limits(entry, item),
        earlier=earlier_values(entry, item),
        history=_history(entry, item),
        threads=_threads(entry, item_id),
        missing_reasons=MISSING_REASONS,
        verified_by=verification.by.full_name if verification else "",
        verified_at=verification.at if verification else None,
        changed_since_verified=verification is not None
        and verification.digest != content_digest(entry, verification.item),
    )


def _limits(entry: Entry, item: Item) -> str:
    """Where the reference limits of a laboratory value come from, or why there are none."""
    cell = entry.values.get(item.id)
    if item.type != "lab" or not cell or cell.get("value") in (None, ""):
        return ""
    kept = cell.get("range")
    if kept:
        span = " to ".join(filter(None, (kept["low"], kept["high"])))
        return f"Limits of {provenance(cell)}: {span} {unit_in_words(kept['unit'])}."
    if typed_by_hand(cell):
        return "Limits typed from the report."
    return f"No limits of normal. {why_no_limits(entry, item)}"


def _verification(entry: Entry, item_id: str) -> Verification | None:
    """The newest verification of the item, or of the whole form."""
    if not entry.opened:
        return None
    found = Verification.objects.filter(entry=entry, item__in=["", item_id]).select_related("by")
    return found.order_by("-at").first()


def _history(entry: Entry, item: Item) -> tuple[Version, ...]:
    if not entry.opened:
        return ()
    codelist = codelist_of(entry.protocol, item)
    return tuple(
        Version(
            at=version.at,
            by=version.actor,
            old=_words(item, codelist, version.old),
            new=_words(item, codelist, version.new) or "emptied",
            reason=version.reason,
        )
        for version in reversed(item_history("casebook_entry", entry.pk, "values", item.id))
    )


def _words(item: Item, codelist: Codelist | None, cell: Mapping[str, Any] | None) -> str:
    """A cell in words, with the reference limits that it had."""
    said = cell_text(item, codelist, cell)
    low, high = (shown_limit((cell or {}).get(name)) for name in LIMITS)
    return f"{said} (limits {low or '–'} to {high or '–'})" if said and (low or high) else said


def _threads(entry: Entry, item_id: str) -> tuple[Thread, ...]:
    if not entry.opened:
        return ()
    queries = list(Query.objects.filter(entry=entry, item=item_id).order_by("-raised_at"))
    messages: dict[int, list[QueryMessage]] = {}
    for message in QueryMessage.objects.filter(query__in=queries):
        messages.setdefault(message.query_id, []).append(message)
    return tuple(Thread(query, tuple(messages.get(query.pk, ()))) for query in queries)
