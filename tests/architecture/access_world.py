"""One of everything that an address can name, at the home site, for the table of access."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from accounts.models import Grant
from accounts.selectors import access_of
from accounts.services import make_token
from casebook import services as casebook
from eligibility.services import assess_subject
from foundation.clock import now, today
from imaging.models import BatchFile, Instance, Origin, Series, Study
from imaging.services import receive_file, receive_object, start_batch
from imaging.services.receiving import Announced
from patients.models import Subject
from qol.models import Invitation
from qol.selectors import link_digest
from reports.services import make_export, request_export
from tests.conftest import setting_up
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import changed

LINK = "an-open-link"
EXPORTER, OWNER = "sponsor", "coordinator"


@dataclass(frozen=True)
class World:
    """What is there: `samples` by parameter name, and whose the things of one person are."""

    samples: dict[str, Any]
    reader: str
    exporter: str = EXPORTER
    owner: str = OWNER


def build(desk: Desk) -> World:
    """A subject with a form, a query, images, a read, a questionnaire, an assessment, and an export of its trial."""
    cast, subject = desk.cast, desk.subject
    at_home = cast.actor("coordinator")
    entry = casebook.open_entry(actor=at_home, subject=subject, visit=desk.visits["M1"], form="LB")
    query = casebook.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Really?")
    token, _ = make_token(
        actor=at_home, user=cast.people[OWNER], name="x", scopes=["entry.view"], lifetime=timedelta(days=1)
    )
    export = request_export(
        actor=cast.actor(EXPORTER), access=access_of(cast.people[EXPORTER]), trial=subject.trial
    )
    make_export(export.pk)
    assessment = assess_subject(actor=at_home, subject=subject, as_of=today(subject.site.time_zone))
    samples = {
        "number": subject.number,
        "visit": "M1",
        "form": "LB",
        "repeat": 1,
        "item": "HGB",
        "query": query.pk,
        "verb": "answer",
        "reference": assessment.reference,
        "code": subject.trial.code,
        "trial": subject.trial.code,
        "username": "monitor",
        "grant_id": Grant.objects.filter(user=cast.people["monitor"]).first().pk,  # type: ignore[union-attr]
        "token_id": token.pk,
        "export_id": export.pk,
        "export": export.pk,
        "index": 0,
        "link": LINK,
        "question": 1,
    }
    _invite(desk)
    return World(samples | _images(desk), desk.read("M1").reader.username)


def _invite(desk: Desk) -> None:
    with setting_up():
        Invitation.objects.create(
            subject=desk.subject,
            visit=desk.visits["M1"],
            instrument="FHSI-8",
            form="FHSI8",
            language="en",
            digest=link_digest(LINK),
            opens_at=now() - timedelta(days=1),
            expires_at=now() + timedelta(days=1),
            sent_by="somebody",
        )


def _images(desk: Desk) -> dict[str, Any]:
    """A study with its read, a file in quarantine, and an upload that is not finished."""
    files = desk.slices("M1")
    desk.send(files, "M1")
    desk.send({"burned.dcm": changed(files["IM0001.dcm"], BurnedInAnnotation="YES")}, "M4")
    upload, _ = start_batch(
        actor=desk.cast.actor("coordinator"), visit=desk.visits["M4"], files=[Announced("a.dcm", 1)]
    )
    receive_file(actor=desk.cast.actor("coordinator"), batch=upload, index=0, content=BytesIO(b"x"), size=1)
    study = Study.objects.get(visit=desk.visits["M1"])
    arrived = receive_object(
        actor=desk.cast.actor("coordinator"),
        content=BytesIO(files["IM0002.dcm"]),
        origin=Origin.DICOM,
        subjects=Subject.objects.none(),
        site=desk.cast.home,
    )
    return {
        "arrived": arrived.opaque,
        "study": study.opaque,
        "series": Series.objects.get(study=study).opaque,
        "instance": Instance.objects.filter(series__study=study).first().opaque,  # type: ignore[union-attr]
        "upload": upload.opaque,
        "file_id": BatchFile.objects.get(state="QUARANTINED").pk,
        "read": desk.read("M1").opaque,
        "opaque": uuid.uuid4(),
    }
