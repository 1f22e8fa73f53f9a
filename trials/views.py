"""Pages of the room: the list of trials, and the protocol of one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from accounts.decorators import permission
from foundation import clock
from foundation.web import page
from trials import selectors
from trials.rules import overview

PARTS = (
    ("", "Overview"),
    ("visits", "Visits and forms"),
    ("eligibility", "Eligibility"),
    ("decisions", "Open decisions"),
    ("sources", "Sources"),
)
"""Parts of a protocol as its page shows them, one at a time."""


@permission("report.view")
def trial_list(request: HttpRequest) -> HttpResponse:
    """List the trials that the person may see, with the version in force."""
    trials = selectors.trials_in_force(request.access, clock.today())  # type: ignore[attr-defined]
    return page(request, "trials/list.html", {"trials": trials})


@permission("report.view")
def protocol(request: HttpRequest, code: str) -> HttpResponse:
    """Show a protocol: arms, visit plan, criteria with their source, open decisions."""
    trial = selectors.get_trial(request.access, code)  # type: ignore[attr-defined]
    versions = list(selectors.versions_of(trial))
    version = selectors.version_shown(versions, request.GET.get("version", ""), clock.today())
    shown = version.published
    part = request.GET.get("part", "")
    context = {
        "parts": PARTS,
        "part": part if part in dict(PARTS) else "",
        "trial": trial,
        "version": version,
        "versions": versions,
        "protocol": shown,
        "visits": [(visit, overview.timing_of(visit, shown)) for visit in shown.visits],
        "plan": overview.visit_plan(shown),
        "criteria": overview.criteria_lists(shown),
        "decisions": overview.by_kind(overview.open_decisions(shown)),
        "sites": selectors.sites_of(trial),
        "may_approve": request.access.may("protocol.approve", trial.code),  # type: ignore[attr-defined]
    }
    return page(request, "trials/protocol.html", context)
