"""The only place that reads the environment.

Every variable is named in `VARIABLES`, and the README has one row for each (a test compares them).
Values are strict: a boolean is `True`, `False` or an error; a misspelt value never becomes a default.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

VARIABLES: tuple[str, ...] = (
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "DEBUG",
    "DEMO_PASSWORD",
    "EMAIL_URL",
    "PUBLIC_URL",
    "HILUM_DATA",
    "HILUM_SUPERVISED",
    "HILUM_TEST_DB",
    "MIGRATION_DATABASE_URL",
    "ORIGINALS_KEPT_DAYS",
    "PART11_LETTER",
    "PART11_SIGNING",
    "PORT",
    "REDIS_URL",
    "SECRET_KEY",
    "STORAGE_URL",
    "TRAINING",
)


def text(name: str, default: str = "") -> str:
    """Value of a variable, without white space around it; `default` where unset or empty."""
    if name not in VARIABLES:
        raise ImproperlyConfigured(f"{name} is read but not listed in config/environment.py.")
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    """`True` or `False`, exactly; anything else is an error."""
    value = text(name)
    if not value:
        return default
    if value not in {"True", "False"}:
        raise ImproperlyConfigured(f"{name} must be True or False, not {value!r}.")
    return value == "True"


def number(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number between `low` and `high`, both included."""
    value = text(name, str(default))
    if not value.isdecimal() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def dated_document(name: str) -> tuple[str, date] | None:
    """A document with its day, as `FDA-2026-114, 2026-05-01`; None where unset."""
    value = text(name)
    if not value:
        return None
    document, _, day = value.rpartition(",")
    try:
        dated = date.fromisoformat(day.strip())
    except ValueError:
        dated = None
    if dated is None or not document.strip():
        raise ImproperlyConfigured(f"{name} must be a document and its day, as “FDA-2026-114, 2026-05-01”.")
    return document.strip(), dated


def data_folder() -> Path:
    """Absolute folder of the embedded servers' data (`HILUM_DATA`, by default `.data`)."""
    return Path(text("HILUM_DATA", str(BASE_DIR / ".data"))).expanduser().resolve()
