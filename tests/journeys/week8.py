"""What a coordinator types for the visit of week 8: 34 values in four forms."""

from __future__ import annotations

VISIT = [
    ("VS", ["168", "71.5", "128", "81", "72", "36.8", "1", ""]),
    ("RS", ["1", ""]),
    ("LB", [
        "y", "0840", "Central", "12.4", "6.1", "3.9", "1.4", "188", "14", "31", "28", "96", "41", "190", "41", "1.0",
        "74", "140", "4.1", "5", "3.2", "", "2",
    ]),
    ("SS", ["t", "1", "1", "t"]),
]  # fmt: skip
"""By form, what is typed into one field after the other; an empty text passes a field over."""
CHARACTERS = sum(len(text) for _, typed in VISIT for text in typed)
FIELDS = sum(len(typed) for _, typed in VISIT)
BETWEEN = 12
"""Keys to get into the forms and from one to the next."""
MOST_KEYS = CHARACTERS + FIELDS + BETWEEN
