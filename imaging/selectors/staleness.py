"""Signed reads that do not rest any more on what is there: computed whenever somebody looks, never stored."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from casebook.models import Entry
from imaging.models import Instance, Read, ReadState, Study, StudyState
from imaging.rules.staleness import Pinned, changes_since, list_changes, rested_on
from imaging.selectors.lesions import LESION_FORM, Lesion, as_listed, lesions_of_all
from imaging.selectors.sequence import earlier_changes, overtaken

LONGEST_WRITE = timedelta(hours=1)
type_pins = dict[str, Pinned]


@dataclass(frozen=True)
class Stale:
    """A signed read that must be looked at again.

    Attributes
    ----------
    changes
        What changed, in sentences that blind.
    readable
        Whether there are images to read; without, the data manager must act first.
    stands
        Whether all images on which it rests still stand; without, it counts as not read.
    """

    read: Read
    changes: tuple[str, ...]
    readable: bool
    stands: bool = True


def pins_of(visits: Collection[int]) -> dict[int, type_pins]:
    """The studies of visits as they stand now, by visit and the study's opaque identifier; two statements."""
    slices: dict[int, list[str]] = {}
    rows = (
        Instance.objects.filter(series__study__visit__in=list(visits))
        .order_by("uid")
        .values_list("series__study", "pixel_sha256")
    )
    for study_id, digest in rows:
        slices.setdefault(study_id, []).append(digest)
    found: dict[int, type_pins] = {}
    for study in Study.objects.filter(visit__in=list(visits)):
        own = slices.get(study.pk, [])
        found.setdefault(study.visit_id, {})[str(study.opaque)] = Pinned(
            verdict=study.state,
            by_person=bool(study.accepted_because),
            slices=len(own),
            digest=hashlib.sha256("".join(own).encode()).hexdigest(),
        )
    return found


def as_document(pins: type_pins) -> dict[str, Any]:
    """Pins as they are kept with a signed read."""
    return {name: asdict(pinned) for name, pinned in pins.items()}


def pins_in(read: Read) -> type_pins:
    """Pins as they were kept with a signed read."""
    return {name: Pinned(**pin) for name, pin in read.images.items()}


def stale_reads(reads: QuerySet[Read]) -> list[Stale]:
    """Signed reads, among those given and without a later version, of which something changed since.

    Only visits where a study came or was checked again after the signature are compared, those of which an earlier one
    was assigned or corrected after it, and subjects whose list of lesions was touched, so that a long history costs
    nothing.
    """
    later = Read.objects.filter(supersedes=OuterRef("pk"))
    touched = Study.objects.filter(visit=OuterRef("visit")).filter(
        Q(checked_at__gt=OuterRef("signed_at"))
        | Q(received_at__gt=OuterRef("signed_at"))
        | ~Q(state=StudyState.QC_PASS)
    )
    moved = Exists(touched) | overtaken()
    relisted = Exists(_lists_touched())
    signed = (
        reads.filter(~Exists(later), moved | relisted, state=ReadState.SIGNED)
        .annotate(relisted=relisted)
        .select_related("visit", "subject__version")
        .defer("subject__version__definition")
    )
    candidates = list(signed.order_by("due_on", "pk"))
    if not candidates:
        return []
    now, before = pins_of({read.visit_id for read in candidates}), earlier_changes(candidates)
    lists = lesions_of_all([read.subject for read in candidates if read.relisted])
    found = []
    for read in candidates:
        pins = now.get(read.visit_id, {})
        changes = changes_since(pins_in(read), pins)
        changes += before.get(read.pk, ())
        if read.relisted:
            changes += _list_changes(read, lists[read.subject_id])
        if changes:
            left = rested_on(pins)
            found.append(Stale(read, changes, bool(left), rested_on(pins_in(read)) <= left))
    return found


def _lists_touched() -> QuerySet[Entry]:
    """Rows of the site's list that were written about when a read was signed, or later: a write ends after it began."""
    since = ExpressionWrapper(OuterRef("signed_at") - LONGEST_WRITE, output_field=DateTimeField())
    return Entry.objects.filter(subject=OuterRef("subject"), form=LESION_FORM, updated_at__gt=since)


def _list_changes(read: Read, now: Iterable[Lesion]) -> tuple[str, ...]:
    """What changed in the site's list of lesions; a list of the reader's own changes by a correction only."""
    charter = read.subject.version.protocol.charter
    if read.lesions is None or charter is None or charter.lesions == "reader":
        return ()
    return list_changes(read.lesions["lesions"], as_listed(now), whole=read.lesions["whole"])


def changes_of(read: Read) -> tuple[str, ...]:
    """What changed in the images of one signed read, or in what it rests on."""
    return next((each.changes for each in stale_reads(Read.objects.filter(pk=read.pk))), ())
