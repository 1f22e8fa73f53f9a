"""Stored laboratory values that would have another reference range now."""

from __future__ import annotations

from collections import defaultdict

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.decorators import permission
from accounts.requests import Request
from casebook.errors import EntryClosedError, ReasonTooShortError
from casebook.limits import Difference, differences
from casebook.pages.addresses import form_url
from casebook.rules.limits import limit_mark, shown_limit
from casebook.selectors import get_entry
from casebook.services.limits import apply_limits
from foundation.errors import Forbidden
from foundation.web import page
from trials.laboratories.selectors import get_laboratory, may_keep
from trials.rules.ranges import limits_in_words

PER_PAGE = 100


@permission("laboratory.view")
def stored_values(request: Request, code: str) -> HttpResponse:
    """Values whose limits differ from those that apply now; a data manager applies them with a reason."""
    if request.method == "POST" and not request.access.may_anywhere("laboratory.write"):
        raise Forbidden
    laboratory = get_laboratory(request.access, code)
    may_write = may_keep(request.access, laboratory)
    error = ""
    if request.method == "POST":
        if not may_write:
            raise Forbidden
        try:
            messages.success(request, _applied(request))
            return redirect("laboratory-values", code)
        except ReasonTooShortError as refused:
            error = refused.message
    found = differences(laboratory, request.access)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "laboratory": laboratory,
        "shown": shown,
        "rows": [_row(each) for each in shown.object_list],
        "may_write": may_write,
        "error": error,
        "chosen": request.POST.getlist("value"),
        "reason": request.POST.get("reason", ""),
    }
    return page(request, "casebook/laboratory_values.html", context, status=422 if error else 200)


def _applied(request: Request) -> str:
    """Apply what was chosen; the sentence says how many, and which forms are closed."""
    chosen: dict[int, set[str]] = defaultdict(set)
    for key in request.POST.getlist("value"):
        form, _, item = key.partition(":")
        if form.isdigit():
            chosen[int(form)].add(item)
    done, closed = 0, 0
    for entry_id, items in chosen.items():
        entry = get_entry(request.access, entry_id)
        actor = request.access.actor(entry.subject.trial.code, entry.subject.site.code)
        try:
            done += apply_limits(actor=actor, entry=entry, items=items, reason=request.POST.get("reason", ""))
        except EntryClosedError:
            closed += len(items)
    said = f"{done} value{'' if done == 1 else 's'} took the range that applies now."
    return f"{said} {closed} stand on frozen or locked forms and were left." if closed else said


def _row(each: Difference) -> dict[str, object]:
    entry = each.entry
    return {
        "each": each,
        "url": f"{form_url(entry.subject, entry.visit, entry.form, entry.repeat)}#row-{each.item.id}",
        "before": _words(each.before),
        "after": _words(each.after),
        "marks": (
            limit_mark(each.item, each.before) or "unknown",
            limit_mark(each.item, each.after) or "unknown",
        ),
    }


def _words(cell: dict[str, object]) -> str:
    low, high = shown_limit(cell.get("low")), shown_limit(cell.get("high"))
    return limits_in_words(low, high) if low or high else "no range"
