"""All casebooks of a trial in one matrix: subjects × visits."""

from __future__ import annotations

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.decorators import permission
from accounts.requests import Request
from casebook.narrowing import SHOW, SORT, Wanted, narrowed
from casebook.pages.study_matrix import by_site, columns_of, pictures_of, subject_rows
from foundation import clock
from foundation.errors import NotFound
from foundation.web import page
from patients.models import SubjectStatus
from patients.selectors import subjects_visible_to
from trials.models import Trial
from trials.selectors import sites_visible_to, trials_visible_to, versions_of

ROWS = (50, 100, 500)
SEEN = "subject.view"


@permission("subject.view")
def casebooks(request: Request) -> HttpResponse:
    """Subjects × visits of one trial, narrowed and sorted by the address; without a trial, the first of them."""
    trials = list(trials_visible_to(request.access, (SEEN,)))
    trial = _chosen(trials, request.GET.get("trial", ""))
    if not request.GET.get("trial"):
        asked = {**request.GET.dict(), "trial": trial.code}
        return redirect(f"{request.path}?{urlencode(asked)}")
    wanted = _wanted(request, trial)
    versions = list(reversed(versions_of(trial)))
    found = narrowed(subjects_visible_to(request.access), wanted, versions, clock.today())
    rows_a_page = _rows_a_page(request)
    shown = Paginator(found, rows_a_page).get_page(request.GET.get("page"))
    columns = columns_of(versions)
    rows = subject_rows(list(shown.object_list), columns)
    context = {
        "trial": trial,
        "trials": trials,
        "sites": sites_visible_to(request.access, SEEN, trial),
        "statuses": SubjectStatus.choices,
        "show": SHOW.items(),
        "sort": SORT.items(),
        "wanted": wanted,
        "shown": shown,
        "columns": columns,
        "groups": by_site(rows) if not wanted.sort else [("", rows)],
        "pictures": pictures_of(rows),
        "address": _address(wanted, rows_a_page),
        "rows_a_page": rows_a_page,
        "most": ROWS[-1],
        "legend": LEGEND,
    }
    return page(request, "casebook/casebooks.html", context)


DATA_STATES = ("overdue", "in-progress", "not-started", "visit-due", "complete", "not-done", "locked")
LEGEND = (
    ("Data", tuple((state, state) for state in DATA_STATES)),
    ("Queries", (("query-open", "query-open"), ("query-answered", "query-answered"))),
    (
        "Verification",
        (("verified", "checked-all"), ("part-verified", "checked-part"), ("changed", "checked-changed")),
    ),
    ("Signature", (("signed", "signed"), ("sign-again", "sign-again"))),
)
"""The four marks: states as they are shown, and the words of the cells that they pick out."""


def _chosen(trials: list[Trial], code: str) -> Trial:
    found = next((trial for trial in trials if not code or trial.code == code), None)
    if found is None:
        raise NotFound(what="trial", name=code)
    return found


def _wanted(request: Request, trial: Trial) -> Wanted:
    asked = {key: request.GET.get(key, "").strip() for key in ("site", "status", "show", "sort", "q")}
    return Wanted(trial=trial.code, **asked)


def _rows_a_page(request: Request) -> int:
    asked = request.GET.get("rows", "")
    return int(asked) if asked.isdigit() and int(asked) in ROWS else ROWS[0]


def _address(wanted: Wanted, rows_a_page: int) -> str:
    """The address of this list without its page, for the pager."""
    asked = {key: value for key, value in vars(wanted).items() if value}
    if rows_a_page != ROWS[0]:
        asked["rows"] = str(rows_a_page)
    return urlencode(asked)
