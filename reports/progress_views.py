"""Progress of a trial, for the sponsor and for everybody who reports."""

from __future__ import annotations

from django.http import HttpResponse

from accounts.decorators import permission
from accounts.requests import Request
from eligibility.selectors.lists import screening_outcomes
from foundation import charts, clock
from foundation.errors import NotFound
from foundation.web import page
from reports.progress import Progress, progress_of
from trials.models import Trial
from trials.selectors import trials_visible_to

REPORTING = ("report.view",)


@permission("report.view")
def progress(request: Request) -> HttpResponse:
    """Enrolment, screening outcomes by criterion, completeness of the data."""
    trials = list(trials_visible_to(request.access, REPORTING))
    trial = _chosen(trials, request.GET.get("trial", ""))
    today = clock.today()
    shown = progress_of(request.access, trial, today)
    context = {
        "trials": trials,
        "trial": trial,
        "shown": shown,
        "enrolment": charts.enrolment(
            shown.enrolled,
            today=today,
            label=f"{len(shown.enrolled)} subjects enrolled in {trial.short_title}",
        ),
        "screening": _screening_chart(request, trial),
        "completeness": _completeness_chart(shown),
    }
    return page(request, "reports/progress.html", context)


def _chosen(trials: list[Trial], code: str) -> Trial:
    if not trials:
        raise NotFound(what="trial", name=code)
    if not code:
        return trials[0]
    for trial in trials:
        if trial.code == code:
            return trial
    raise NotFound(what="trial", name=code)


def _screening_chart(request: Request, trial: Trial) -> str:
    """Criteria that kept people out, and those that wait for an answer."""
    outcomes = screening_outcomes(trial, request.access, clock.today())
    rows = [
        (
            f"{each.criterion.id} {each.criterion.label}",
            [("stop", each.failed), ("attention", each.undetermined)],
        )
        for each in outcomes.criteria
        if each.failed or each.undetermined
    ]
    if not rows:
        return ""
    return charts.bars(
        rows,
        label="Subjects by criterion that was against them, or is not known yet",
        tones=[("stop", "Against"), ("attention", "Not known yet")],
    )


def _completeness_chart(shown: Progress) -> str:
    rows = [
        (
            row.name,
            [
                ("ok", row.forms_complete),
                ("attention", row.forms_due - row.forms_complete - row.overdue),
                ("stop", row.overdue),
            ],
        )
        for row in shown.sites
        if row.forms_due
    ]
    if not rows:
        return ""
    return charts.bars(
        rows,
        label="Forms that are due, by site",
        tones=[("ok", "Complete"), ("attention", "Not complete yet"), ("stop", "Overdue")],
    )
