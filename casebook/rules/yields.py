"""What a check is worth: how often it fired, and what became of it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["changed", "confirmed", "unchanged", "waiting"]
ENOUGH = 10
"""Firings below which nothing is said about a check: a few prove nothing. A house rule, shown on the page."""
USELESS = 5
"""Per cent of firings that led to a change, up to which a check is proposed for retirement. A house rule."""


def watched_digest(values: Mapping[str, Mapping[str, Any]], items: Iterable[str]) -> str:
    """SHA-256 of what people typed into these items: value, unit, missing reason."""
    content = {
        item: [(values.get(item) or {}).get(part) for part in ("value", "unit", "missing")]
        for item in sorted(items)
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def outcome(*, changed: bool, confirmed: bool, settled_query: bool) -> Outcome:
    """What became of a firing.

    Parameters
    ----------
    changed
        Whether what the check looked at says something else now.
    confirmed
        Whether a person kept the value and said why.
    settled_query
        Whether its query was answered or closed.
    """
    if changed:
        return "changed"
    if confirmed:
        return "confirmed"
    return "unchanged" if settled_query else "waiting"


@dataclass(frozen=True)
class Yield:
    """Counts of one check."""

    check_id: str
    form: str
    item: str
    message: str
    kind: str
    fired: int = 0
    changed: int = 0
    confirmed: int = 0
    unchanged: int = 0
    waiting: int = 0

    @property
    def percent(self) -> int | None:
        """Firings that led to a change, of those of which it is known; None before any."""
        known = self.fired - self.waiting
        return None if not known else (200 * self.changed + known) // (2 * known)

    @property
    def useless(self) -> bool:
        """Whether it asks a lot and changes next to nothing."""
        return (
            self.kind == "soft"
            and self.fired - self.waiting >= ENOUGH
            and self.percent is not None
            and self.percent <= USELESS
        )
