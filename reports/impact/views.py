"""Pages of an amendment: what it would do, and moving subjects to it, one or many."""

from __future__ import annotations

from datetime import date

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from foundation import clock
from foundation.errors import DomainError, NotFound
from foundation.tasks import enqueue
from foundation.web import page
from patients.models import Subject
from patients.selectors import get_subject, moves_of
from reports import tasks
from reports.impact.consents import consents_of
from reports.impact.moving import (
    candidates_for,
    impact_on,
    impact_on_all,
    move,
    move_many,
    to_be_moved,
)
from reports.impact.result import cards, kept_in_words, reached
from reports.impact.running import get_simulation, newest_simulation, request_simulation
from reports.models import ExportState
from trials.models import ProtocolVersion
from trials.selectors import get_trial
from visits.rules.schedule import day_in_words

ENDED = frozenset({ExportState.DONE, ExportState.FAILED})


@permission("export.run")
def impact(request: Request, code: str, label: str) -> HttpResponse:
    """Show what a version would do to the subjects, or ask to find out."""
    version = _version(request, code, label, "export.run")
    if request.method == "POST":
        made = request_simulation(
            actor=request.access.actor(version.trial.code), access=request.access, version=version
        )
        enqueue(tasks.make_simulation, made.pk)
        return redirect("impact", code, label)
    found = newest_simulation(request.access, version)
    result = found.result if found is not None else None
    subjects, only = result["subjects"] if result else [], request.GET.get("only", "")
    context = {
        "trial": version.trial,
        "version": version,
        "simulation": found,
        "waits": found is not None and found.state not in ENDED,
        "result": result,
        "cards": cards(subjects, only),
        "subjects": reached(subjects, only),
        "kept": kept_in_words(result["difference"]["kept"]) if result else "",
        "may_open": request.access.may("subject.view", version.trial.code),
    }
    return page(request, "reports/impact.html", context)


@permission("export.run")
def impact_status(request: Request, simulation_id: int) -> HttpResponse:
    """Progress for the page that waits."""
    found = get_simulation(request.access, simulation_id)
    return JsonResponse(
        {
            "state": found.state.lower(),
            "done": found.done,
            "total": found.total or 1,
            "text": found.problem or f"{found.done} of {found.total} subjects",
            **({"redirect": reverse("impact", args=_place(found.version))} if found.state in ENDED else {}),
        }
    )


@permission("subject.view")
def subject_version(request: Request, number: str) -> HttpResponse:
    """Show which protocol version a subject is on, what the next would change, and move it there."""
    subject = get_subject(request.access, number)
    error: DomainError | None = None
    if request.method == "POST":
        request.access.require("subject.amend", subject.trial.code, subject.site.code)
        try:
            move(request.access, subject, request.POST)
            return redirect("subject-version", number)
        except DomainError as refused:
            error = refused
    return _subject_page(request, subject, error)


def _subject_page(request: Request, subject: Subject, error: DomainError | None) -> HttpResponse:
    today = clock.today(subject.site.time_zone)
    versions = candidates_for(subject, today)
    wanted = request.POST.get("version") or request.GET.get("to", "")
    chosen = next((each for each in versions if each.label == wanted), versions[0] if versions else None)
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "moves": list(moves_of(subject)),
        "versions": versions,
        "chosen": chosen,
        "impact": impact_on(subject, chosen) if chosen else None,
        "may_move": request.access.may("subject.amend", subject.trial.code, subject.site.code),
        "consented": consents_of([subject], chosen).get(subject.pk) if chosen else None,
        "error": error,
        "typed": request.POST,
    }
    return page(request, "reports/impact_subject.html", context, status=error.status if error else 200)


@permission("subject.amend")
def move_subjects(request: Request, code: str, label: str) -> HttpResponse:
    """Move several subjects to a version, each with the day of its own consent."""
    version = _version(request, code, label, "subject.amend")
    subjects = to_be_moved(request.access, version)
    outcome = move_many(request.access, version, subjects, request.POST) if request.method == "POST" else None
    if outcome is not None and not outcome.refused:
        return redirect("move-subjects", code, label)
    left = [each for each in subjects if outcome is None or each.pk not in outcome.moved]
    found = {each.number: each for each in impact_on_all(left, version)} if left else {}
    days = consents_of(left, version) if left else {}
    rows = [
        {
            "subject": each,
            "impact": found.get(each.number),
            "typed": request.POST.get(f"on-{each.number}", "") if outcome else _words(days.get(each.pk)),
            "error": outcome.refused.get(each.number, "") if outcome else "",
        }
        for each in left
    ]
    context = {
        "trial": version.trial,
        "version": version,
        "rows": rows,
        "moved": len(outcome.moved) if outcome else 0,
        "reason": request.POST.get("reason", ""),
        "error": outcome.error if outcome else "",
    }
    return page(request, "reports/impact_move.html", context, status=422 if outcome else 200)


def _words(day: date | None) -> str:
    return day_in_words(day) if day else ""


def _place(version: ProtocolVersion) -> list[str]:
    return [version.trial.code, version.label]


def _version(request: Request, code: str, label: str, wanted: str) -> ProtocolVersion:
    trial = get_trial(request.access, code, (wanted,))
    version = trial.versions.filter(label=label).select_related("trial").first()
    if version is None:
        raise NotFound
    return version
