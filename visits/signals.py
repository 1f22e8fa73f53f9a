"""The one signal of the visits room: the day of a visit was recorded, changed or taken back."""

from __future__ import annotations

from django.dispatch import Signal

visit_dated = Signal()
"""Sent inside the transaction with `visit` (as it is now), `actor` and `reason`."""
