"""What a file that was sent is called: by its path until it is judged, by its number for ever after."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

_PATH_LENGTH: Final = 400
_ENDINGS: Final = frozenset(
    {
        ".7z", ".avi", ".bmp", ".csv", ".dcm", ".dll", ".doc", ".docx", ".exe", ".gz", ".htm", ".html", ".inf", ".ini",
        ".jpeg", ".jpg", ".js", ".json", ".mp4", ".nii", ".pdf", ".png", ".rar", ".rtf", ".tar", ".tif", ".txt", ".xls",
        ".xlsx", ".xml", ".zip",
    }
)  # fmt: skip
"""Endings that are told; any other may be a part of a name."""


def announced_path(path: str) -> str:
    """A path as the database takes it: without what no text may hold, and the end of one that is too long."""
    return path.replace("\0", "?").encode("utf-8", "replace").decode()[-_PATH_LENGTH:]


def name_without_names(number: int, path: str) -> str:
    """What a file is called once it is judged; folders and file names may hold the name of a patient.

    Parameters
    ----------
    number
        Its place in the list that was sent, or in its archive, from 1.
    """
    ending = PurePosixPath(path.rstrip(")")).suffix.lower()
    return f"file {number}" + (f" ({ending})" if ending in _ENDINGS else "")
