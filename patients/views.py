"""Subjects of a person's sites, and registering a patient."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.decorators import permission
from accounts.requests import Request
from foundation.errors import DomainError
from foundation.web import page
from patients.forms import RegisterForm
from patients.models import Subject, SubjectStatus
from patients.selectors import subjects_visible_to
from patients.services import enter_patient
from trials.models import Site, Trial
from trials.selectors import trials_visible_to

PER_PAGE = 50


@permission("subject.view")
def subjects(request: Request) -> HttpResponse:
    """Subjects, filtered by trial, site, status and part of the number; one exact hit opens at once."""
    wanted = {key: request.GET.get(key, "").strip() for key in ("q", "trial", "site", "status")}
    found = _narrowed(subjects_visible_to(request.access), wanted)
    if wanted["q"] and len(hits := list(found[:2])) == 1:
        return redirect("subject", hits[0].number)
    shown = Paginator(found.defer("version__definition"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "shown": shown,
        "wanted": wanted,
        "trials": trials_visible_to(request.access, ("subject.view",)),
        "sites": _sites(request),
        "statuses": SubjectStatus.choices,
        "may_register": request.access.may_anywhere("subject.register"),
    }
    return page(request, "patients/subjects.html", context)


def _narrowed(found: QuerySet[Subject], wanted: dict[str, str]) -> QuerySet[Subject]:
    if wanted["q"]:
        found = found.filter(Q(number__icontains=wanted["q"]) | Q(patient__code__icontains=wanted["q"]))
    for key, lookup in (("trial", "trial__code"), ("site", "site__code"), ("status", "status")):
        if wanted[key]:
            found = found.filter(**{lookup: wanted[key]})
    return found


def _sites(request: Request) -> QuerySet[Site]:
    visible = subjects_visible_to(request.access).values("site")
    return Site.objects.filter(pk__in=visible)


@permission("subject.register")
def register(request: Request) -> HttpResponse:
    """Register a patient and begin screening."""
    sites, trials = _choices(request)
    form = RegisterForm(request.POST or None, sites=sites, trials=trials)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("subject", _entered(request, form.cleaned_data)[0].number)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    return page(request, "patients/register.html", {"form": form}, status=422 if form.errors else 200)


def _entered(request: Request, data: dict[str, object]) -> list[Subject]:
    site = Site.objects.get(code=data["site"])
    trials = list(Trial.objects.filter(code__in=data["trials"]).order_by("code"))  # type: ignore[misc]
    for trial in trials:
        request.access.require("subject.register", trial.code, site.code)
    return enter_patient(
        actor=request.access.actor(trials[0].code, site.code),
        site=site,
        code=str(data["code"]),
        trials=trials,
    )


def _choices(request: Request) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    scopes = request.access.scopes("subject.register")
    trials = Trial.objects.filter(code__in={trial for trial, _ in scopes})
    condition = Q(pk__in=[])
    for trial, site in scopes:
        here = Q(trial_sites__trial__code=trial)
        condition |= here & Q(code=site) if site else here
    sites = Site.objects.filter(condition).distinct()
    return (
        [(site.code, f"{site.code} · {site.name}") for site in sites],
        [(trial.code, trial.short_title) for trial in trials],
    )
