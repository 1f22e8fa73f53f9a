"""Signals of the casebook: an entry was saved, a place was locked. Upper rooms may listen."""

from __future__ import annotations

from django.dispatch import Signal

entry_saved = Signal()
"""Sent inside the saving transaction with `entry`, `items` (ids that changed) and `actor`.

Where the writer knows it, with `beside` (a `Put`): which of the subject's other forms are signed, or complete.
"""

place_locked = Signal()
"""Sent inside the transaction of the lock with `lock` (a `PlaceLock`) and `actor`."""
