"""What the room tells those who listen."""

from __future__ import annotations

from django.dispatch import Signal

images_changed = Signal()
"""The images of a visit that readers see are others than before: more came, or some were taken out.

Sent inside the transaction, with `study`, `actor` and `reason` (a sentence).
"""
