"""Images and signed reads as one archive: ask for it, and who the readers are."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from accounts.decorators import permission
from accounts.requests import Request
from foundation.errors import DomainError
from foundation.spreadsheets import csv_answer
from foundation.tasks import enqueue
from foundation.web import page
from reports import services, tasks
from reports.archives import note_taken
from reports.exports.delivery.reads import READERS as CALLED
from reports.forms import DeliveryForm
from reports.models import Export, ExportFormat
from reports.selectors import get_delivery, readers_of, trials_to_deliver
from trials.models import Trial
from trials.selectors import sites_visible_to

READERS = ("READ", "SUBJID", "VISIT", "READER", "VERSION", "ACCOUNT", "NAME", "SIGNED")


@permission("read.oversee")
def deliver(request: Request) -> HttpResponse:
    """Ask for the images and signed reads of a trial."""
    offered = trials_to_deliver(request.access)
    trials = [trial for trial, amount in offered if amount]
    form = DeliveryForm(
        request.POST or None,
        trials=[(trial.code, trial.short_title) for trial in trials],
        sites=_sites(request, trials),
        initial={"trial": request.GET.get("trial", "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("export", _ask(request, form).pk)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    context = {"form": form, "offered": offered, "trials": trials}
    return page(request, "reports/deliver.html", context, status=422 if form.errors else 200)


def _sites(request: Request, trials: list[Trial]) -> list[tuple[str, str]]:
    found = {
        site.code: f"{site.code} · {site.name}"
        for trial in trials
        for site in sites_visible_to(request.access, "read.oversee", trial)
    }
    return sorted(found.items())


def _ask(request: Request, form: DeliveryForm) -> Export:
    trial = Trial.objects.get(code=form.cleaned_data["trial"])
    export = services.request_export(
        actor=request.access.actor(trial.code),
        access=request.access,
        trial=trial,
        file_format=ExportFormat.DICOM,
        sites=tuple(form.cleaned_data["sites"]),
        subject=form.cleaned_data["subject"].strip(),
    )
    enqueue(tasks.make_export, export.pk)
    return export


@permission("read.oversee")
@require_GET
def readers(request: Request, export_id: int) -> HttpResponse:
    """Who made the reads of a delivery, apart from it; that the list was taken away is noted."""
    export = get_delivery(request.access, export_id)
    rows = [
        [
            each.read, each.subject, each.visit, CALLED[each.number], each.version, each.username, each.name,
            each.signed_at.isoformat() if each.signed_at else "",
        ]
        for each in readers_of(export)
    ]  # fmt: skip
    note_taken(actor=request.access.actor(export.trial.code), export=export, what="readers")
    return csv_answer(f"readers-{export.trial.code}-{export.pk}.csv", READERS, rows)
