"""Where received files lie."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def file_storage(url: str, default: Path) -> Path:
    """The folder that `STORAGE_URL` names, or `default` where it names none.

    Raises
    ------
    ImproperlyConfigured
        The address is not of the form `file:///folder`.
    """
    if not url:
        return default
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise ImproperlyConfigured(f"STORAGE_URL must be of the form file:///folder, not {url!r}.")
    return Path(unquote(parts.path))
