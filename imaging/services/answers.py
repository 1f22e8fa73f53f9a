"""What a reader answers and measures. Marks and answers about lesions are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from audit.context import Actor, acting
from foundation import clock
from imaging.dicom.geometry import Plane
from imaging.errors import (
    MeasurementRefusedError,
    OutcomeRefusedError,
    ReadLockedError,
    ReadWaitsError,
    UnknownLesionError,
)
from imaging.models import (
    ImageQuality,
    Instance,
    LesionOutcome,
    Measurement,
    Question,
    Read,
    ReadingTime,
)
from imaging.policies import may_change_read
from imaging.rules import new_lesions
from imaging.rules.marks import MarkRefused, Measured, measure
from imaging.rules.recist_1_1 import NON_TARGET_RESPONSES, Response
from imaging.rules.recist_course import LIMIT
from imaging.selectors.answered import measurements_of
from imaging.selectors.judging import LesionToJudge, lesions_to_judge, new_lesion_options
from imaging.selectors.priors import get_instance
from imaging.selectors.reads import is_locked
from imaging.selectors.shown import plane_of_slice

NEW_LESION = "NEW"
LONGEST_STRETCH_S = 120
"""No stretch of reading counts for more: the page reports every minute while somebody works on it."""


def held(actor: Actor, read: Read) -> Read:
    """The read, locked against others, when this person may change it now; inside a transaction.

    Raises
    ------
    ReadLockedError, ReadWaitsError
    """
    found = (
        Read.objects.select_for_update(of=("self",))
        .select_related("visit", "subject__version", "subject__trial", "reader")
        .get(pk=read.pk)
    )
    if not may_change_read(found.state, found.reader_id, actor.id):
        raise ReadLockedError
    if is_locked(found):
        raise ReadWaitsError
    return found


def record_outcome(*, actor: Actor, read: Read, lesion: str, outcome: str) -> LesionOutcome:
    """Say what became of a lesion. Saying something else later adds a row; the earlier one stays.

    Raises
    ------
    UnknownLesionError, OutcomeRefusedError, ReadLockedError, ReadWaitsError
    """
    with acting(actor):
        own = held(actor, read)
        allowed = dict(_listed(own, lesion).options)
        if outcome not in allowed:
            choices = ", ".join(allowed.values()) or "nothing yet: it was not treated before this scan"
            raise OutcomeRefusedError(field=lesion, message=f"For {lesion} this scan can show: {choices}.")
        return _answered(own, lesion, Question.ABLATION, outcome)


def record_size(*, actor: Actor, read: Read, lesion: str, status: str) -> LesionOutcome:
    """Say how a lesion is there that is not measured; an empty status takes that back.

    Raises
    ------
    UnknownLesionError, OutcomeRefusedError, ReadLockedError, ReadWaitsError
    """
    with acting(actor):
        own = held(actor, read)
        listed = _listed(own, lesion)
        if not listed.asks_size or status not in {"", *dict(listed.sizes)}:
            message = listed.rule or f"{lesion} is measured, or one of the answers is given."
            raise OutcomeRefusedError(field=lesion, message=message)
        return _answered(own, lesion, Question.SIZE, status)


def _listed(read: Read, lesion: str) -> LesionToJudge:
    judged = {each.lesion.name: each for each in lesions_to_judge(read)}
    if lesion not in judged:
        raise UnknownLesionError(lesion=lesion)
    return judged[lesion]


def _answered(read: Read, lesion: str, question: Question, outcome: str) -> LesionOutcome:
    return LesionOutcome.objects.create(
        read=read, subject_id=read.subject_id, lesion=lesion, question=question, outcome=outcome
    )


def record_measurement(*, actor: Actor, read: Read, mark: UUID, sent: dict[str, Any]) -> Measurement:
    """Keep a mark of the viewer; the server measures it again from its points.

    A lesion has one measure in a read, unless it split: another mark of it is taken away, and stays on record.

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
        own = held(actor, read)
        lesion = str(sent.get("lesion") or "")
        if not lesion:
            raise MeasurementRefusedError(message="Choose the lesion first, then measure it.")
        listed = None if lesion == NEW_LESION else _listed(own, lesion)
        if listed is not None and listed.beyond:
            raise MeasurementRefusedError(message=f"{lesion}: {LIMIT}")
        instance = _current_instance(own, sent.get("sop"))
        tool = str(sent.get("tool", ""))
        measured = _measured(tool, sent, _plane(instance))
        if listed is not None and not listed.in_parts:
            _replace(own, listed, mark)
        return Measurement.objects.create(
            read=own,
            subject_id=own.subject_id,
            instance=instance,
            mark=mark,
            lesion=lesion,
            tool=tool,
            points=measured.points,
            length_mm=measured.long_mm,
            short_mm=measured.short_mm,
        )


