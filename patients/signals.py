"""Signals of the patients room: screening began, a subject moved to another protocol version.

Visits and casebook set up what a subject needs then.
"""

from __future__ import annotations

from django.dispatch import Signal

subject_screened = Signal()
"""Sent inside the transaction with `subject` and `actor`."""

subject_moved = Signal()
"""Sent inside the transaction with `subject` (on its new version), `previous` (the version before), `actor`."""
