"""The inbox: an examination that came over the network is given to a visit, or sent back with a reason."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from foundation.tasks import enqueue
from foundation.web import page
from imaging.errors import SubjectMissingError
from imaging.forms import reason_in
from imaging.models import InboxItem
from imaging.rules.matching import by_nearness
from imaging.selectors import inbox
from imaging.services import match_items, reject_items
from imaging.tasks import process_batch
from patients.models import Subject
from patients.selectors import get_subject
from visits.selectors import get_visit

CHOICES = 300


@permission(inbox.PERMISSION)
@require_GET
def examination(request: Request, opaque: UUID) -> HttpResponse:
    """One examination: where it may belong, and the choice of any other subject and visit."""
    items = inbox.get_items(request.access, opaque)
    number = request.GET.get("subject", "").strip()
    subject = get_subject(request.access, number, inbox.PERMISSION) if number else None
    context = {
        "examination": inbox.examination_of(items),
        "proposals": inbox.proposals(request.access, items[0]),
        "subjects": inbox.subjects_to_choose(request.access, items[0])[:CHOICES],
        "subject": subject,
        "visits": _visits(subject, items[0]) if subject else [],
    }
    return page(request, "imaging/examination.html", context)


def _visits(subject: Subject, item: InboxItem) -> list[tuple[str, str]]:
    """Visits of a subject that take images with their distance in words, the nearest first."""
    ranked = by_nearness(inbox.slots_of([subject])[subject.pk], item.taken_on)
    return [
        (slot.name, "no date yet" if days is None else f"{days} day{'s' if days != 1 else ''} apart")
        for slot, days in ranked
    ]


@permission(inbox.PERMISSION)
@require_POST
def match(request: Request, opaque: UUID) -> HttpResponse:
    """Give the examination to a visit; it is processed like any other upload."""
    items = inbox.get_items(request.access, opaque)
    number = request.POST.get("subject", "")
    if not number:
        raise SubjectMissingError(field="subject")
    subject = get_subject(request.access, number, inbox.PERMISSION)
    batch = match_items(
        actor=request.access.actor(subject.trial.code, subject.site.code),
        items=items,
        visit=get_visit(subject, request.POST.get("visit", "")),
        reason=reason_in(request),
    )
    enqueue(process_batch, batch.pk)
    messages.success(request, f"Given to {subject.number}, {batch.visit}; the images are checked now.")
    return redirect("image-batch", batch.opaque)


@permission(inbox.PERMISSION)
@require_POST
def reject(request: Request, opaque: UUID) -> HttpResponse:
    """Destroy an examination that belongs to nobody here."""
    items = inbox.get_items(request.access, opaque)
    site = items[0].site
    actor = request.access.actor(None, site.code if site else None)
    reject_items(actor=actor, items=items, reason=reason_in(request))
    messages.success(request, f"Rejected: {len(items)} objects were destroyed.")
    return redirect("image-inbox")
