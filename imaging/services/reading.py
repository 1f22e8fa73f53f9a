"""Reads: assigned by the system, filled by their reader, signed once."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Meaning, User
from accounts.services import sign
from audit.context import Actor, acting, service_actor
from foundation import clock
from imaging.dicom.geometry import Plane, plane_from
from imaging.errors import (
    MeasurementRefusedError,
    OutcomeRefusedError,
    ReadIncompleteError,
    ReadLockedError,
    ReadWaitsError,
    ReasonMissingError,
    UnknownLesionError,
)
from imaging.models import (
    ImageQuality,
    Instance,
    LesionOutcome,
    Measurement,
    Read,
    ReadState,
    Study,
    StudyState,
)
from imaging.policies import may_change_read
from imaging.rules.marks import MarkRefused, Measured, measure
from imaging.rules.working_days import add_working_days
from imaging.selectors.reads import (
    get_instance,
    is_locked,
    judges_outcomes,
    lesions_to_judge,
    measurements_of,
    outcomes_of,
    readers_for,
)
from trials.models import ProtocolVersion

QUEUE = service_actor("reading queue")
STANDARD_DAYS = 10
BASELINE_KINDS = frozenset({"screening", "baseline"})
NEW_LESION = "NEW"
STATEMENT = "I have read these images myself, blinded, and this is my judgement."


def queue_reads(*, actor: Actor, study: Study) -> list[Read]:
    """Assign the reads that the charter asks for; those that are there already stay as they are.

    Readers are chosen by the system: whoever has the fewest open reads, never the same person twice. Where there are
    fewer readers than the charter asks for, the rest is assigned when `queue_waiting` runs again.
    """
    wanted = _readers(study.subject.version)
    with acting(actor):
        Study.objects.select_for_update().get(pk=study.pk)
        known = list(Read.objects.filter(visit=study.visit_id, version=1).order_by("number"))
        taken = {read.reader_id for read in known}
        numbers = [number for number in range(1, wanted + 1) if number not in {read.number for read in known}]
        made = []
        for number in numbers:
            reader = _reader_for(study, number, taken)
            if reader is None:
                break
            taken.add(reader.pk)
            made.append(_new_read(study, reader, number))
    return made


def _reader_for(study: Study, number: int, taken: set[int]) -> User | None:
    """Who read this case before under the same number goes on with it; otherwise whoever has the least to do."""
    free = [user for user in readers_for(study.subject.trial.code) if user.pk not in taken]
    before = set(
        Read.objects.filter(subject=study.subject_id, number=number).values_list("reader", flat=True)
    )
    others = set(
        Read.objects.filter(subject=study.subject_id).exclude(number=number).values_list("reader", flat=True)
    )
    known = [user for user in free if user.pk in before]
    if known:
        return known[0]
    rows = (
        Read.objects.exclude(state=ReadState.SIGNED).values_list("reader").annotate(n=Count("pk")).order_by()
    )
    load = dict(rows)
    candidates = [user for user in free if user.pk not in others]
    return min(candidates, key=lambda user: (load.get(user.pk, 0), user.pk), default=None)


def _new_read(study: Study, reader: User, number: int) -> Read:
    return Read.objects.create(
        subject_id=study.subject_id,
        visit_id=study.visit_id,
        reader=reader,
        number=number,
        charter_sha256=study.subject.version.sha256,
        due_on=add_working_days(clock.today(), _due_days(study)),
    )


def _due_days(study: Study) -> int:
    """Working days that the charter gives; reads that decide about eligibility come first."""
    protocol = study.subject.version.protocol
    due = protocol.charter.due if protocol.charter else {}
    plan = next((each for each in protocol.visits if each.code == study.visit.code), None)
    step = "eligibility_read" if plan is not None and plan.kind in BASELINE_KINDS else "standard_read"
    return int(due.get(step, STANDARD_DAYS))


def queue_waiting() -> int:
    """Assign accepted studies that lack readers; returns how many reads were made. For a periodic task."""
    made = 0
    accepted = Study.objects.filter(state=StudyState.QC_PASS)
    for version in ProtocolVersion.objects.filter(pk__in=accepted.values("subject__version")):
        own = accepted.filter(subject__version=version).select_related(
            "subject__version", "subject__trial", "visit"
        )
        for study in own.alias(assigned=_assigned()).filter(assigned__lt=_readers(version)):
            made += len(queue_reads(actor=QUEUE, study=study))
    return made


def _readers(version: ProtocolVersion) -> int:
    charter = version.protocol.charter
    return charter.readers if charter else 1


def _assigned() -> Coalesce:
    """How many readers the visit of a study has."""
    reads = Read.objects.filter(visit=OuterRef("visit"), version=1).order_by().values("visit")
    return Coalesce(Subquery(reads.annotate(n=Count("pk")).values("n")), 0)


def open_read(*, actor: Actor, read: Read) -> Read:
    """Begin to read: the state and the time are kept. A read that was begun or signed is left as it is.

    Raises
    ------
    ReadWaitsError
        An earlier time point of the case is not signed.
    """
    if is_locked(read):
        raise ReadWaitsError
    if read.state != ReadState.ASSIGNED:
        return read
    with acting(actor):
        Read.objects.filter(pk=read.pk, state=ReadState.ASSIGNED).update(
            state=ReadState.IN_READ, opened_at=clock.now()
        )
    read.refresh_from_db(fields=["state", "opened_at"])
    return read


def _held(actor: Actor, read: Read) -> Read:
    """The read, locked against others, when this person may change it now.

    Raises
    ------
    ReadLockedError, ReadWaitsError
    """
    held = (
        Read.objects.select_for_update(of=("self",))
        .select_related("visit", "subject__version", "subject__trial", "reader")
        .get(pk=read.pk)
    )
    if not may_change_read(held.state, held.reader_id, actor.id):
        raise ReadLockedError
    if is_locked(held):
        raise ReadWaitsError
    return held


def record_outcome(*, actor: Actor, read: Read, lesion: str, outcome: str) -> LesionOutcome:
    """Say what became of a lesion. Saying something else later adds a row; the earlier one stays.

    Raises
    ------
    UnknownLesionError, OutcomeRefusedError, ReadLockedError, ReadWaitsError
    """
    with acting(actor):
        held = _held(actor, read)
        judged = {each.lesion.name: each for each in lesions_to_judge(held)}
        if lesion not in judged:
            raise UnknownLesionError(lesion=lesion)
        allowed = dict(judged[lesion].options)
        if outcome not in allowed:
            choices = ", ".join(allowed.values()) or "nothing yet: it was not treated before this scan"
            raise OutcomeRefusedError(field=lesion, message=f"For {lesion} this scan can show: {choices}.")
        return LesionOutcome.objects.create(
            read=held, subject_id=held.subject_id, lesion=lesion, outcome=outcome
        )


def record_measurement(*, actor: Actor, read: Read, mark: UUID, sent: dict[str, Any]) -> Measurement:
    """Keep a mark of the viewer; the server measures it again from its points.

    Parameters
    ----------
    mark
        The viewer's own number of the mark; the same mark again is a new version of it.
    sent
        `lesion`, `tool`, `sop`, `points`, `length_mm` as the viewer sent them.

    Raises
    ------
    MeasurementRefusedError, UnknownLesionError, ReadLockedError, ReadWaitsError
    """
    with acting(actor):
        held = _held(actor, read)
        lesion = str(sent.get("lesion") or "")
        if not lesion:
            raise MeasurementRefusedError(message="Choose the lesion first, then measure it.")
        if lesion != NEW_LESION and lesion not in {each.lesion.name for each in lesions_to_judge(held)}:
            raise UnknownLesionError(lesion=lesion)
        instance = _current_instance(held, sent.get("sop"))
        tool = str(sent.get("tool", ""))
        measured = _measured(tool, sent, _plane(instance))
        return Measurement.objects.create(
            read=held,
            subject_id=held.subject_id,
            instance=instance,
            mark=mark,
            lesion=lesion,
            tool=tool,
            points=measured.points,
            length_mm=measured.long_mm,
            short_mm=measured.short_mm,
        )


def _measured(tool: str, sent: dict[str, Any], plane: Plane) -> Measured:
    try:
        return measure(
            tool, sent.get("points"), plane, claimed_mm=sent.get("length_mm"), unit=sent.get("unit")
        )
    except MarkRefused as refused:
        raise MeasurementRefusedError(message=str(refused)) from refused


def _current_instance(read: Read, identifier: Any) -> Instance:
    """The slice of the mark, which is one of this time point and not of a prior."""
    try:
        instance = get_instance(read, UUID(str(identifier)))
    except ValueError as error:
        raise MeasurementRefusedError(message="The slice is not known.") from error
    if instance.series.study.visit_id != read.visit_id:
        raise MeasurementRefusedError(message="Measure on the images of this time point, not on a prior.")
    return instance


def _plane(instance: Instance) -> Plane:
    values = {
        tag: instance.attributes[tag]["Value"]
        for tag in ("00200032", "00200037", "00280030", "00280010", "00280011")
    }
    numbers = {tag: [Decimal(str(number)) for number in value] for tag, value in values.items()}
    plane = plane_from(
        numbers["00200032"],
        numbers["00200037"],
        numbers["00280030"],
        int(numbers["00280010"][0]),
        int(numbers["00280011"][0]),
    )
    if plane is None:
        raise MeasurementRefusedError(message="This slice does not say where it lies; it cannot be measured.")
    return plane


def erase_measurement(*, actor: Actor, read: Read, mark: UUID) -> Measurement:
    """Take a mark away; what it was stays on record.

    Raises
    ------
    MeasurementRefusedError, ReadLockedError, ReadWaitsError
    """
    with acting(actor):
        held = _held(actor, read)
        last = next((each for each in measurements_of(held) if each.mark == mark), None)
        if last is None:
            raise MeasurementRefusedError(message="There is no such mark.")
        last.pk, last.erased = None, True
        last.save(force_insert=True)
    return last


def record_findings(
    *,
    actor: Actor,
    read: Read,
    image_quality: str,
    quality_reason: str = "",
    new_lesion: str = "",
    comment: str = "",
) -> Read:
    """Record what the reader says of the images as a whole.

    Raises
    ------
    OutcomeRefusedError, ReadLockedError, ReadWaitsError
    """
    if image_quality and image_quality not in ImageQuality.values:
        raise OutcomeRefusedError(field="image_quality", message="Choose one of the given qualities.")
    if new_lesion not in ("", "Y", "N"):
        raise OutcomeRefusedError(field="new_lesion", message="Answer yes or no.")
    with acting(actor):
        held = _held(actor, read)
        held.image_quality, held.quality_reason = image_quality, quality_reason.strip()[:300]
        held.new_lesion, held.comment = new_lesion, comment.strip()
        held.save(update_fields=["image_quality", "quality_reason", "new_lesion", "comment"])
    return held


def sign_read(*, actor: Actor, user: User, read: Read, password: str) -> Read:
    """Sign a read, with the password typed again. From then on it never changes.

    Raises
    ------
    ReadIncompleteError
        Names what is missing.
    ReadLockedError, ReadWaitsError, accounts.errors.SignatureRefused, accounts.errors.AccountLocked
    """
    with acting(actor):
        held = _held(actor, read)
        missing = missing_in(held)
        if missing:
            raise ReadIncompleteError(missing=", ".join(missing))
        digest = digest_of(held)
        signature = sign(
            user=user,
            password=password,
            meaning=Meaning.AUTHOR,
            target_kind="imaging.read",
            target_id=str(held.opaque),
            digest=digest,
            statement=STATEMENT,
        )
        held.state, held.signature, held.digest, held.signed_at = (
            ReadState.SIGNED,
            signature,
            digest,
            signature.at,
        )
        held.opened_at = held.opened_at or signature.at
        held.save(update_fields=["state", "signature", "digest", "signed_at", "opened_at"])
    return held


def missing_in(read: Read) -> list[str]:
    """What a read lacks before it can be signed, in words."""
    missing = []
    if not read.image_quality:
        missing.append("the quality of the images")
    if read.image_quality == ImageQuality.INADEQUATE:
        if not read.quality_reason:
            missing.append("why the images cannot be read")
        return missing
    if judges_outcomes(read):
        missing += [
            f"the outcome of {each.lesion.name}"
            for each in lesions_to_judge(read)
            if each.options and not each.outcome
        ]
        if not read.new_lesion:
            missing.append("whether there is a new lesion")
    return missing


def digest_of(read: Read) -> str:
    """SHA-256 of the canonical content of a read: who read what, and every answer and measurement that counts."""
    content = {
        "read": str(read.opaque),
        "reader": read.reader_id,
        "version": read.version,
        "charter": read.charter_sha256,
        "image_quality": read.image_quality,
        "quality_reason": read.quality_reason,
        "new_lesion": read.new_lesion,
        "comment": read.comment,
        "outcomes": outcomes_of(read),
        "measurements": sorted(
            [
                each.lesion,
                each.tool,
                str(each.instance.opaque),
                each.points,
                str(each.length_mm),
                str(each.short_mm),
            ]
            for each in measurements_of(read)
        ),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def correct_read(*, actor: Actor, read: Read, reason: str) -> Read:
    """Open a new version of a signed read, with what was said before; the signed one stays as it is.

    Raises
    ------
    ReasonMissingError, ReadLockedError
    """
    if len(reason.strip()) < 3:
        raise ReasonMissingError(field="reason")
    with acting(actor, reason=reason):
        old = Read.objects.select_for_update().get(pk=read.pk)
        later = Read.objects.filter(supersedes=old).exists()
        if old.state != ReadState.SIGNED or later or old.reader_id != actor.id:
            raise ReadLockedError
        new = Read.objects.create(
            subject_id=old.subject_id,
            visit_id=old.visit_id,
            reader_id=old.reader_id,
            number=old.number,
            version=old.version + 1,
            supersedes=old,
            correction_reason=reason.strip()[:300],
            charter_sha256=old.charter_sha256,
            image_quality=old.image_quality,
            quality_reason=old.quality_reason,
            comment=old.comment,
            new_lesion=old.new_lesion,
            due_on=clock.today(),
        )
        for lesion, outcome in outcomes_of(old).items():
            LesionOutcome.objects.create(read=new, subject_id=new.subject_id, lesion=lesion, outcome=outcome)
        for mark in measurements_of(old):
            mark.pk, mark.read = None, new
            mark.save(force_insert=True)
    return new
