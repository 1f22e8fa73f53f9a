"""The statement that everybody accepts before their first signature, by version; an accepted text never changes."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[int, str]] = {
    1: (
        "My electronic signature is the legally binding equivalent of my handwritten signature. I alone use my user"
        " name, password and second factor; I give them to nobody and report at once when somebody else may know them."
        " I am accountable for everything that is done and signed under my account."
    ),
}
"""21 CFR 11.10(j) and 11.100(c)(2)."""

CURRENT: Final = max(STATEMENTS)
