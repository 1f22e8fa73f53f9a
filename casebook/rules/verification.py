"""What is to be compared with the source: the plan of the protocol, and the sample that it draws. Pure.

The sample is drawn by a keyed digest (HMAC-SHA-256, FIPS 198-1) of the place of the item. The same seed gives the same
sample for ever, whoever asks and however often; without the seed nobody can tell what will be in it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from casebook.rules.picture import ProtocolKey
from trials.schema import Form, Protocol, SampleOf, VerificationPlan
from trials.schema.verification import Extent

Check = Literal["due", "changed", "verified", ""]
SCALE = 1 << 64


@dataclass(frozen=True)
class Place:
    """Where an item stands.

    Attributes
    ----------
    rank
        Which subject of its site it is, the first being 1.
    """

    subject: str
    rank: int
    visit: str
    form: str
    repeat: int


def is_planned(protocol: Protocol, place: Place, item: str, seed: str) -> bool:
    """Whether the plan wants an item compared with its source; nothing derived ever is.

    Parameters
    ----------
    seed
        The trial's seed; nobody at a site knows it.
    """
    plan = protocol.verification
    if plan is None:
        return False
    extent, sample = _rule_of(ProtocolKey(protocol), place.form, item)
    if extent == "none":
        return False
    if extent == "all" or place.rank <= plan.first_subjects:
        return True
    if sample is None or not seed:
        return False
    return _drawn(place, item, sample, seed)


def _drawn(place: Place, item: str, sample: SampleOf, seed: str) -> bool:
    parts = [place.subject, place.visit, place.form, str(place.repeat), item]
    words = "\x1f".join(parts if sample.per == "item" else parts[:1])
    digest = hmac.new(seed.encode(), words.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8]) * 100 < sample.percent * SCALE


@lru_cache(maxsize=4096)
def _rule_of(key: ProtocolKey, form: str, item: str) -> tuple[Extent, SampleOf | None]:
    plan: VerificationPlan | None = key.protocol.verification
    assert plan is not None
    name = f"{form}.{item}"
    own = next((rule for rule in plan.rules if name in rule.items), None)
    found = own or next((rule for rule in plan.rules if form in rule.forms), None)
    return (found.extent, found.sample) if found else (plan.otherwise, plan.sample)


def sourced_items(form: Form, values: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Items of a form that hold something a person entered: a value, or the reason why there is none."""
    return tuple(
        item.id
        for item in form.items
        if item.type != "derived"
        and (cell := values.get(item.id))
        and (cell.get("value") or cell.get("missing"))
    )


def entered(cell: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a person entered in a cell: limits of a laboratory's range and confirmations have no source document."""
    kept = cell or {}
    aside = {"confirmed", "range", "low", "high"} if kept.get("range") else {"confirmed"}
    return {key: value for key, value in kept.items() if key not in aside}


def digest_of(values: Mapping[str, Mapping[str, Any]], item: str = "") -> str:
    """SHA-256 of what is compared: what was entered in one item, or in all items of a form."""
    content = entered(values.get(item)) if item else {key: entered(cell) for key, cell in values.items()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def standing(
    planned: bool, values: Mapping[str, Mapping[str, Any]], item: str, verified: Mapping[str, str]
) -> Check:
    """How an item stands: to be verified, verified, changed since; nothing where the plan does not ask.

    Parameters
    ----------
    verified
        Digest of the newest verification of each item, and of the form under the empty name.
    """
    if item in verified:
        return "verified" if verified[item] == digest_of(values, item) else "changed"
    if verified.get("") == digest_of(values):
        return "verified"
    return "due" if planned else ""
