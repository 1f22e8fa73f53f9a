"""Signing a read, and correcting it by a new version."""

from __future__ import annotations

import hashlib
import json

from django.conf import settings

from accounts.models import Meaning, User
from accounts.services import sign
from audit.context import Actor, acting
from foundation import clock
from imaging.errors import ReadIncompleteError, ReadLockedError, ReadWaitsError, ReasonMissingError
from imaging.models import ImageQuality, LesionOutcome, Question, Read, ReadState, Study, StudyState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.selectors.answered import chosen_in, measurements_of, outcomes_of
from imaging.selectors.chosen import chooses_lesions
from imaging.selectors.judging import (
    LesionToJudge,
    course_of,
    departs,
    judges_non_target,
    judges_outcomes,
    judges_overall,
    judges_response,
    lesions_to_judge,
    list_rested_on,
)
from imaging.selectors.reads import is_locked
from imaging.selectors.staleness import as_document, pins_of
from imaging.services.answers import held
from imaging.services.pairs import compare_readers

STATEMENT = "I have read these images myself, blinded, and this is my judgement."
COPIED = (
    "reader_id", "number", "mask", "order", "draw", "repeat_of_id", "charter_sha256", "image_quality",
    "quality_reason", "comment", "new_lesion", "non_target", "overall", "response_comment", "subject_id", "visit_id",
)  # fmt: skip
"""What a new version begins with."""


def sign_read(*, actor: Actor, user: User, read: Read, password: str, username: str | None = None) -> Read:
    """Sign a read, with its components typed again (`accounts.services.sign`). From then on it never changes.

    The images on which it rests are pinned; where another reader has signed the same images and the charter's rule says
    that they differ, an adjudication begins.

    Raises
    ------
    ReadIncompleteError
        Names what is missing.
    ReadLockedError, ReadWaitsError, accounts.errors.SignatureRefused, accounts.errors.AccountLocked
    """
    with acting(actor):
        own = held(actor, read)
        missing = missing_in(own)
        if missing:
            raise ReadIncompleteError(missing=", ".join(missing))
        course = course_of(own)
        own.derived = course.overall if course else ""
        own.images = as_document(pins_of([own.visit_id]).get(own.visit_id, {}))
        own.lesions = list_rested_on(own)
        own.software = settings.VERSION
        own.digest = digest_of(own)
        own.signature = sign(
            user=user,
            password=password,
            username=username,
            meaning=Meaning.AUTHOR,
            target_kind="imaging.read",
            target_id=str(own.opaque),
            digest=own.digest,
            statement=STATEMENT,
        )
        own.state, own.signed_at = ReadState.SIGNED, own.signature.at
        own.opened_at = own.opened_at or own.signature.at
        own.save(
            update_fields=[
                "state", "signature", "digest", "signed_at", "opened_at", "derived", "images", "lesions", "software",
            ]
        )  # fmt: skip
        compare_readers(own)
    return own


def missing_in(read: Read) -> list[str]:
    """What a read lacks before it can be signed, in words."""
    missing = []
    if not read.image_quality:
        missing.append("the quality of the images")
    if read.image_quality == ImageQuality.INADEQUATE:
        if not read.quality_reason:
            missing.append("why the images cannot be read")
        return missing
    lesions = lesions_to_judge(read)
    if chooses_lesions(read) and not lesions and not read.comment:
        missing.append("the lesions, or a comment that there are none")
    if judges_outcomes(read):
        missing += [
            f"the outcome of {each.lesion.name}" for each in lesions if each.options and not each.outcome
        ]
    missing += [_unsized(each) for each in lesions if each.asks_size and not each.sized]
    if judges_non_target(read) and not read.non_target:
        missing.append("how the non-target lesions are")
    if (judges_outcomes(read) or judges_response(read)) and not read.new_lesion:
        missing.append("whether there is a new lesion")
    return missing + _missing_response(read)


def _unsized(row: LesionToJudge) -> str:
    """The size that a target lacks; the baseline takes nothing but a measure."""
    name = row.lesion.name
    if row.in_parts:
        return f"a measure of each part of {name}, two at least"
    return (
        f"the size of {name}" if row.sizes else f"a measure of {name}, which every later one is compared with"
    )


def _missing_response(read: Read) -> list[str]:
    """The overall response, and why it is not what the rules give; of a baseline, what no rule could begin with."""
    course = course_of(read)
    if not judges_overall(read):
        return [course.problem] if course and course.problem else []
    if not read.overall:
        return ["the overall response"]
    if not departs(read, course) or read.response_comment:
        return []
    given = course is not None and course.overall
    return ["why your response differs from the rules" if given else "what your response rests on"]


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
        "non_target": read.non_target,
        "overall": read.overall,
        "response_comment": read.response_comment,
        "derived": read.derived,
        "comment": read.comment,
        "images": read.images,
        "outcomes": outcomes_of(read),
        "sizes": outcomes_of(read, Question.SIZE),
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
    if read.lesions is not None:
        content["lesions"] = read.lesions
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def correct_read(*, actor: Actor, read: Read, reason: str) -> Read:
    """Open a new version of a signed read, with what was said before; the signed one stays as it is.

    Raises
    ------
    ReasonMissingError, ReadLockedError
    ReadWaitsError
        An earlier time point comes first, on which this one will rest.
    """
    if len(reason.strip()) < 3:
        raise ReasonMissingError(field="reason")
    with acting(actor, reason=reason):
        old = Read.objects.select_for_update().get(pk=read.pk)
        later = Read.objects.filter(supersedes=old).exists()
        adjudicators = old.number == ADJUDICATORS_NUMBER
        if old.state != ReadState.SIGNED or later or adjudicators or old.reader_id != actor.id:
            raise ReadLockedError
        new = Read.objects.create(
            **{name: getattr(old, name) for name in COPIED},
            version=old.version + 1,
            supersedes=old,
            correction_reason=reason.strip()[:300],
            due_on=clock.today(),
        )
        if is_locked(new):
            raise ReadWaitsError
        _carry_over(old, new)
    return new


def _carry_over(old: Read, new: Read) -> None:
    """Answers and marks of the old version, as the new one begins; marks on images that were withdrawn stay behind."""
    for lesion in chosen_in(old):
        lesion.pk, lesion.read = None, new
        lesion.save(force_insert=True)
    for question in Question:
        for name, outcome in outcomes_of(old, question).items():
            LesionOutcome.objects.create(
                read=new, subject_id=new.subject_id, lesion=name, question=question, outcome=outcome
            )
    readable = set(
        Study.objects.filter(visit=old.visit_id, state=StudyState.QC_PASS).values_list(
            "series__instances", flat=True
        )
    )
    for mark in measurements_of(old):
        if mark.instance_id not in readable:
            continue
        mark.pk, mark.read = None, new
        mark.save(force_insert=True)
