"""Limits that the protocol counts from the start of the infusion, for the picture of the day. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from trials.schema import Protocol

FROM_START = re.compile(r"^minutes\(T0,\s*(A0|A1)\)\s*(>=|<=)\s*(\d+(?:\.\d+)?)$")


@dataclass(frozen=True)
class Limit:
    """A line in the picture: an ablation may not start before it, or not end after it."""

    rule: str
    of: Literal["start", "end"]
    minutes: Decimal


def limits_from_start(protocol: Protocol) -> tuple[Limit, ...]:
    """Limits of the ablation in minutes after the start of the infusion.

    Returns
    -------
    tuple of Limit
        Of rules that are one plain comparison, `minutes(T0, A0) >= 15`; other rules have findings but no line.
    """
    found = []
    for rule in protocol.timing:
        match = FROM_START.match(rule.rule.strip())
        if match and (match[1], match[2]) in {("A0", ">="), ("A1", "<=")}:
            found.append(Limit(rule.id, "start" if match[1] == "A0" else "end", Decimal(match[3])))
    return tuple(found)
