"""Whether a signed read still rests on the images that are there. Pure.

A read pins the studies of its visit as they were when it was signed: verdict of the quality check, number of slices,
digest over their pixels. Images that come late, and a verdict that changes, make it stale; the reader then looks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ACCEPTED = "QC_PASS"


@dataclass(frozen=True)
class Pinned:
    """One study as it stood at a moment.

    Attributes
    ----------
    verdict
        State of the quality check.
    by_person
        Whether a person accepted it in spite of what the check found.
    slices
        Number of its slices.
    digest
        SHA-256 over the digests of its slices' pixels.
    """

    verdict: str
    by_person: bool
    slices: int
    digest: str

    @property
    def readable(self) -> bool:
        """Whether readers get it."""
        return self.verdict == ACCEPTED


def changes_since(signed: Mapping[str, Pinned], now: Mapping[str, Pinned]) -> tuple[str, ...]:
    """What has changed in the images since a read was signed, as sentences that tell nothing of site or subject.

    Parameters
    ----------
    signed, now
        Studies of the visit by identifier. A read without any pinned study was signed before pins were kept, and
        never goes stale.

    Returns
    -------
    tuple of str
        Empty while the read stands on what is there.

    References
    ----------
    FDA, Clinical Trial Imaging Endpoint Process Standards (2018), section on image archival and on changes to reads.
    """
    if not signed:
        return ()
    found: list[str] = []
    for name in sorted({*signed, *now}):
        found += _changes(signed.get(name), now.get(name))
    return tuple(dict.fromkeys(found))


def _changes(before: Pinned | None, after: Pinned | None) -> list[str]:
    readable = after is not None and after.readable
    if before is None or not before.readable:
        return [f"{_slices(after.slices)} of another examination came in."] if after and readable else []
    if after is None or not readable:
        return ["The quality check withdrew images on which this read rests."]
    said = []
    if after.slices > before.slices:
        said.append(f"{_slices(after.slices - before.slices)} came in.")
    elif after.digest != before.digest:
        said.append("Images were replaced.")
    if after.by_person != before.by_person:
        said.append("The verdict of the quality check changed.")
    return said


def _slices(count: int) -> str:
    return f"{count} {'slice' if count == 1 else 'slices'}"
