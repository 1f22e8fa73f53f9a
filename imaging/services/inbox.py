"""What comes over the network: kept at once, given to its visit when it is known, otherwise by a person."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import IO
from uuid import uuid4

from django.conf import settings
from django.db.models import QuerySet

from audit.context import Actor, acting
from casebook.errors import PlaceLockedError
from foundation import clock
from imaging import originals
from imaging.dicom.opening import Opening, opening_of
from imaging.errors import NotWaitingError, ReasonMissingError, VisitTakesNoImagesError
from imaging.models import Batch, BatchFile, BatchState, FileState, InboxItem, InboxState
from imaging.rules.matching import certain_slot
from imaging.selectors.inbox import slots_of
from imaging.services.keeping import INTAKE
from imaging.services.originals import note_destroyed
from imaging.services.receiving import digest_of
from patients.models import Subject
from trials.models import Site
from visits.models import Visit
from visits.selectors import get_visit

_CHUNK = 1024 * 1024
_PAUSE = timedelta(minutes=2)

UNKNOWN_SUBJECT = "The files name no subject of this site."
UNKNOWN_VISIT = "The subject is known; no visit fits the date of the scan."


def receive_object(
    *,
    actor: Actor,
    content: IO[bytes],
    origin: str,
    subjects: QuerySet[Subject],
    site: Site | None = None,
) -> InboxItem:
    """Keep an object that came over the network. The same object twice is one.

    It is on disk and in the database before the sender is told so; `place_items` then gives it to its visit.

    Parameters
    ----------
    content
        The object with its preamble, seekable.
    subjects
        Those for whom the sender may send.
    site
        Of the sender, where it has one only.

    Raises
    ------
    imaging.dicom.errors.DicomFault
        It is no DICOM object, or does not say what it is. It was not kept.
    """
    opening = opening_of(content)
    sha256 = _sha256(content)
    known = InboxItem.objects.filter(sha256=sha256).first()
    if known is not None and known.state == InboxState.WAITING:
        return known
    size = content.seek(0, 2)
    content.seek(0)
    key = originals.keep_sealed(f"inbox/{uuid4()}", content)
    subject = _named(opening, subjects)
    facts = {
        "stored_key": key,
        "size": size,
        "origin": origin,
        "site": subject.site if subject else site,
        "state": InboxState.WAITING,
        "reason": "" if subject else UNKNOWN_SUBJECT,
        "examination": _examination(opening),
        "claimed": subject.number if subject else "",
        "claimed_visit": opening.visit[:16] if subject else "",
        "taken_on": opening.taken_on,
        "modality": opening.modality,
        "sent_by": actor.name,
        "sent_by_id": actor.id,
        "batch": None,
    }
    with acting(actor):
        item, _new = InboxItem.objects.update_or_create(sha256=sha256, defaults=facts)
    return item


def _named(opening: Opening, subjects: QuerySet[Subject]) -> Subject | None:
    """The subject that an object names, by Clinical Trial Subject ID or else by Patient ID."""
    numbers = [number for number in (opening.subject, opening.patient) if number]
    found = {subject.number: subject for subject in subjects.filter(number__in=numbers)} if numbers else {}
    return next((found[number] for number in numbers if number in found), None)


def _examination(opening: Opening) -> str:
    """Keyed, so that the site's identifier of the examination stands in no row."""
    if not opening.study_uid:
        return ""
    text = f"examination\0{opening.study_uid}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    content.seek(0)
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    content.seek(0)
    return digest.hexdigest()


def place_items(*, actor: Actor, items: Iterable[InboxItem]) -> list[Batch]:
    """Give objects to their visits where no person is needed for it; the others wait, with the reason on their rows.

    Returns
    -------
    list of Batch
        Received, one for each visit; to be processed.
    """
    groups: dict[tuple[str, str, str], list[InboxItem]] = {}
    for item in items:
        if item.state == InboxState.WAITING:
            groups.setdefault((item.claimed, item.claimed_visit, item.examination), []).append(item)
    found: dict[int, tuple[Visit, list[InboxItem]]] = {}
    for group in groups.values():
        visit = _decided_before(group[0]) or _certain_visit(group[0])
        if visit is not None:
            found.setdefault(visit.pk, (visit, []))[1].extend(group)
        elif group[0].claimed:
            _say_why(actor, group)
    given = (_given_or_waiting(actor, visit, group) for visit, group in found.values())
    return [batch for batch in given if batch is not None]


def _given_or_waiting(actor: Actor, visit: Visit, items: Sequence[InboxItem]) -> Batch | None:
    """What arrives after its site was locked is kept in the inbox, with the reason, and touches no subject."""
    try:
        return _give(actor, visit, items)
    except PlaceLockedError as error:
        _say_why(actor, items, error.message)
        return None


