"""Originals that outlived their use: their fate was written, but the storage did not answer when they were to go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.core.files.storage import default_storage

from foundation import clock
from imaging.models import BatchFile, InboxItem

INCOMING = "incoming"
OLD = timedelta(days=1)
"""Younger files may belong to a transaction that has not ended."""


def destroy_leftovers() -> int:
    """Destroy every received file that no row names any more; returns how many.

    An original carries the patient's name, so it must not stay where nobody would look for it.

    Raises
    ------
    OSError
        The storage does not answer; the next run goes on.
    """
    limit = clock.now() - OLD
    named = {
        key
        for table in (BatchFile, InboxItem)
        for key in table._default_manager.exclude(stored_key="").values_list("stored_key", flat=True)
    }
    gone = 0
    for key in _keys(INCOMING):
        if key not in named and default_storage.get_modified_time(key) < limit:
            default_storage.delete(key)
            gone += 1
    return gone


def _keys(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _keys(f"{folder}/{name}")
