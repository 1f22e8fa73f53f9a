"""Hands of readers and adjudicators, for the tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from accounts.models import User
from audit.context import Actor
from imaging.masking import SLICE, masked
from imaging.models import Instance, Read
from imaging.selectors.judging import lesions_to_judge
from imaging.services import (
    open_read,
    record_findings,
    record_measurement,
    record_outcome,
    record_size,
    sign_read,
)
from tests.conftest import PASSWORD
from tests.imaging.conftest import Desk


@contextmanager
def charter_of(desk: Desk, **changes: Any) -> Iterator[None]:
    """The charter of the subject's protocol with something else in it, for a while."""
    charter = desk.subject.version.protocol.charter
    assert charter is not None
    before = {name: getattr(charter, name) for name in changes}
    for name, value in changes.items():
        object.__setattr__(charter, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(charter, name, value)


def send(desk: Desk, *visits: str) -> None:
    """Send a phantom for each visit."""
    for visit in visits:
        desk.send(desk.slices(visit), visit)


def read_of(desk: Desk, visit: str, number: int = 1) -> Read:
    """The newest version of one reader's read."""
    return (
        Read.objects.select_related("visit", "subject__version", "subject__trial", "reader")
        .filter(visit=desk.visits[visit], number=number, repeat_of=None)
        .latest("version")
    )


def actor_of(user: User) -> Actor:
    """A person as services want them."""
    return Actor(id=user.pk, name=user.full_name, role="reader")


def fill(read: Read, outcome: str = "COMPLETE", **said: str) -> Read:
    """Answer everything that is asked about a read of ablated lesions."""
    actor = actor_of(read.reader)
    open_read(actor=actor, read=read)
    for each in lesions_to_judge(read):
        if each.options:
            record_outcome(actor=actor, read=read, lesion=each.lesion.name, outcome=outcome)
    return record_findings(actor=actor, read=read, **{"image_quality": "OPTIMAL", "new_lesion": "N", **said})


def sign(read: Read) -> Read:
    """Sign a read as its reader."""
    return sign_read(actor=actor_of(read.reader), user=read.reader, read=read, password=PASSWORD)


def mark(read: Read, lesion: str, length: float) -> None:
    """A length on a slice of a read."""
    instance = Instance.objects.filter(series__study__visit=read.visit).order_by("depth")[2]
    z = float(instance.depth)
    sent = {
        "lesion": lesion,
        "tool": "Length",
        "sop": str(masked(read.opaque, SLICE, instance.pk)),
        "length_mm": length,
        "points": [[-70.0, -20.0, z], [-70.0 + length, -20.0, z]],
    }
    record_measurement(actor=actor_of(read.reader), read=read, mark=uuid.uuid4(), sent=sent)


def two_diameters(read: Read, lesion: str, long: float, short: float) -> None:
    """A long and a short diameter at right angles on a slice of a read."""
    instance = Instance.objects.filter(series__study__visit=read.visit).order_by("depth")[2]
    z, x, y = float(instance.depth), -70.0, -20.0
    middle = x + long / 2
    sent = {
        "lesion": lesion,
        "tool": "Bidirectional",
        "sop": str(masked(read.opaque, SLICE, instance.pk)),
        "length_mm": long,
        "points": [[x, y, z], [x + long, y, z], [middle, y - short / 2, z], [middle, y + short / 2, z]],
    }
    record_measurement(actor=actor_of(read.reader), read=read, mark=uuid.uuid4(), sent=sent)


def size(read: Read, lesion: str, status: str) -> None:
    """How a lesion is there that is not measured."""
    record_size(actor=actor_of(read.reader), read=read, lesion=lesion, status=status)
