"""An installation in the middle of its work: something on every page, dated from today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from accounts.models import User
from accounts.selectors import access_of
from audit.context import acting
from casebook import services as casebook
from casebook.models import Entry, EntryState
from casebook.rules.cells import Typed, read_cell
from casebook.rules.picture import rules_of
from casebook.services.anchors import replan
from foundation import clock
from imaging.dicom import phantom
from imaging.models import Batch, Read, Study
from imaging.services import finish_batch, process_batch, receive_file, start_batch
from imaging.services.receiving import Announced
from patients.models import Subject
from qol.services import invite
from reports.copies import make_copy, request_copy
from reports.models import CopyRequest, Export
from reports.services import make_export, request_export
from tests.cast import SETUP, Cast
from tests.eligibility.case import FACTS
from tests.eligibility.entering import Nurse
from tests.imaging.dicom_files import small_phantom
from tests.qol.desk import load as load_licence
from trials.models import Trial
from visits.models import Visit
from visits.services import record_visit

UNITS = {"mm", "cm", "kg", "g/dL", "umol/L", "10^9/L"}


def ago(days: int) -> date:
    """A day counted back from today at the site."""
    return clock.today("Europe/Oslo") - timedelta(days=days)


def worked_patient(name: str, **changes: Any) -> dict[str, Any]:
    """Facts of a worked patient, moved in time so that the day of evaluation is today; `changes` differ."""
    facts = FACTS[name]
    move = ago(0) - date.fromisoformat(facts["REFDAT"])

    def moved(key: str, value: Any) -> Any:
        if key == "BRTHDAT" or not isinstance(value, str):
            return value
        try:
            return str(date.fromisoformat(value) + move)
        except ValueError:
            return value

    return {**{key: moved(key, value) for key, value in facts.items()}, **changes}


def fresh(subject: Subject) -> Subject:
    """The subject as it is stored now."""
    return Subject.objects.select_related("patient", "trial", "site", "version").get(pk=subject.pk)


def put(subject: Subject, visit: str | None, form: str, repeat: int = 1, **values: str) -> Entry:
    """Write a form in one go, each item read as the service reads it; `31 mm` is a value with its unit."""
    protocol = subject.version.protocol
    rules = rules_of(protocol, form)
    cells = {}
    for item, text in values.items():
        number, _, unit = text.partition(" ")
        typed = Typed(number, unit) if unit in UNITS else Typed(text)
        cells[item] = read_cell(rules.form.item(item), rules.codelists[item], typed, ago(0))
    place = Visit.objects.get(subject=subject, code=visit, sequence=1) if visit else None
    with acting(SETUP, origin="test"):
        return Entry.objects.create(
            subject=subject,
            visit=place,
            form=form,
            repeat=repeat,
            values=cells,
            state=EntryState.IN_PROGRESS,
        )


def candidate(cast: Cast, name: str = "V01", trial: str = "EXCALIBUR", **changes: Any) -> Subject:
    """A worked patient, entered; nothing signed yet."""
    subject = cast.subject(trial)
    facts = worked_patient(name, **changes)
    Nurse(cast, subject).enter_facts(facts, dated={"LB": str(ago(5))}, quick=True)
    return fresh(subject)


def treated(cast: Cast) -> Subject:
    """A ThermoDox subject in the window of Month 1, with lesions, times and answers."""
    subject = candidate(cast, "V08", "THERMODOX", PLANPROC_PER_LESION=None, MAXLDIAM_MM=None)
    with acting(SETUP, origin="test"):
        Subject.objects.filter(pk=subject.pk).update(status="ON_TREATMENT")
    for row, (name, segment, size) in enumerate((("T01", "VII", "42 mm"), ("T02", "V", "24 mm")), start=1):
        put(subject, "BL", "TU", row, TULNKID=name, TUORRES="TARGET", TULOC="LIVER", TUSEG=segment, LDIAM=size,
            UNRESECT="Y", PLANPROC="1", TUDAT=str(ago(45)))  # fmt: skip
    day = str(ago(33))
    put(subject, "P1", "EX", PROCNO="1", EXDOSE="91", EXLOT="LTLD-2231", EXADJYN="N", EXSTDAT=day, EXSTTIM="09:00",
        EXENDAT=day, EXENTIM="09:30", EXITRPYN="N")  # fmt: skip
    for row, (name, start, end) in enumerate((("T01", "09:20", "09:40"), ("T02", "10:00", "10:15")), start=1):
        put(subject, "P1", "PR", row, PROCNO="1", TULNKID=name, PRTRT="MWA", PRSTDAT=day, PRSTTIM=start, PRENDAT=day,
            PRENTIM=end, TECHSUCC="Y", COMPL="N")  # fmt: skip
    happened(cast, subject, "BL", 45)
    happened(cast, subject, "P1", 33)
    replan(actor=cast.actor(), subject=subject)
    happened(cast, subject, "M1", 1)
    for visit, answers in (("BL", "22112110"), ("D14", "33222210")):
        topics = ("GP1", "GP2", "GP4", "C2", "CNS7", "HI7", "HEP2", "HEP8")
        on = str(ago(45 if visit == "BL" else 18))
        put(subject, visit, "QS", QSDAT=on, QSMODE="SELF PAPER", **dict(zip(topics, answers, strict=True)))
    return fresh(subject)


def happened(cast: Cast, subject: Subject, visit: str, days: int) -> None:
    """Record that a visit took place, so many days ago."""
    found = Visit.objects.get(subject=subject, code=visit, sequence=1)
    record_visit(actor=cast.actor(), visit=found, happened_on=ago(days))


def scan(subject: Subject, visit: str) -> dict[str, bytes]:
    """Files of a phantom CT, as the scanner would have made them at a visit."""
    on = Visit.objects.get(subject=subject, code=visit, sequence=1).happened_on
    return dict(phantom.series(small_phantom(subject=subject.number, study_date=on)))


def send(cast: Cast, subject: Subject, visit: str, extra: Mapping[str, bytes] | None = None) -> Batch:
    """Send a scan of a visit, and let the worker do its work."""
    actor = cast.actor()
    files = {**scan(subject, visit), **(extra or {})}
    place = Visit.objects.get(subject=subject, code=visit, sequence=1)
    announced = [Announced(path, len(data)) for path, data in files.items()]
    batch, missing = start_batch(actor=actor, visit=place, files=announced)
    for index in missing:
        data = list(files.values())[index]
        receive_file(actor=actor, batch=batch, index=index, content=BytesIO(data), size=len(data))
    finish_batch(actor=actor, batch=batch)
    process_batch(batch.pk)
    batch.refresh_from_db()
    return batch


def export(cast: Cast, trial: Trial, who: str = "sponsor", file_format: str = "csv") -> Export:
    """An export, asked for and made."""
    access = access_of(cast.people[who])
    asked = request_export(actor=cast.actor(who), access=access, trial=trial, file_format=file_format)
    make_export(asked.pk)
    return Export.objects.get(pk=asked.pk)


@dataclass
class World:
    """What the pages are about."""

    cast: Cast
    hopeful: Subject
    treated: Subject
    batch: Batch
    export: Export
    delivery: Export
    copy: CopyRequest
    questionnaire: str
    """The secret part of the address that a patient got."""

    later: Any = None
    """What comes after the first months, when it was brought on (`aftermath`)."""

    @property
    def study(self) -> Study:
        """The scan of Month 1."""
        return Study.objects.get(subject=self.treated, visit__code="M1")

    @property
    def read(self) -> Read:
        """The read that waits."""
        return Read.objects.select_related("reader").get(subject=self.treated, visit__code="M1")


def make_world(cast: Cast) -> World:
    """A candidate of Excalibur with a query, a treated subject of ThermoDox with images, an export."""
    hopeful, under_treatment = candidate(cast, BRAFRES=None), treated(cast)
    laboratory = Entry.objects.select_related("subject__version").get(subject=hopeful, form="LB")
    casebook.raise_query(
        actor=cast.actor("monitor"),
        entry=laboratory,
        item="HGB",
        text="The source says 12.6. Please look again.",
    )
    batch = send(cast, under_treatment, "M1", {"letter.txt": b"Dear colleague"})
    load_licence(cast, valid_from=str(ago(365)), valid_until=str(ago(-365)))
    month = Visit.objects.get(subject=under_treatment, code="M1")
    _, token = invite(actor=cast.actor(), subject=under_treatment, visit=month, language="en")
    made = export(cast, cast.trials["THERMODOX"])
    delivered = export(cast, cast.trials["THERMODOX"], "datamanager", "dicom")
    wanted = request_copy(actor=cast.actor(), subject=under_treatment, as_of=None)
    make_copy(wanted.pk)
    copy = CopyRequest.objects.get(pk=wanted.pk)
    return World(cast, hopeful, under_treatment, batch, made, delivered, copy, token)


def guard_with_second_factor(user: User) -> None:
    """From now on this person signs in with a code as well."""
    with acting(SETUP, origin="test"):
        TOTP.activate(user, generate_totp_secret())
        RecoveryCodes.activate(user)
