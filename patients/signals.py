"""The one signal of the patients room: screening began. Visits and casebook set up what a subject needs."""

from __future__ import annotations

from django.dispatch import Signal

subject_screened = Signal()
"""Sent inside the transaction with `subject` and `actor`."""
