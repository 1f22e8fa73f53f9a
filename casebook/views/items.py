"""One item beside its form: help, earlier values, history, queries, verification."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.decorators import permission
from accounts.requests import Request
from casebook import services
from casebook.models import Desk
from casebook.pages.addresses import form_url
from casebook.pages.item import item_panel
from casebook.pages.moment import as_it_stood
from casebook.selectors import find_entry, get_query
from casebook.services.queries import desks_of
from casebook.templatetags.judged import verify_fragment
from foundation.errors import Invalid, NotFound


@permission("entry.view")
@as_it_stood
def item(request: Request, number: str, visit: str, form: str, item: str, repeat: int = 1) -> HttpResponse:
    """The panel of an item."""
    entry = find_entry(request.access, number, visit, form, repeat)
    if item not in entry.protocol.form(form).items_by_id:
        raise NotFound
    trial, site = entry.subject.trial.code, entry.subject.site.code
    may = {
        name: request.access.may(permission_name, trial, site)
        for name, permission_name in (
            ("write", "entry.write"),
            ("ask", "query.raise"),
            ("answer", "query.answer"),
            ("close", "query.close"),
            ("verify", "verify.entry"),
        )
    }
    mine = desks_of(request.access.actor(trial, site).role)
    context = {"panel": item_panel(entry, item), "may": may, "desks": Desk.choices, "my_desks": mine}
    return render(request, "casebook/_item_panel.html", context)


@permission("query.raise")
@require_POST
def ask(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Raise a query on an item, or on the form."""
    entry = find_entry(request.access, number, visit, form, repeat)
    trial, site = entry.subject.trial.code, entry.subject.site.code
    request.access.require("query.raise", trial, site)
    actor = request.access.actor(trial, site)
    if not entry.opened:
        entry = services.open_entry(
            actor=actor, subject=entry.subject, visit=entry.visit, form=form, repeat=repeat
        )
    desk = request.POST.get("waits_for", Desk.SITE)
    if desk not in Desk.values:
        raise Invalid(waits_for="Choose who is asked.")
    asked = services.raise_query(
        actor=actor,
        entry=entry,
        item=request.POST.get("item", ""),
        text=request.POST.get("text", ""),
        waits_for=Desk(desk),
    )
    return redirect(_row_address(form_url(entry.subject, entry.visit, form, repeat), asked.item))


@permission("verify.entry")
@require_POST
def verify(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Record that an item (or the whole form) agrees with its source."""
    entry = find_entry(request.access, number, visit, form, repeat)
    trial, site = entry.subject.trial.code, entry.subject.site.code
    request.access.require("verify.entry", trial, site)
    if not entry.opened:
        raise NotFound
    item = request.POST.get("item", "")
    services.verify_item(actor=request.access.actor(trial, site), entry=entry, item=item)
    address = form_url(entry.subject, entry.visit, form, repeat)
    if item and request.headers.get("HX-Target", "").endswith(f"verify-{item}"):
        label = entry.protocol.form(form).item(item).label
        return HttpResponse(verify_fragment(item, label, "verified", address))
    return redirect(_row_address(address, item))


@permission("entry.view")
@require_POST
def move_query(request: Request, query: int, verb: str) -> HttpResponse:
    """Answer, close or re-open a query."""
    found = get_query(request.access, query)
    subject, entry = found.subject, found.entry
    trial, site = subject.trial.code, subject.site.code
    request.access.require("query.answer" if verb == "answer" else "query.close", trial, site)
    move = {
        "answer": services.answer_query,
        "close": services.close_query,
        "reopen": services.reopen_query,
    }[verb]
    move(actor=request.access.actor(trial, site), query=found, text=request.POST.get("text", ""))
    address = form_url(subject, entry.visit, entry.form, entry.repeat)
    return redirect(_row_address(address, found.item))


def _row_address(address: str, item: str) -> str:
    return f"{address}#row-{item}" if item else address