def _decided_before(item: InboxItem) -> Visit | None:
    """Where a person gave an earlier object of the same examination and site."""
    if not item.examination:
        return None
    earlier = InboxItem.objects.filter(
        examination=item.examination, state=InboxState.MATCHED, batch__isnull=False
    ).filter(site=item.site)
    matched = earlier.select_related("batch__visit__subject__site", "batch__visit__subject__version").last()
    return matched.batch.visit if matched and matched.batch else None


def _certain_visit(item: InboxItem) -> Visit | None:
    if not item.claimed:
        return None
    subject = Subject.objects.select_related("trial", "site", "version").get(number=item.claimed)
    slot = certain_slot(slots_of([subject])[subject.pk], item.claimed_visit, item.taken_on)
    return get_visit(subject, slot.name) if slot else None


def _say_why(actor: Actor, items: Sequence[InboxItem], why: str = UNKNOWN_VISIT) -> None:
    if items[0].reason == why:
        return
    with acting(actor):
        InboxItem.objects.filter(pk__in=[item.pk for item in items]).update(reason=why)


def _give(actor: Actor, visit: Visit, items: Sequence[InboxItem], **decision: object) -> Batch:
    """One batch for a visit out of objects that wait; the stored objects become its files."""
    with acting(actor):
        held = list(
            InboxItem.objects.select_for_update(of=("self",))
            .filter(pk__in=[item.pk for item in items], state=InboxState.WAITING)
            .order_by("pk")
        )
        if not held:
            raise NotWaitingError
        batch = Batch.objects.create(
            subject_id=visit.subject_id,
            visit=visit,
            origin=held[0].origin,
            manifest_digest=digest_of(f"{item.size} {item.sha256}" for item in held),
            sent_by=held[0].sent_by or actor.name,
            sent_by_id=held[0].sent_by_id,
            state=BatchState.RECEIVED,
            received_at=clock.now(),
        )
        BatchFile.objects.bulk_create(_file(batch, index, item) for index, item in enumerate(held))
        InboxItem.objects.filter(pk__in=[item.pk for item in held]).update(
            state=InboxState.MATCHED, batch=batch, stored_key="", **decision
        )
    return batch


def _file(batch: Batch, index: int, item: InboxItem) -> BatchFile:
    return BatchFile(
        batch=batch,
        subject_id=batch.subject_id,
        index=index,
        path=f"object {index + 1}",
        size=item.size,
        sha256=item.sha256,
        stored_key=item.stored_key,
        state=FileState.RECEIVED,
    )


def match_items(*, actor: Actor, items: Sequence[InboxItem], visit: Visit, reason: str = "") -> Batch:
    """Give an examination to a visit, as a person decided. Its later objects follow by themselves.

    Parameters
    ----------
    reason
        Needed where the files name another subject.

    Raises
    ------
    NotWaitingError, ReasonMissingError, VisitTakesNoImagesError
    """
    subject = visit.subject
    contradicts = any(item.claimed not in ("", subject.number) for item in items)
    if contradicts and len(reason.strip()) < 3:
        raise ReasonMissingError(field="reason")
    plan = next((each for each in subject.version.protocol.visits if each.code == visit.code), None)
    if plan is not None and not plan.imaging:
        raise VisitTakesNoImagesError(visit=plan.name)
    with acting(actor, reason=reason):
        return _give(actor, visit, items, **_decision(actor, reason))


def reject_items(*, actor: Actor, items: Sequence[InboxItem], reason: str) -> None:
    """Destroy objects that belong to nobody here; that they came, and why they went, stays on record.

    Raises
    ------
    NotWaitingError, ReasonMissingError
    """
    if len(reason.strip()) < 3:
        raise ReasonMissingError(field="reason")
    with acting(actor, reason=reason):
        held = list(
            InboxItem.objects.select_for_update(of=("self",)).filter(
                pk__in=[item.pk for item in items], state=InboxState.WAITING
            )
        )
        if not held:
            raise NotWaitingError
        originals.destroy(item.stored_key for item in held)
        note_destroyed(actor, len(held), reason)
        InboxItem.objects.filter(pk__in=[item.pk for item in held]).update(
            state=InboxState.REJECTED, stored_key="", **_decision(actor, reason)
        )


def _decision(actor: Actor, reason: str) -> dict[str, object]:
    return {
        "decided_by": actor.name,
        "decided_at": clock.now(),
        "decision_reason": reason.strip()[:300],
    }


def place_waiting() -> list[Batch]:
    """Try again with what names a subject and waits: its visit may have been recorded since. For a periodic task."""
    waiting = InboxItem.objects.filter(
        state=InboxState.WAITING, received_at__lt=clock.now() - _PAUSE
    ).exclude(claimed="")
    return place_items(actor=INTAKE, items=waiting.select_related("site"))
