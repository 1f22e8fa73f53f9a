"""A form while it is open: who else is there, what they saved, what is not saved yet, and many fields at once.

All answer in JSON; rows come as the HTML of the form, so that one set of templates says how a row looks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.decorators import permission, public
from accounts.requests import Request
from accounts.selectors import access_of
from casebook import services
from casebook.pages.addresses import form_address
from casebook.pages.form import FormPage
from casebook.pages.proposals import from_earlier
from casebook.presence import others_at
from casebook.rules.cells import MISSING_REASONS
from casebook.selectors import earlier_entry, find_entry, open_queries, version_of, worked_form
from casebook.tickets import read_ticket
from casebook.views.form import actor_at, form_as_seen, writable_entry
from foundation import clock
from foundation.errors import Invalid

NOTHING_TO_TAKE_OVER = (
    "Nothing to take over: what is measured is never copied, "
    "and no earlier visit has a value for another empty field."
)


@permission("entry.view")
def live(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """What is new since the page looked last: nothing (204), who is here, or the rows after somebody saved."""
    version = version_of(request.access, number, visit, form, repeat)
    others = others_at(
        form_address(number, visit, form, repeat),
        request.access.user_id or 0,
        request.access.name,
        clock.now(),
    )
    if str(version) == request.GET.get("seen"):
        if ", ".join(others) == request.GET.get("with", ""):
            return HttpResponse(status=204)
        return JsonResponse({"version": version, "others": ", ".join(others)})
    entry = find_entry(request.access, number, visit, form, repeat)
    shown = form_as_seen(request, worked_form(entry), open_queries(entry) if entry.pk else [])
    return JsonResponse({**_rows(request, shown), "others": ", ".join(others)})


@permission("entry.write")
@require_POST
def draft(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Keep what this person typed and has not saved; an empty one forgets it."""
    entry = find_entry(request.access, number, visit, form, repeat)
    request.access.require("entry.write", entry.subject.trial.code, entry.subject.site.code)
    services.keep_draft(actor=actor_at(request, entry), entry=entry, items=_typed_items(request))
    return HttpResponse(status=204)


@csrf_exempt  # the ticket is the proof; no cookie is read, and the token of the page ended with its session
@public
@require_POST
def draft_after_session(request: Request) -> HttpResponse:
    """Keep what somebody typed into an open form after the session had ended, for the person of the page's ticket."""
    found = read_ticket(request.POST.get("ticket", ""))
    if found is None:
        raise Invalid(ticket="This page is too old. Load it again.")
    person, place = found
    access = access_of(person)
    entry = find_entry(access, *place)
    trial, site = entry.subject.trial.code, entry.subject.site.code
    access.require("entry.write", trial, site)
    services.keep_draft(actor=access.actor(trial, site), entry=entry, items=_typed_items(request))
    return HttpResponse(status=204)


@permission("entry.write")
def earlier(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Values of the visit before beside the empty fields, to be confirmed one by one."""
    entry = find_entry(request.access, number, visit, form, repeat)
    request.access.require("entry.write", entry.subject.trial.code, entry.subject.site.code)
    worked = worked_form(entry)
    proposals = from_earlier(worked, earlier_entry(entry))
    shown = form_as_seen(request, worked, open_queries(entry) if entry.pk else [], proposals=proposals)
    if not proposals:
        return JsonResponse({"said": NOTHING_TO_TAKE_OVER})
    return JsonResponse({**_rows(request, shown, proposals), "said": "", "proposed": list(proposals)})


@permission("entry.write")
@require_POST
def blank(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Give one reason to all that is still open in the form or a group."""
    entry = writable_entry(request, number, visit, form, repeat)
    group, missing = request.POST.get("group", ""), request.POST.get("missing", "")
    if group and not (group.isdigit() and int(group) < len(entry.protocol.form(form).groups)):
        raise Invalid(group="There is no such part of the form.")
    done = services.leave_blank(
        actor=actor_at(request, entry), entry=entry, missing=missing, group=int(group) if group else None
    )
    said = f"{MISSING_REASONS[missing]}: {len(done.items)} field{'' if len(done.items) == 1 else 's'}."
    return _many(request, done, said, undo=done.items)


@permission("entry.write")
@require_POST
def take_back(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Empty again what was left blank a moment ago."""
    entry = writable_entry(request, number, visit, form, repeat)
    done = services.take_back_blanks(
        actor=actor_at(request, entry), entry=entry, items=request.POST.getlist("item")
    )
    return _many(request, done, "The fields are empty again.")


def _many(request: Request, done: services.Blanked, said: str, undo: Collection[str] = ()) -> HttpResponse:
    shown = form_as_seen(request, done.saved.worked, done.saved.queries)
    return JsonResponse({**_rows(request, shown), "said": said, "undo": list(undo)})


def _rows(request: Request, shown: FormPage, only: Collection[str] | None = None) -> dict[str, Any]:
    context = {"shown": shown}
    return {
        "version": shown.version,
        "rows": {
            row.item.id: render_to_string("casebook/_row.html", {**context, "row": row}, request)
            for row in shown.rows
            if only is None or row.item.id in only
        },
        "problems": render_to_string("casebook/_problems.html", context, request),
        "progress": render_to_string("casebook/_progress.html", context, request),
        "state": shown.worked.entry.state,
    }


def _typed_items(request: Request) -> Mapping[str, Mapping[str, str]]:
    try:
        sent = json.loads(request.POST.get("items", "{}"))
    except json.JSONDecodeError:
        sent = None
    if not isinstance(sent, dict) or not all(isinstance(parts, dict) for parts in sent.values()):
        raise Invalid(items="This is no draft.")
    return sent
