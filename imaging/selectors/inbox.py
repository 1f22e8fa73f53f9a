"""The inbox: what came over the network and waits for a visit, and where it may belong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet

from accounts.access import Access
from foundation.errors import NotFound
from imaging.dicom.deidentify import patient_fingerprint
from imaging.dicom.errors import DicomFault
from imaging.dicom.first_step import blinded_number
from imaging.dicom.opening import opening_of
from imaging.models import ImagingKey, InboxItem, InboxState, PatientNumber
from imaging.originals import opened
from imaging.rules.matching import Slot, by_nearness, is_near
from imaging.sealing import SealBroken, unseal
from patients.models import Subject
from patients.selectors import subjects_visible_to
from visits.models import Visit, VisitState

PERMISSION = "image.match"
SHOWN = 5


def items_visible_to(access: Access) -> QuerySet[InboxItem]:
    """Objects that somebody may match; what names no site is for those who work for all sites of a trial."""
    condition = Q(pk__in=[])
    for trial, site in access.scopes(PERMISSION):
        if site:
            condition |= Q(site__code=site)
        else:
            own = Q(site__in=Subject.objects.filter(trial__code=trial).values("site")) if trial else Q()
            condition |= own | Q(site=None)
    return InboxItem.objects.filter(condition).select_related("site")


@dataclass(frozen=True)
class Examination:
    """Objects of one examination that wait together.

    Attributes
    ----------
    opaque
        Of its first object; the address of the examination.
    """

    opaque: UUID
    site: str
    origin: str
    modality: str
    taken_on: date | None
    objects: int
    received_at: datetime
    claimed: str
    reason: str
    sent_by: str


def examinations_waiting(access: Access) -> list[Examination]:
    """Examinations in the inbox, oldest first; two statements."""
    waiting = items_visible_to(access).filter(state=InboxState.WAITING)
    groups = (
        waiting.order_by()
        .values("examination", "site")
        .annotate(first=Min("pk"), held=Count("pk"), since=Min("received_at"), last=Max("pk"))
    )
    counted = {row["first"]: row["held"] for row in groups}
    return [_examination(item, counted[item.pk]) for item in waiting.filter(pk__in=counted)]


def _examination(item: InboxItem, objects: int) -> Examination:
    return Examination(
        opaque=item.opaque,
        site=item.site.code if item.site else "",
        origin=item.get_origin_display(),
        modality=item.modality,
        taken_on=item.taken_on,
        objects=objects,
        received_at=item.received_at,
        claimed=item.claimed,
        reason=item.reason,
        sent_by=item.sent_by,
    )


def get_items(access: Access, opaque: UUID) -> list[InboxItem]:
    """All waiting objects of the examination to which an object belongs, that object first.

    Raises
    ------
    NotFound
    """
    visible = items_visible_to(access).filter(state=InboxState.WAITING)
    first = visible.filter(opaque=opaque).first()
    if first is None:
        raise NotFound(what="examination", name=str(opaque))
    others = visible.filter(examination=first.examination, site=first.site).exclude(pk=first.pk)
    return [first, *(others if first.examination else ())]


def examination_of(items: list[InboxItem]) -> Examination:
    """The examination that objects make."""
    return _examination(items[0], len(items))


@dataclass(frozen=True)
class Proposal:
    """A visit to which an examination may belong, and why."""

    subject: Subject
    visit: str
    why: str


def subjects_to_choose(access: Access, item: InboxItem) -> QuerySet[Subject]:
    """Subjects to whom an object may be given: those of its site."""
    found = subjects_visible_to(access, PERMISSION)
    return found if item.site is None else found.filter(site=item.site)


def slots_of(subjects: Iterable[Subject]) -> dict[int, list[Slot]]:
    """Visits that take images, by subject; two statements, whatever their number."""
    by_key = {subject.pk: subject for subject in subjects}
    found: dict[int, list[Slot]] = {key: [] for key in by_key}
    visits = Visit.objects.filter(subject__in=by_key).exclude(state=VisitState.SUPERSEDED)
    for visit in visits.order_by("subject", "ordinal", "sequence"):
        plans = by_key[visit.subject_id].version.protocol.visits
        plan = next((each for each in plans if each.code == visit.code), None)
        if plan is None or plan.imaging:
            dates = (visit.happened_on, visit.earliest, visit.target, visit.latest)
            found[visit.subject_id].append(Slot(str(visit), *dates))
    return found


def proposals(access: Access, item: InboxItem) -> list[Proposal]:
    """Where an examination may belong: by the subject it names, by its patient number, then by its date."""
    subjects = list(subjects_to_choose(access, item))
    slots = slots_of(subjects)
    known = _known_by_number(item, subjects)
    ranked: list[tuple[int, int, Proposal]] = []
    for subject in subjects:
        strength, why = _strength(item, subject, known)
        for slot, distance in by_nearness(slots[subject.pk], item.taken_on):
            named = strength == 0 and item.claimed_visit == slot.name
            if named or is_near(distance):
                days = -1 if named else distance or 0
                words = "; ".join(filter(None, (why, "names this visit" if named else _days(days))))
                ranked.append((strength, days, Proposal(subject, slot.name, words)))
    ranked.sort(key=lambda each: each[:2])
    return [proposal for _strength_, _days_, proposal in ranked[:SHOWN]]


def _strength(item: InboxItem, subject: Subject, known: set[int]) -> tuple[int, str]:
    if item.claimed and item.claimed == subject.number:
        return 0, "the files name this subject"
    if subject.pk in known:
        return 1, "same patient number as earlier images"
    return 2, ""


def _days(days: int) -> str:
    if days == 0:
        return "taken on the day of the visit"
    return f"taken {days} day{'s' if days != 1 else ''} from the visit"


def _known_by_number(item: InboxItem, subjects: list[Subject]) -> set[int]:
    """Subjects whose earlier images carry the patient number of this object; the number itself is shown to nobody."""
    patient = patient_of(item)
    digests = dict(
        PatientNumber.objects.filter(subject__in=subjects, ended_at=None).values_list("digest", "subject")
    )
    if not patient or not digests:
        return set()
    keys = ImagingKey.objects.filter(subject__in=digests.values()).select_related("subject__site")
    return {key.subject_id for key in keys if digests.get(_digest_under(key, patient)) == key.subject_id}


def _digest_under(key: ImagingKey, patient: str) -> str:
    number = blinded_number(patient, key.subject.site.code)
    return patient_fingerprint(unseal(key.sealed, key.subject_id), number)


def patient_of(item: InboxItem) -> str:
    """The hospital's patient number in the stored object; empty where it cannot be read."""
    try:
        with opened(item.stored_key) as stored:
            return opening_of(stored).patient
    except (DicomFault, OSError, SealBroken):
        return ""
