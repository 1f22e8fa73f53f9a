"""Which signed reads are shown again to the same reader, hidden under another name. Pure."""

from __future__ import annotations

from decimal import Decimal

DRAWN_BELOW = 2**62
"""Numbers that are drawn at assignment are below this one."""


def chosen_for_repeat(draw: int, share_pct: Decimal) -> bool:
    """Whether a read is among the share that is read again.

    Parameters
    ----------
    draw
        The number drawn for it at assignment, evenly below `DRAWN_BELOW`: who draws cannot choose later.
    share_pct
        Share of reads, per cent, as the charter says.

    References
    ----------
    FDA, Clinical Trial Imaging Endpoint Process Standards (2018): monitoring of reader performance.
    """
    return Decimal(draw) * 100 < share_pct * DRAWN_BELOW
