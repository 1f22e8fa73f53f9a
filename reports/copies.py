"""Copies of a casebook on paper: a short one at once, a long one by a worker."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.access import Access
from accounts.models import User
from accounts.selectors import access_of
from audit.context import Actor, acting, service_actor
from audit.models import Event
from audit.moment import standing_at
from casebook.rules.moment import moment_in_words
from foundation import clock
from foundation.errors import DomainError, NotFound
from patients.models import Subject
from patients.selectors import get_subject_by_key
from reports import work
from reports.casebook_pdf.content import casebook_copy
from reports.casebook_pdf.document import Imprint, document
from reports.models import CasebookCopy, CopyRequest, ExportState

LONG: Final = 600
"""Events of a subject's trail from which on a worker makes the paper; so many take about a second."""
ACTOR = service_actor("copies of casebooks")


@dataclass(frozen=True)
class Paper:
    """A PDF, and the digest of what it says."""

    content: bytes
    sha256: str


def takes_long(subject: Subject) -> bool:
    """Whether nobody should wait for the paper with the page open."""
    return Event.objects.filter(subject_id=subject.pk)[LONG : LONG + 1].exists()


def take_copy(*, actor: Actor, subject: Subject, as_of: datetime | None) -> tuple[Paper, CasebookCopy]:
    """Make the paper and note that somebody takes it away."""
    paper = make_paper(subject.pk, as_of, made_for=actor.name)
    return paper, record_copy(actor=actor, subject=subject, as_of=as_of, paper=paper)


def request_copy(*, actor: Actor, subject: Subject, as_of: datetime | None) -> CopyRequest:
    """Ask for a paper; a worker makes it (the caller enqueues `tasks.make_copy`, or a sweep finds it)."""
    if actor.id is None:
        raise PermissionError("A copy is made for a person.")
    with acting(actor):
        return CopyRequest.objects.create(subject=subject, as_of=as_of, requested_by_id=actor.id)


def get_copy_request(access: Access, subject: Subject, key: int) -> CopyRequest:
    """A copy that this person asked for.

    Raises
    ------
    NotFound
    """
    found = CopyRequest.objects.filter(pk=key, subject=subject, requested_by=access.user_id)
    request = found.select_related("copy").first()
    if request is None:
        raise NotFound
    return request


def make_copy(key: int) -> None:
    """Make a copy that waits. Safe to run twice: only one run claims it."""
    if not work.claim(CopyRequest, key, ACTOR):
        return
    asked = CopyRequest.objects.select_related("subject__trial", "subject__site", "requested_by").get(pk=key)
    try:
        paper = make_paper(asked.subject_id, asked.as_of, made_for=asked.requested_by.full_name)
        name = f"copies/{asked.subject.number}-{asked.pk}.pdf"
        file = default_storage.save(name, ContentFile(paper.content))
    except (DomainError, OSError) as error:
        work.keep(CopyRequest, key, ACTOR, state=ExportState.FAILED, problem=str(error)[:300])
        return
    actor = _actor(asked.requested_by, asked.subject)
    copy = record_copy(actor=actor, subject=asked.subject, as_of=asked.as_of, paper=paper)
    work.keep(CopyRequest, key, ACTOR, state=ExportState.DONE, file=file, copy=copy)


def make_paper(subject_id: int, as_of: datetime | None, *, made_for: str) -> Paper:
    """Everything that is known of a subject, as it is or as it stood.

    Parameters
    ----------
    as_of
        None for the present.
    made_for
        Printed on every page.
    """
    now = clock.now()
    with standing_at(subject_id, as_of) if as_of else nullcontext():
        subject = get_subject_by_key(subject_id)
        copy = casebook_copy(subject)
    imprint = Imprint(
        system=f"Hilum {settings.VERSION}",
        made_at=moment_in_words(now, ZoneInfo(subject.site.time_zone)),
        made_by=made_for,
        digest=copy.digest,
        training=settings.TRAINING,
    )
    return Paper(document(copy, imprint), copy.digest)


def record_copy(*, actor: Actor, subject: Subject, as_of: datetime | None, paper: Paper) -> CasebookCopy:
    """Note that somebody takes a casebook away: which moment, what it says, and what tells it from a changed file."""
    with acting(actor):
        return CasebookCopy.objects.create(
            subject=subject,
            as_of=as_of,
            content_sha256=paper.sha256,
            file_sha256=hashlib.sha256(paper.content).hexdigest(),
        )


def _actor(user: User, subject: Subject) -> Actor:
    return access_of(user).actor(subject.trial.code, subject.site.code)
