"""What is put on record of readers: by whoever oversees the reads, with evidence and reason."""

from __future__ import annotations

from datetime import date

from accounts.models import User
from audit.context import Actor, acting
from foundation import clock
from imaging.errors import ReaderRecordRefusedError, ReasonMissingError
from imaging.models import ReaderRecord, ReaderRecordKind
from imaging.selectors.readers import readers_of
from trials.models import Trial

LEAST_WORDS = 3


def record_reader(
    *,
    actor: Actor,
    trial: Trial,
    reader: User,
    kind: str,
    on: date,
    reference: str,
    reason: str,
    until: date | None = None,
) -> ReaderRecord:
    """Put training, test, independence, suspension or a communication on record; it stays as it is.

    Raises
    ------
    ReasonMissingError
    ReaderRecordRefusedError
        Nothing of the kind is recorded, no evidence is named, the day is yet to come or the end lies before it, or the
        person does not read for the trial.
    """
    if len(reason.strip()) < LEAST_WORDS:
        raise ReasonMissingError(field="reason")
    if kind not in ReaderRecordKind.values or len(reference.strip()) < LEAST_WORDS:
        raise ReaderRecordRefusedError(message="Choose what is recorded, and say where the evidence lies.")
    if on > clock.today() or (until is not None and until <= on):
        raise ReaderRecordRefusedError(message="The day has passed, and what is recorded ends after it.")
    if reader.pk not in {each.reader.pk for each in readers_of(trial.code)}:
        raise ReaderRecordRefusedError(message="This person is no reader of the trial.")
    with acting(actor, reason=reason.strip()):
        return ReaderRecord.objects.create(
            trial=trial,
            reader=reader,
            kind=kind,
            on=on,
            until=until,
            reference=reference.strip()[:300],
            reason=reason.strip()[:300],
            recorded_by=actor.name,
        )