def _replace(read: Read, listed: LesionToJudge, mark: UUID) -> None:
    """Take back what was said of the size of a lesion before, and what was drawn of it by other marks."""
    lesion = listed.lesion.name
    if listed.status:
        _answered(read, lesion, Question.SIZE, "")
    for other in measurements_of(read):
        if other.lesion == lesion and other.mark != mark:
            erased(other)


def erased(row: Measurement) -> Measurement:
    """One more version of a mark, which says that it is gone."""
    row.pk, row.erased, row.at = None, True, clock.now()
    row.save(force_insert=True)
    return row


def _measured(tool: str, sent: dict[str, Any], plane: Plane) -> Measured:
    try:
        return measure(
            tool, sent.get("points"), plane, claimed_mm=sent.get("length_mm"), unit=sent.get("unit")
        )
    except MarkRefused as refused:
        raise MeasurementRefusedError(message=str(refused)) from refused


def _current_instance(read: Read, name: Any) -> Instance:
    """The slice of the mark, which is one of this time point and not of a prior."""
    try:
        instance = get_instance(read, UUID(str(name)))
    except ValueError as error:
        raise MeasurementRefusedError(message="The slice is not known.") from error
    if instance.series.study.visit_id != read.visit_id:
        raise MeasurementRefusedError(message="Measure on the images of this time point, not on a prior.")
    return instance


def _plane(instance: Instance) -> Plane:
    plane = plane_of_slice(instance)
    if plane is None:
        raise MeasurementRefusedError(message="This slice does not say where it lies; it cannot be measured.")
    return plane


def erase_measurement(*, actor: Actor, read: Read, mark: UUID) -> Measurement:
    """Take a mark away; what it was stays on record. One that is gone already, as another took its place, is left so.

    Raises
    ------
    MeasurementRefusedError, ReadLockedError, ReadWaitsError
    """
    with acting(actor):
        own = held(actor, read)
        last = Measurement.objects.filter(read=own, mark=mark).order_by("pk").last()
        if last is None:
            raise MeasurementRefusedError(message="There is no such mark.")
        return last if last.erased else erased(last)


ANSWERS: Mapping[str, frozenset[str]] = {
    "image_quality": frozenset(ImageQuality.values),
    "new_lesion": frozenset(new_lesions.WORDS),
    "non_target": frozenset(NON_TARGET_RESPONSES),
    "overall": frozenset(Response),
}
"""Answers that are one of a list; empty is not answered yet."""
TEXTS: Mapping[str, int] = {"quality_reason": 300, "comment": 4000, "response_comment": 300}
"""Answers in words, with their greatest length."""


def record_findings(*, actor: Actor, read: Read, **said: str) -> Read:
    """Record what the reader says of the images as a whole; what is not named stays as it is.

    Parameters
    ----------
    said
        Keys of `ANSWERS` and `TEXTS`.

    Raises
    ------
    OutcomeRefusedError, ReadLockedError, ReadWaitsError
    """
    for name, value in said.items():
        if name in ANSWERS and value and value not in ANSWERS[name]:
            raise OutcomeRefusedError(field=name, message="Choose one of the given answers.")
    with acting(actor):
        own = held(actor, read)
        if said.get("new_lesion") and said["new_lesion"] not in dict(new_lesion_options(own)):
            raise OutcomeRefusedError(
                field="new_lesion", message="No doubtful lesion is followed that this could confirm."
            )
        for name, value in said.items():
            setattr(own, name, value.strip()[: TEXTS[name]] if name in TEXTS else value)
        own.save(update_fields=sorted(said))
    return own


def record_time(*, actor: Actor, read: Read, seconds: int) -> ReadingTime | None:
    """Add a stretch of work on a read; None where none counts.

    The page counts the seconds in which it was looked at. The server takes no more than have passed since it heard of
    the read last, and nothing once the read is signed.
    """
    with acting(actor):
        own = Read.objects.select_for_update().get(pk=read.pk)
        if not may_change_read(own.state, own.reader_id, actor.id) or own.opened_at is None:
            return None
        last = own.times.order_by("-pk").values_list("at", flat=True).first() or own.opened_at
        passed = int((clock.now() - last).total_seconds())
        counted = max(0, min(seconds, passed, LONGEST_STRETCH_S))
        if not counted:
            return None
        return ReadingTime.objects.create(read=own, subject_id=own.subject_id, seconds=counted)
