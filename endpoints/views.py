"""Pages of the endpoints: one subject, and a trial."""

from __future__ import annotations

from datetime import date

from django.http import HttpResponse

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.banner import subject_banner
from casebook.rules.dates import DateFault, read_date
from endpoints.pages import problems, subject_rows, summaries
from endpoints.policies import may_see_results
from endpoints.selectors import endpoints_of, endpoints_of_all, is_locked, subjects_with_results
from foundation import clock
from foundation.errors import NotFound
from foundation.web import page
from patients.selectors import get_subject
from trials.selectors import get_trial, version_shown, versions_of
from visits.selectors import visits_of


@permission("report.view")
def subject_endpoints(request: Request, number: str) -> HttpResponse:
    """The endpoints of a subject, each with its reason and its sources."""
    subject = get_subject(request.access, number, "report.view")
    roles = request.access.roles(subject.trial.code, subject.site.code)
    if not may_see_results(roles):
        raise NotFound(what="subject", name=number)
    cut_off, fault = _cut_off(request, clock.today(subject.site.time_zone))
    found = endpoints_of(subject, cut_off)
    context = {
        "subject": subject,
        "banner": subject_banner(subject, request.access),
        "found": found,
        "rows": subject_rows(found, visits_of(subject), roles),
        "cut_off": cut_off,
        "fault": fault,
    }
    return page(request, "endpoints/subject.html", context)


@permission("report.view")
def trial_endpoints(request: Request, code: str) -> HttpResponse:
    """The endpoints of all subjects whose reports the person may see, both arms together."""
    trial = get_trial(request.access, code)
    request.access.require("report.view", trial.code)
    roles = request.access.roles(trial.code)
    if not may_see_results(roles):
        raise NotFound(what="trial", name=code)
    today = clock.today()
    cut_off, fault = _cut_off(request, today)
    subjects = subjects_with_results(request.access, trial)
    found = endpoints_of_all(subjects, dict.fromkeys((subject.pk for subject in subjects), cut_off))
    version, locked = version_shown(list(versions_of(trial)), "", today), is_locked(trial)
    everybody = list(found.values())
    context = {
        "trial": trial,
        "version": version,
        "summaries": summaries(version.protocol, everybody, roles, locked=locked),
        "subjects": len(everybody),
        "treated": sum(each.follow_up is not None for each in everybody),
        "problems": problems(everybody) if request.access.may("subject.view", trial.code) else [],
        "cut_off": cut_off,
        "fault": fault,
        "locked": locked,
    }
    return page(request, "endpoints/trial.html", context)


def _cut_off(request: Request, today: date) -> tuple[date, str]:
    """The data cut-off that was asked for, today where none was; and what is wrong with it."""
    typed = request.GET.get("cut_off", "").strip()
    if not typed:
        return today, ""
    try:
        day = date.fromisoformat(read_date(typed, today))
    except DateFault as fault:
        return today, str(fault)
    return (day, "") if day <= today else (today, "The data cut-off cannot lie in the future.")
