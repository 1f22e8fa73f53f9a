"""Protocol packs: folders of YAML, read and checked into one typed tree.

Needs no Django and no database.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from trials.packs.faults import Fault
from trials.packs.loading import load_pack
from trials.schema import Protocol

__all__ = ["Fault", "PackError", "amendments", "bundled", "bundled_protocol", "load_pack"]
HERE = Path(__file__).resolve().parent


class PackError(ValueError):
    """A pack with faults was asked for as if it were sound."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


def bundled() -> dict[str, Path]:
    """Return the folders of the packs that come with the software, by trial code (folder name in capitals)."""
    folders = sorted(path.parent for path in HERE.glob("*/protocol.yaml"))
    return {folder.name.upper(): folder for folder in folders}


def amendments(code: str) -> dict[str, Path]:
    """Return the folders of a bundled trial's later versions by their names, in order (`amendments/` of its pack)."""
    folders = sorted(path.parent for path in (bundled()[code] / "amendments").glob("*/protocol.yaml"))
    return {folder.name: folder for folder in folders}


@lru_cache(maxsize=16)
def bundled_protocol(code: str, amendment: str = "") -> Protocol:
    """Return the protocol of a bundled trial, or a later version of it, read once per process.

    Raises
    ------
    KeyError
        When no pack of that trial, or no such amendment, is bundled.
    PackError
        When the pack has faults.
    """
    protocol, faults = load_pack(amendments(code)[amendment] if amendment else bundled()[code])
    if protocol is None or faults:
        raise PackError(faults)
    return protocol
