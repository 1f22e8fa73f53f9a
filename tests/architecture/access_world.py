"""One of everything that an address can name, at the home site, for the table of access."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from accounts.models import Grant
from accounts.selectors import access_of
from accounts.services import delegate, make_token, withdraw_edit_access
from audit.context import acting
from casebook import services as casebook
from casebook.models import LockRun, Unlock
from casebook.records import form_key
from casebook.services.places import ask_place_unlock, lock_place
from casebook.services.signing import Wanted, sign_records
from eligibility.services import assess_subject
from foundation.clock import now, today
from imaging.masking import SLICE, masked
from imaging.models import Adjudication, BatchFile, Instance, Origin, Read, Series, Study
from imaging.services import receive_file, receive_object, start_batch
from imaging.services.receiving import Announced
from patients.models import Subject
from qol.models import Invitation
from qol.selectors import link_digest
from reports.copies import make_copy, request_copy
from reports.impact.running import request_simulation
from reports.services import make_export, request_export
from tests.conftest import PASSWORD, setting_up
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import changed
from trials.laboratories.services import add_range, register_laboratory
from trials.models import ProtocolVersion
from trials.schema import digest_of
from trials.services import approve_version

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
    wanted = request_copy(actor=cast.actor(OWNER), subject=subject, as_of=None)
    make_copy(wanted.pk)
    samples = {
        "number": subject.number,
        "copy_id": wanted.pk,
        "visit": "M1",
        "form": "LB",
        "rows": "TR",
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
    samples |= _laboratory(desk) | _places(desk)
    _invite(desk)
    return World(samples | _amended(desk) | _images(desk) | _signed(desk), desk.read("M1").reader.username)


def _amended(desk: Desk) -> dict[str, Any]:
    """A later version of the trial, approved at the home site and tried on the subjects."""
    cast, subject = desk.cast, desk.subject
    with setting_up():
        first = ProtocolVersion.objects.get(pk=subject.version_id)
        label, lineage = "2.0", [first.sha256]
        definition = {**first.definition, "version": {**first.definition["version"], "label": label}}
        later = ProtocolVersion.objects.create(
            trial=subject.trial,
            label=label,
            definition=definition,
            sha256=digest_of(definition),
            effective_from=first.effective_from,
            published_at=now(),
            lineage=lineage,
        )
    approval = approve_version(
        actor=cast.actor("sponsor"), site=cast.home, version=later, approved_on=today(), document="Letter 1"
    )
    run = request_simulation(
        actor=cast.actor(EXPORTER), access=access_of(cast.people[EXPORTER]), version=later
    )
    return {"label": label, "approval_id": approval.pk, "simulation_id": run.pk}


def _signed(desk: Desk) -> dict[str, Any]:
    """A signed form, a wish to unlock, and two lines of a delegation log."""
    cast, subject = desk.cast, desk.subject
    at_home, signer = cast.actor("coordinator"), cast.people["investigator"]
    entry = casebook.open_entry(actor=at_home, subject=subject, visit=desk.visits["M1"], form="VS")
    casebook.mark_not_done(actor=at_home, entry=entry, reason="Not measured")
    outcome = sign_records(
        actor=cast.actor("investigator"), user=signer, wanted=[Wanted(form_key(entry))], password=PASSWORD
    )
    with acting(at_home):
        wish = Unlock.objects.create(subject=subject, reason="Wrong unit", hours=4, asked_by_id=at_home.id)
    (line,) = delegate(
        actor=cast.actor("investigator"),
        user=cast.people["coordinator"],
        trial=subject.trial.code,
        site=subject.site.code,
        tasks=["entry"],
        starts=today(),
        on=today(),
    )
    principal = signer.delegations.filter(trial=subject.trial.code).first()
    return {
        "signed": outcome.signed[0].pk,
        "unlock": wish.pk,
        "decision": "approve",
        "state_verb": "freeze",
        "line": line.pk,
        "principal": signer.username,
        "principal_line": principal.pk if principal else 0,
    }


def _places(desk: Desk) -> dict[str, Any]:
    """The home site locked in the other trial, where nobody was screened, with a wish to unlock it; a run; and a
    withdrawal of edit access that is yet to come."""
    cast, keeper, site = desk.cast, desk.cast.actor("datamanager"), desk.cast.home
    other = next(trial for trial in cast.trials.values() if trial != desk.subject.trial)
    lock = lock_place(actor=keeper, trial=other, site=site, reason="Nobody was screened")
    wish = ask_place_unlock(actor=keeper, trial=other, site=site, reason="Somebody will be", hours=4)
    with setting_up():
        run = LockRun.objects.create(
            trial=other, site=site, reason="Database lock", asked_by=cast.people["datamanager"], state="DONE"
        )
    stop = withdraw_edit_access(
        actor=keeper, trial=other.code, site="SE-02", reason="Data cut", starts=now() + timedelta(days=9)
    )
    return {
        "lock": lock.pk,
        "place_unlock": wish.pk,
        "run": run.pk,
        "stop": stop.pk,
        "home_site": site.code,
        "place_verb": "lock",
    }


def _laboratory(desk: Desk) -> dict[str, Any]:
    """A laboratory of the home site with one range."""
    keeper = desk.cast.actor("datamanager")
    laboratory = register_laboratory(actor=keeper, code="LAB-1", name="Biochemistry", sites=[desk.cast.home])
    fields = {"test": "HGB", "unit": "g/L", "low": "134", "high": "170", "valid_from": "2024-01-01"}
    found = add_range(actor=keeper, laboratory=laboratory, fields=fields)
    return {"laboratory": laboratory.code, "range_id": found.pk}


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
    read, pair = desk.read("M1"), _pair(desk)
    slice_id = Instance.objects.filter(series__study=study).values_list("pk", flat=True)[0]
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
        "study_uid": study.uid,
        "series_uid": Series.objects.get(study=study).uid,
        "instance_uid": Instance.objects.filter(series__study=study).values_list("uid", flat=True)[0],
        "frame": 1,
        "instance": masked(read.opaque, SLICE, slice_id),
        "upload": upload.opaque,
        "file_id": BatchFile.objects.get(state="QUARANTINED").pk,
        "read": read.opaque,
        "pair": pair.opaque,
        "pair_instance": masked(pair.opaque, SLICE, slice_id),
        "opaque": uuid.uuid4(),
    }


def _pair(desk: Desk) -> Adjudication:
    """Two reads of the same images that an adjudicator must decide between."""
    first = desk.read("M1")
    with setting_up():
        second = Read.objects.create(
            subject=desk.subject,
            visit=first.visit,
            reader=desk.cast.people["outsider"],
            number=2,
            charter_sha256=first.charter_sha256,
            due_on=today(),
        )
        return Adjudication.objects.create(
            subject=desk.subject,
            visit=first.visit,
            first=first,
            second=second,
            first_is_a=True,
            differences=["ltp"],
            due_on=today(),
        )
