"""What waits for those who oversee: new versions to consent to, values to verify, unlocks to approve, exports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.urls import reverse

from accounts.access import Access
from casebook.models import UnlockState
from casebook.pages.places import place_unlocks_visible_to
from casebook.pages.unlocks import unlocks_visible_to
from casebook.verifying import SiteToVerify, sites_to_verify
from patients.policies import OFF_STUDY
from patients.selectors import subjects_visible_to
from reports.models import Export, ExportState
from reports.selectors import exports_visible_to
from reports.waiting.task import Task, counted, of_subject
from trials.selectors import approvals_in_force
from visits.rules.schedule import day_in_words

EXPORT_STAYS = timedelta(days=3)
"""How long an export that is ready is told; a house rule."""


def oversight_tasks(access: Access, today: date, now: datetime) -> Iterator[Task]:
    """What waits beside the casebooks."""
    yield from _moves(access)
    yield from _verification(access)
    yield from _unlocks(access)
    yield from _places(access)
    yield from _exports(access, now)


def _moves(access: Access) -> Iterator[Task]:
    """Subjects who stay on an earlier version although their site may use a later one: two statements.

    The newest version that counts at a site is the one that subjects are asked to consent to.
    """
    newest = {
        (each.version.trial.code, each.site.code): each
        for each in approvals_in_force()
        .select_related("version__trial", "site")
        .defer("version__definition")
        .order_by("version__effective_from", "version_id")
    }
    if not newest or not access.may_anywhere("subject.amend"):
        return
    subjects = subjects_visible_to(access, "subject.amend").exclude(status__in=OFF_STUDY)
    left: Counter[tuple[str, str]] = Counter()
    for trial, site, version in subjects.values_list("trial__code", "site__code", "version__sha256"):
        approval = newest.get((trial, site))
        left[trial, site] += approval is not None and version in approval.version.lineage
    for (trial, site), number in left.items():
        if number:
            approval = newest[trial, site]
            yield Task(
                kind="amendments",
                state="waiting",
                title=f"{approval.site.name} · {counted(number, 'subject')} to consent to {approval.version.label}",
                detail=f"Version {approval.version.label} of {approval.version.trial.short_title} counts there since "
                f"{day_in_words(approval.approved_on)}; see what would change before anybody moves.",
                url=reverse("move-subjects", args=[trial, approval.version.label]),
                trial=trial,
                site=site,
            )


def _verification(access: Access) -> Iterator[Task]:
    """Values to compare with the source, site by site."""
    if access.may_anywhere("verify.entry"):
        yield from (_site(each) for each in sites_to_verify(access) if each.waits)


def _site(each: SiteToVerify) -> Task:
    changed = f", {each.changed} of them changed since" if each.changed else ""
    return Task(
        kind="verification",
        state="changed" if each.changed else "due",
        title=f"{each.name} · {counted(each.waits, 'value')} to verify",
        detail=f"{each.trial}: on {counted(each.forms, 'form')} of "
        f"{counted(sum(bool(one.waits) for one in each.subjects), 'subject')}{changed}.",
        url=f"{reverse('verification')}?trial={each.trial}&site={each.site}",
        trial=each.trial,
        site=each.site,
    )


def _unlocks(access: Access) -> Iterator[Task]:
    """What somebody else asked to unlock; nobody approves their own."""
    for each in unlocks_visible_to(access).filter(state=UnlockState.ASKED).exclude(asked_by=access.user_id):
        subject = each.subject
        if access.may("unlock.approve", subject.trial.code, subject.site.code):
            yield of_subject(
                "unlocks",
                "waiting",
                subject,
                "Unlocking was asked for",
                f"{each.asked_by.full_name}: {each.reason}",
                reverse("unlock", args=[each.pk]),
                each.asked_at.date(),
            )


def _places(access: Access) -> Iterator[Task]:
    """Sites and studies that somebody else asked to unlock."""
    if not access.may_anywhere("unlock.approve"):
        return
    for each in place_unlocks_visible_to(access):
        site = each.lock.site
        code = site.code if site is not None else ""
        if each.state != UnlockState.ASKED or each.asked_by_id == access.user_id:
            continue
        if access.may("unlock.approve", each.lock.trial.code, code):
            yield Task(
                kind="unlocks",
                state="waiting",
                title=f"{site.name if site is not None else each.lock.trial.short_title} · Unlocking was asked for",
                detail=f"{each.asked_by.full_name}: {each.reason}",
                url=reverse("place-unlock", args=[each.pk]),
                due=each.asked_at.date(),
                trial=each.lock.trial.code,
                site=code,
            )


def _exports(access: Access, now: datetime) -> Iterator[Task]:
    if not access.may_anywhere("export.run"):
        return
    ended = exports_visible_to(access).filter(
        state__in=(ExportState.DONE, ExportState.FAILED), requested_at__gte=now - EXPORT_STAYS
    )
    yield from (_export(each) for each in ended)


def _export(export: Export) -> Task:
    ready = export.state == ExportState.DONE
    return Task(
        "exports",
        "ready" if ready else "failed",
        f"Export of {export.trial.short_title} {'is ready' if ready else 'failed'}",
        f"Asked for on {day_in_words(export.requested_at.date())}.",
        reverse("export", args=[export.pk]),
        trial=export.trial.code,
    )
