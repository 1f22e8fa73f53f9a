"""Two readers who differ: once decided by the adjudicator, once waiting; under a charter for training.

The charters of both trials ask for one reader. The demonstration publishes a version of ThermoDox that asks for two,
approved at one site, and moves one subject to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from accounts.models import User
from audit.context import Actor
from foundation import clock
from imaging.dicom.phantom import LESIONS
from imaging.masking import SLICE, masked
from imaging.models import Adjudication, Instance, Read
from imaging.selectors.adjudications import sides
from imaging.selectors.judging import lesions_to_judge
from imaging.services import (
    hold_adjudication,
    open_read,
    record_findings,
    record_measurement,
    record_outcome,
    sign_adjudication,
    sign_read,
)
from patients.models import Subject
from patients.services import move_subject
from reports.demo.signing import new_password
from trials.models import Site
from trials.packs import bundled
from trials.services import approve_version, publish_protocol

TRIAL, SITE, PATIENT = "THERMODOX", "SE-02", "KAR-118"
LABEL, NOTE = "1 with two readers", "For training only: the charter asks for two readers and an adjudicator."
EFFECTIVE_BEFORE, APPROVED_BEFORE, CONSENTED_BEFORE = 400, 300, 130
FIRST_VISIT, SECOND_VISIT = "BL", "M1"
TOO_DARK = "The venous phase is missing at the dome."
DECIDED = "The venous series is complete in the images; both lobes can be judged."
MEASURED = {1: (0.0, 24.0), 2: (5.0, 29.0)}
"""How far from the middle of the first lesion each reader measured it, and how long it is, mm."""


def ask_two_readers(actor: Actor, people: Mapping[str, User], site: Site, subject: Subject) -> Subject:
    """Publish the charter for training, have it approved at the subject's site, and move the subject to it."""
    today = clock.today(site.time_zone)
    with tempfile.TemporaryDirectory() as folder:
        version = publish_protocol(
            actor=actor,
            pack=_pack(Path(folder)),
            effective=today - timedelta(days=EFFECTIVE_BEFORE),
            reason="Training in adjudication",
        )
    approve_version(
        actor=_as(people["sponsor"], "sponsor"),
        site=site,
        version=version,
        approved_on=today - timedelta(days=APPROVED_BEFORE),
        document="Swedish Ethical Review Authority, decision 2024-00871",
    )
    return move_subject(
        actor=_as(people["coordinator2"], "coordinator"),
        subject=subject,
        version=version,
        reconsented_on=today - timedelta(days=CONSENTED_BEFORE),
        reason="Read by two readers",
    )


def _pack(folder: Path) -> Path:
    """ThermoDox with another number of readers, and nothing else."""
    base = bundled()[TRIAL]
    charter = (base / "imaging.yaml").read_text(encoding="utf-8").replace("readers: 1", "readers: 2")
    (folder / "imaging.yaml").write_text(charter, encoding="utf-8")
    (folder / "protocol.yaml").write_text(
        f"extends: {base}\nversion:\n  label: {LABEL}\n  effective_from: 2011-11-01\n  note: '{NOTE}'\n",
        encoding="utf-8",
    )
    return folder


def adjudicate(people: Mapping[str, User]) -> Iterator[str]:
    """Read two time points twice, decide between the readers of the first, and leave the second to be decided."""
    subject = Subject.objects.get(patient__code=PATIENT, trial__code=TRIAL)
    for read in _reads(subject, FIRST_VISIT):
        said = {"image_quality": "INADEQUATE", "quality_reason": TOO_DARK} if read.number == 2 else {}
        _sign(read, {"image_quality": "OPTIMAL", **said})
    _decide(people["adjudicator"], Adjudication.objects.get(subject=subject))
    yield f"{subject.number}: {FIRST_VISIT} read twice and adjudicated"
    for read in _reads(subject, SECOND_VISIT):
        _judge(read, "COMPLETE" if read.number == 1 else "RESIDUAL")
        _sign(read, {"image_quality": "OPTIMAL", "new_lesion": "N"})
    yield f"{subject.number}: {SECOND_VISIT} read twice, waits for the adjudicator"


def _reads(subject: Subject, visit: str) -> list[Read]:
    found = Read.objects.filter(subject=subject, visit__code=visit).order_by("number")
    return list(found.select_related("reader", "visit", "subject__version", "subject__trial"))


def _judge(read: Read, outcome: str) -> None:
    """An outcome of each lesion, and a length at the first one."""
    actor = _as(read.reader, "radiologist")
    open_read(actor=actor, read=read)
    lesions = [each.lesion.name for each in lesions_to_judge(read) if each.options]
    for lesion in lesions:
        record_outcome(actor=actor, read=read, lesion=lesion, outcome=outcome)
    slices = Instance.objects.filter(series__study__visit=read.visit).order_by("depth")
    middle = slices[slices.count() // 2]
    away, length = MEASURED[read.number]
    (x, y, _), z = LESIONS[0].centre, float(middle.depth)
    left, right = x - length / 2, x + length / 2
    sent = {
        "lesion": lesions[0],
        "tool": "Length",
        "sop": str(masked(read.opaque, SLICE, middle.pk)),
        "length_mm": length,
        "points": [[left, y + away, z], [right, y + away, z]],
    }
    record_measurement(actor=actor, read=read, mark=uuid4(), sent=sent)


def _sign(read: Read, said: Mapping[str, str]) -> None:
    actor = _as(read.reader, "radiologist")
    open_read(actor=actor, read=read)
    record_findings(actor=actor, read=read, **said)
    sign_read(
        actor=actor,
        user=read.reader,
        read=read,
        password=new_password(read.reader),
        username=read.reader.username,
    )


def _decide(user: User, row: Adjudication) -> None:
    actor = _as(user, "adjudicator")
    row = hold_adjudication(actor=actor, adjudication=row)
    letter = next(letter for letter, read in sides(row).items() if read.number == 1)
    sign_adjudication(
        actor=actor,
        user=user,
        adjudication=row,
        choice=letter,
        reason=DECIDED,
        password=new_password(user),
        username=user.username,
    )


def _as(user: User, role: str) -> Actor:
    return Actor(id=user.pk, name=user.full_name, role=role)
