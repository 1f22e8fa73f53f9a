"""Pages of laboratories: the list, the ranges of one, adding, correcting, importing, exporting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.requests import Request
from foundation import clock
from foundation.errors import DomainError, Forbidden, Invalid, NotFound
from foundation.spreadsheets import csv_answer
from foundation.web import page
from logic.units import units_of
from trials.laboratories import services
from trials.laboratories.models import Laboratory, ReferenceRange
from trials.laboratories.pages import EXPORTED, SEXES, exported_rows, laboratory_rows, range_table
from trials.laboratories.selectors import get_laboratory, known_tests, may_keep, sites_with
from trials.laboratories.table import COLUMNS


@permission("laboratory.view")
def laboratories(request: Request) -> HttpResponse:
    """Laboratories of the sites that the person works with; a data manager registers new ones."""
    if request.method == "POST":
        return _register(request)
    return _list(request)


def _register(request: Request) -> HttpResponse:
    if not request.access.may_anywhere("laboratory.write"):
        raise Forbidden
    allowed = {site.code: site for site in sites_with(request.access, "laboratory.write")}
    chosen = [allowed[code] for code in request.POST.getlist("sites") if code in allowed]
    try:
        made = services.register_laboratory(
            actor=request.access.actor(),
            code=request.POST.get("code", "").strip().upper(),
            name=request.POST.get("name", "").strip(),
            sites=chosen,
        )
    except DomainError as error:
        return _list(request, errors=_errors(error), typed=request.POST)
    return redirect("trials:laboratory", made.code)


def _list(
    request: Request, *, errors: Mapping[str, str] | None = None, typed: Mapping[str, Any] | None = None
) -> HttpResponse:
    context = {
        "rows": laboratory_rows(request.access),
        "sites": sites_with(request.access, "laboratory.write"),
        "may_write": request.access.may_anywhere("laboratory.write"),
        "errors": errors or {},
        "typed": typed or {},
    }
    return page(request, "trials/laboratories.html", context, status=422 if errors else 200)


@permission("laboratory.view")
def laboratory(request: Request, code: str) -> HttpResponse:
    """The ranges of a laboratory; a data manager adds one."""
    if request.method == "POST" and not request.access.may_anywhere("laboratory.write"):
        raise Forbidden
    found = get_laboratory(request.access, code)
    if request.method != "POST":
        return _ranges(request, found)
    _must_keep(request, found)
    try:
        made = services.add_range(actor=request.access.actor(), laboratory=found, fields=_fields(request))
    except Invalid as error:
        return _ranges(request, found, errors=_errors(error), typed=request.POST)
    messages.success(request, f"Added: {made}.")
    return redirect("trials:laboratory", found.code)


def _ranges(request: Request, found: Laboratory, **more: Any) -> HttpResponse:
    tests = known_tests()
    context = {
        "laboratory": found,
        "sites": found.sites.all(),
        "tests": range_table(found, tests, clock.today()),
        "choices": [(test, label, units_of(test)) for test, label in tests.items()],
        "sexes": SEXES,
        "columns": COLUMNS,
        "may_write": may_keep(request.access, found),
        "errors": {},
        "typed": {},
        **more,
    }
    refused = more.get("errors") or more.get("imported")
    return page(request, "trials/laboratory.html", context, status=422 if refused else 200)


@permission("laboratory.write")
def reference_range(request: Request, code: str, range_id: int) -> HttpResponse:
    """Correct a range that was wrong, or withdraw it, with a reason."""
    found = get_laboratory(request.access, code)
    _must_keep(request, found)
    row = ReferenceRange.objects.filter(pk=range_id, laboratory=found).first()
    if row is None:
        raise NotFound
    if request.method != "POST":
        return _one(request, found, row)
    reason = request.POST.get("reason", "")
    try:
        if "withdraw" in request.POST:
            services.withdraw_range(actor=request.access.actor(), range_id=row.pk, reason=reason)
        else:
            services.correct_range(
                actor=request.access.actor(), range_id=row.pk, fields=_fields(request), reason=reason
            )
    except Invalid as error:
        return _one(request, found, row, errors=_errors(error), typed=request.POST)
    messages.success(
        request, "Done. Stored values keep the range that they had; see which would have another."
    )
    return redirect("trials:laboratory", found.code)


def _one(
    request: Request,
    found: Laboratory,
    row: ReferenceRange,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, Any] | None = None,
) -> HttpResponse:
    kept = {name: getattr(row, name) for name in COLUMNS} | {"valid_from": row.valid_from.isoformat()}
    context = {
        "laboratory": found,
        "row": row,
        "units": units_of(row.test),
        "sexes": SEXES,
        "errors": errors or {},
        "typed": typed or kept,
    }
    return page(request, "trials/reference_range.html", context, status=422 if errors else 200)


@permission("laboratory.write")
@require_POST
def import_ranges(request: Request, code: str) -> HttpResponse:
    """Add the ranges of a CSV file, or tell what is wrong with each row."""
    found = get_laboratory(request.access, code)
    _must_keep(request, found)
    sent = request.FILES.get("file")
    if sent is None:
        return _ranges(request, found, errors={"file": "Choose a file first."})
    try:
        done = services.import_ranges(actor=request.access.actor(), laboratory=found, content=sent.read())
    except Invalid as error:
        return _ranges(request, found, errors=_errors(error))
    if done.refused:
        return _ranges(request, found, imported=done)
    messages.success(request, f"{done.added} ranges added; {done.known} stood already.")
    return redirect("trials:laboratory", found.code)


@permission("laboratory.view")
@require_GET
def export_ranges(request: Request, code: str) -> HttpResponse:
    """Every range of a laboratory as CSV."""
    found = get_laboratory(request.access, code)
    return csv_answer(f"ranges-{found.code}", EXPORTED, exported_rows(found))


def _must_keep(request: Request, found: Laboratory) -> None:
    if not may_keep(request.access, found):
        raise Forbidden


def _fields(request: Request) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in COLUMNS if name in request.POST}


def _errors(error: DomainError) -> dict[str, str]:
    if isinstance(error, Invalid) and error.errors:
        return error.errors
    return {error.field or "code": error.message}
