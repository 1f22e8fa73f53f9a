"""Versions of a protocol at the sites: approvals recorded and withdrawn."""

from __future__ import annotations

from datetime import date

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from foundation import clock
from foundation.errors import DomainError, NotFound
from foundation.web import page
from trials import services
from trials.amendments import version_rows
from trials.errors import ApprovalRefused
from trials.models import Trial, TrialSite
from trials.selectors import approvals_of, get_trial

APPROVING = ("protocol.approve",)


@permission("protocol.approve")
@require_GET
def versions(request: Request, code: str) -> HttpResponse:
    """Show the versions of a trial at its sites."""
    return _shown(request, get_trial(request.access, code, APPROVING))


@permission("protocol.approve")
@require_POST
def approve(request: Request, code: str) -> HttpResponse:
    """Record that a site may use a version."""
    trial = get_trial(request.access, code, APPROVING)
    part = TrialSite.objects.select_related("site").filter(
        trial=trial, site__code=request.POST.get("site", "")
    )
    version = trial.versions.filter(label=request.POST.get("version", "")).select_related("trial").first()
    found = part.first()
    if found is None or version is None:
        raise NotFound
    request.access.require("protocol.approve", trial.code, found.site.code)
    try:
        services.approve_version(
            actor=request.access.actor(trial.code, found.site.code),
            site=found.site,
            version=version,
            approved_on=_day(request.POST.get("approved_on", "")),
            document=request.POST.get("document", ""),
        )
    except DomainError as error:
        return _shown(request, trial, error)
    return redirect("trials:versions", trial.code)


@permission("protocol.approve")
@require_POST
def withdraw(request: Request, code: str, approval_id: int) -> HttpResponse:
    """Take an approval back."""
    trial = get_trial(request.access, code, APPROVING)
    approval = approvals_of(trial).filter(pk=approval_id).first()
    if approval is None:
        raise NotFound
    request.access.require("protocol.approve", trial.code, approval.site.code)
    try:
        services.withdraw_approval(
            actor=request.access.actor(trial.code, approval.site.code),
            approval=approval,
            reason=request.POST.get("reason", ""),
        )
    except DomainError as error:
        return _shown(request, trial, error)
    return redirect("trials:versions", trial.code)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ApprovalRefused(
            field="approved_on", why=f"“{text}” is not a date. Write it like 2026-03-01."
        ) from None


def _shown(request: Request, trial: Trial, error: DomainError | None = None) -> HttpResponse:
    context = {
        "trial": trial,
        "rows": version_rows(trial, clock.today()),
        "error": error,
        "typed": request.POST,
        "today": clock.today(),
        "may_read": request.access.may("report.view", trial.code),
        "may_try": request.access.may("export.run", trial.code),
        "may_move": request.access.may("subject.amend", trial.code),
    }
    return page(request, "trials/amendment.html", context, status=error.status if error else 200)
