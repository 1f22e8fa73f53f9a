"""Whether a signed read still rests on the images, and on the earlier reads, that are there. Pure.

A read pins the studies of its visit as they were when it was signed: verdict of the quality check, number of slices,
digest over their pixels. Images that come late, and a verdict that changes, make it stale; the reader then looks again.
So does an earlier time point that comes later, or whose read is corrected in what this one takes over from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

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


def rested_on(signed: Mapping[str, Pinned]) -> frozenset[str]:
    """Studies that a read rests on: those that its reader saw."""
    return frozenset(name for name, pinned in signed.items() if pinned.readable)


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


type_list = Mapping[str, Sequence[str]]
"""Lesions by name: role, organ and place of each."""
LISTED = ("role", "organ", "place")


def list_changes(then: type_list, now: type_list, *, whole: bool) -> tuple[str, ...]:
    """What has changed in the list of lesions since a read was signed, as sentences that blind.

    Parameters
    ----------
    then
        Lesions on which the read rests, as they were listed.
    now
        The list as it stands.
    whole
        Whether the reader judged the list as a whole, so that a lesion that came onto it lacks an answer. Without, only
        lesions of which something was said are in `then`.
    """
    found = [f"{name} went from the list of lesions." for name in sorted({*then} - {*now})]
    found += [f"{name} came onto the list of lesions." for name in sorted({*now} - {*then}) if whole]
    for name in sorted({*then} & {*now}):
        found += [
            f"The {what} of {name} changed."
            for what, before, after in zip(LISTED, then[name], now[name], strict=True)
            if before != after
        ]
    return tuple(found)


type_sizes = Sequence[tuple[Decimal, Decimal | None]]
"""Long and short diameter of each mark, mm."""


@dataclass(frozen=True)
class TakenOver:
    """What later time points take over from a read: their baseline and smallest sum, and what became of each lesion.

    Attributes
    ----------
    evaluable
        Whether its images could be read.
    lesions
        The list of lesions, where the reader made it: role, organ and place by name.
    outcomes, statuses, sizes
        What became of each lesion, how it is there where it was not measured, and its diameters in mm.
    """

    evaluable: bool = True
    outcomes: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, type_sizes] = field(default_factory=dict)
    non_target: str = ""
    new_lesion: str = ""
    lesions: Mapping[str, str] = field(default_factory=dict)


def correction_in_words(time_point: int, then: TakenOver, now: TakenOver) -> str:
    """What a correction of an earlier time point changed for a later one; empty where nothing that it takes over."""
    found = [] if then.evaluable == now.evaluable else ["whether its images can be read"]
    for words, before, after in (
        ("list entry", then.lesions, now.lesions),
        ("outcome", then.outcomes, now.outcomes),
        ("size", {**then.statuses, **then.sizes}, {**now.statuses, **now.sizes}),
    ):
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        found += [f"{words} of {name}" for name in changed]
    found += [] if then.non_target == now.non_target else ["non-target lesions"]
    found += [] if then.new_lesion == now.new_lesion else ["new lesion"]
    return f"Time point {time_point} was corrected: {', '.join(found)}." if found else ""


def arrival_in_words(then: int, now: int) -> str:
    """That an earlier time point came after a read was signed, and what that does to the number of its own."""
    return f"An earlier time point came in. What you signed as time point {then} is time point {now} now."
