"""Eligibility, treatment, serious events and questionnaires that wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from django.urls import reverse

from accounts.access import Access
from eligibility.selectors import EligibilityTask, unsigned_or_stale
from qol.models import InvitationState
from qol.selectors import questionnaires_expected
from reports.waiting.casebook import visit_name
from reports.waiting.task import Task, of_subject
from safety.selectors.worklist import sae_clocks
from treatment.selectors.worklist import broken_limits, subjects_to_treat


def clinic_tasks(access: Access, today: date, now: datetime) -> Iterator[Task]:
    """What waits at the bedside."""
    yield from _eligibility(access, today)
    yield from _treatment(access, now)
    yield from _safety(access, now)
    yield from _questionnaires(access, today)


def _eligibility(access: Access, today: date) -> Iterator[Task]:
    """Out of date or about to run out, for the site; to sign, for whoever may sign."""
    for each in unsigned_or_stale(access, today, permission="entry.write"):
        if each.kind == "unsigned" and not _may_sign(access, each):
            continue
        title = each.title.removeprefix(f"{each.subject.number} · ")
        yield of_subject("eligibility", each.state, each.subject, title, each.detail, each.url, each.due)


def _may_sign(access: Access, each: EligibilityTask) -> bool:
    return access.may("eligibility.sign", each.subject.trial.code, each.subject.site.code)


def _treatment(access: Access, now: datetime) -> Iterator[Task]:
    for each in (*subjects_to_treat(access), *broken_limits(access, now)):
        yield of_subject("treatment", each.state, each.subject, each.title, each.detail, each.url)


def _safety(access: Access, now: datetime) -> Iterator[Task]:
    for each in sae_clocks(access, now):
        due = each.due.date() if each.due else now.date()
        title = f"Serious event: {each.term}"
        yield of_subject("safety", "overdue", each.subject, title, f"{each.because}.", each.url, due)


def _questionnaires(access: Access, today: date) -> Iterator[Task]:
    for each in questionnaires_expected(access, "qol.invite"):
        link = each.invitation
        sent = link is not None and link.state == InvitationState.OPEN
        yield of_subject(
            "questionnaires",
            "overdue" if each.due < today else "sent" if sent else "not-started",
            each.subject,
            f"{each.questionnaire.instrument.code} of {visit_name(each.visit)}",
            "The link was sent; no answers yet." if sent else "Not received, and no link is open.",
            reverse("quality-of-life", args=[each.subject.number]),
            each.due,
        )
