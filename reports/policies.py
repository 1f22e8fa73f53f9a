"""What one needs for which export. Pure."""

from __future__ import annotations

from typing import Final

DELIVERING: Final = ("export.run", "image.view", "read.oversee")
"""Images and reads: who may take data away, see the images, and know what was read; a sponsor may not, meanwhile."""


def needed_for(file_format: str) -> tuple[str, ...]:
    """Permissions that somebody needs for an export, all of them."""
    return DELIVERING if file_format == "dicom" else ("export.run",)
