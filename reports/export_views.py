"""Exports in the browser: ask, watch, fetch."""

from __future__ import annotations

from django.http import FileResponse, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from accounts.decorators import permission
from accounts.requests import Request
from foundation.errors import DomainError
from foundation.tasks import enqueue
from foundation.web import page
from reports import services, tasks
from reports.archives import file_name, still_holds, take_archive
from reports.forms import ExportForm
from reports.models import Export, ExportFormat, ExportState
from reports.policies import DELIVERING
from reports.selectors import exports_visible_to, get_export, get_snapshot
from trials.models import Trial
from trials.selectors import sites_visible_to, trials_visible_to

SHOWN = 50
EXPORTING = ("export.run",)


@permission("export.run")
def exports(request: Request) -> HttpResponse:
    """Exports that this person asked for, and the form to ask for another."""
    trials = list(trials_visible_to(request.access, EXPORTING))
    form = ExportForm(
        request.POST or None,
        trials=[(trial.code, trial.short_title) for trial in trials],
        sites=_sites(request, trials),
    )
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("export", _ask(request, form).pk)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    context = {
        "form": form,
        "exports": exports_visible_to(request.access)[:SHOWN],
        "delivers": all(request.access.may_anywhere(permission) for permission in DELIVERING),
    }
    return page(request, "reports/exports.html", context, status=422 if form.errors else 200)


def _sites(request: Request, trials: list[Trial]) -> list[tuple[str, str]]:
    found = {
        site.code: f"{site.code} · {site.name}"
        for trial in trials
        for site in sites_visible_to(request.access, "export.run", trial)
    }
    return sorted(found.items())


def _ask(request: Request, form: ExportForm) -> Export:
    trial = Trial.objects.get(code=form.cleaned_data["trial"])
    export = services.request_export(
        actor=request.access.actor(trial.code),
        access=request.access,
        trial=trial,
        file_format=form.cleaned_data["format"] or ExportFormat.CSV,
        subject=form.cleaned_data["subject"].strip(),
        sites=tuple(form.cleaned_data["sites"]),
        as_of=form.cleaned_data["as_of"],
    )
    enqueue(tasks.make_export, export.pk)
    return export


@permission("export.run")
def export(request: Request, export_id: int) -> HttpResponse:
    """One export: its progress, then its manifest and the file."""
    found = get_export(request.access, export_id)
    ready = found.state == ExportState.DONE
    delivery = found.format == ExportFormat.DICOM
    context = {"export": found, "ready": ready, "outdated": ready and delivery and not still_holds(found)}
    return page(request, "reports/delivery.html" if delivery else "reports/export.html", context)


@permission("export.run")
def export_status(request: Request, export_id: int) -> HttpResponse:
    """Progress for the page that waits."""
    found = get_export(request.access, export_id)
    ended = found.state in {ExportState.DONE, ExportState.FAILED}
    return JsonResponse(
        {
            "state": found.state.lower(),
            "done": found.done,
            "total": found.total or 1,
            "text": found.problem or found.get_state_display(),
            **({"redirect": request.path.removesuffix("status/")} if ended else {}),
        }
    )


@permission("export.run")
def export_file(request: Request, export_id: int) -> HttpResponseBase:
    """The archive; that it was taken away is noted."""
    found = get_export(request.access, export_id)
    archive = take_archive(actor=request.access.actor(found.trial.code), export=found)
    return FileResponse(archive, as_attachment=True, filename=file_name(found))


@permission("export.run")
def lock_snapshot(request: Request, lock: int) -> HttpResponse:
    """To the snapshot of a lock of a site or a study."""
    return redirect("export", get_snapshot(request.access, lock).pk)
