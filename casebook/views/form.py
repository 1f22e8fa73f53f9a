"""A form: shown, entered item by item, completed, left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.decorators import permission
from accounts.models import User
from accounts.requests import Request
from audit.context import Actor
from casebook import services
from casebook.errors import (
    ChangedMeanwhileError,
    EarlierValueError,
    FormNotHereError,
    ItemRefusedError,
    NotReadyError,
    OverwriteReasonNeededError,
    ReasonNeededError,
    TextRefusedError,
)
from casebook.facts import facts_of
from casebook.models import Entry
from casebook.pages.addresses import form_url
from casebook.pages.banner import subject_banner
from casebook.pages.deviations import days_off, deviation_form, deviations_to_record, from_visit
from casebook.pages.form import FormPage, changed_rows, form_page, may_count_again
from casebook.pages.moment import as_it_stood
from casebook.pages.proposals import Proposal, from_draft
from casebook.pages.rail import form_rail
from casebook.pages.standing import form_standing
from casebook.registry import objection
from casebook.rules.cells import MISSING_REASONS, Typed, cell_text
from casebook.rules.picture import rules_of
from casebook.rules.reasons import CHANGE_REASONS, CONFIRM_REASONS, NOT_DONE_REASONS, reason_sentence
from casebook.selectors import (
    WorkedForm,
    find_entry,
    last_request,
    open_queries,
    open_queries_beside,
    rows_of_subject,
    were_saved,
    worked_form,
)
from casebook.tickets import ticket_for
from casebook.verifying import verification_marks
from foundation import clock
from foundation.errors import DomainError, NotFound
from foundation.middleware import request_id
from foundation.web import page
from patients.selectors import get_subject
from trials.laboratories.selectors import laboratory_names
from visits.selectors import get_visit

CLASH = "conflict"
"""Sent as `confirm` by somebody who saw what a colleague saved meanwhile and keeps their own value."""
ABOUT = "about"
"""In the address of a deviation: the visit that proposes it."""
MOST_REPEATS = 20
TYPED_PARTS = ("unit", "low", "high", "missing")


@permission("entry.view")
@as_it_stood
def form(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Show a form at a visit or in a log."""
    entry = find_entry(request.access, number, visit, form, repeat)
    subject = entry.subject
    rows = rows_of_subject(subject)
    worked = worked_form(entry, rows)
    kept = None if hasattr(request, "standing") else services.draft_of(request.access.user_id, entry)
    waiting = open_queries_beside(entry)
    mine = [query for query in waiting if query.entry_id == entry.pk]
    proposals = {**_from_visit(request, worked), **from_draft(worked, kept)}
    shown = form_as_seen(request, worked, mine, proposals=proposals)
    today = clock.today(subject.site.time_zone)
    may_verify = request.access.may("verify.entry", subject.trial.code, subject.site.code)
    may_write = request.access.may("entry.write", subject.trial.code, subject.site.code)
    rail = form_rail(entry, rows, waiting)
    context = {
        "verification": verification_marks(entry) if may_verify else {},
        "subject": subject,
        "entry": entry,
        "visit": entry.visit,
        "shown": shown,
        "proposed": bool(proposals),
        "rail": rail,
        "banner": subject_banner(subject, request.access, facts_of(subject, today, rows=rows)),
        "live": not hasattr(request, "standing"),
        "ticket": ticket_for(cast("User", request.user), (number, visit, form, repeat)) if may_write else "",
        "states": form_standing(entry, request.access, len(mine)),
        "laboratories": laboratory_names(subject.site_id) if worked.form.laboratory else (),
        "reasons_for_blanks": MISSING_REASONS,
        "reasons_for_not_done": NOT_DONE_REASONS,
        "objection": None if entry.opened else objection(subject, entry.form, entry.visit),
        "may_write": may_write,
        "may_say_none": may_write
        and not hasattr(request, "standing")
        and entry.visit is None
        and (rail.repeating and rail.asked and rail.nothing_entered),
        "may_restore": may_write and not hasattr(request, "standing") and may_count_again(entry),
        "may_verify": may_verify,
        "may_ask": request.access.may("query.raise", subject.trial.code, subject.site.code),
    }
    return page(request, "casebook/form.html", context)


def _from_visit(request: Request, worked: WorkedForm) -> dict[str, Proposal]:
    """What a visit outside its window proposes for a deviation, where the address names the visit."""
    name = request.GET.get(ABOUT, "")
    if not name or worked.form.window_deviation is None:
        return {}
    visit = get_visit(worked.entry.subject, name)
    others = (row for row in worked.rows if row.entry_id != worked.entry.pk)
    off = next(deviations_to_record(worked.protocol, [visit], others), None)
    return from_visit(worked, off) if off else {}


@permission("entry.write")
def visit_deviation(request: Request, number: str, visit: str) -> HttpResponse:
    """To the row in which the deviation of a visit outside its window is recorded; nothing is written by going."""
    subject = get_subject(request.access, number, "entry.write")
    form = deviation_form(subject.version.protocol)
    off = days_off(get_visit(subject, visit))
    if form is None or not off:
        raise NotFound(what="deviation", name=visit)
    repeat = services.next_row(subject=subject, visit=None, form=form.code)
    return redirect(f"{form_url(subject, None, form.code, repeat)}?{urlencode({ABOUT: visit})}")


@permission("entry.write")
@require_POST
def save(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Save one item; the answer is its row, and whatever else looks different now."""
    entry = writable_entry(request, number, visit, form, repeat)
    item = request.POST.get("item", "")
    if request.POST.get("confirm", "") not in {"", CLASH}:
        return _confirm(request, entry, item)
    before = worked_form(entry)
    stored = entry.values.get(item)
    expected = _expected(request)
    if unheard := were_saved(entry, item, _sent_before(request)):
        if request_id() in unheard:
            return _answer(request, before, services.as_it_stands(entry), item)
        if last_request(entry, item) in unheard:
            expected = None
    try:
        saved = _save(request, entry, item, expected)
    except ReasonNeededError as needed:
        return _ask_why(request, entry, item, stored, needed)
    except (ItemRefusedError, TextRefusedError, ChangedMeanwhileError, EarlierValueError) as error:
        return _row(request, entry, item, error)
    return _answer(request, before, saved, item)


def _save(
    request: Request, entry: Entry, item: str, expected: Mapping[str, Any] | None
) -> services.SaveResult:
    typed, actor = _typed(request), actor_at(request, entry)
    source = request.POST.get("earlier", "")
    if source.isdigit():
        return services.save_carried(
            actor=actor, entry=entry, item_id=item, typed=typed, source_id=int(source), expected=expected
        )
    reason = reason_sentence(
        request.POST.get("reason", ""), request.POST.get("reason_text", ""), CHANGE_REASONS
    )
    return services.save_item(
        actor=actor,
        entry=entry,
        item_id=item,
        typed=typed,
        expected=expected,
        reason=reason,
        overwrites=request.POST.get("confirm") == CLASH,
    )


def _sent_before(request: Request) -> list[str]:
    """Requests for the same row that the browser never heard an answer to, this one among them."""
    return [number for number in request.POST.get("again", "").split(",") if number][:MOST_REPEATS]


def _confirm(request: Request, entry: Entry, item: str) -> HttpResponse:
    check = request.POST["confirm"]
    reason = reason_sentence(
        request.POST.get("reason", ""), request.POST.get("reason_text", ""), CONFIRM_REASONS
    )
    before = worked_form(entry)
    if not reason:
        finding = next((f for f in before.picture.findings if f.check_id == check), None)
        context = {"finding": finding, "item": before.form.items_by_id.get(item), "reasons": CONFIRM_REASONS}
        return render(request, "casebook/_confirm_dialog.html", context, status=428)
    saved = services.confirm_finding(
        actor=actor_at(request, entry), entry=entry, item_id=item, check_id=check, reason=reason
    )
    return _answer(request, before, saved, item)


@permission("entry.write")
@require_POST
def complete(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Mark a form complete, or say what is missing."""
    entry = writable_entry(request, number, visit, form, repeat)
    try:
        services.complete_entry(actor=actor_at(request, entry), entry=entry)
    except NotReadyError as error:
        shown = form_as_seen(request, worked_form(entry), open_queries(entry), unanswered=True)
        return render(request, "casebook/_not_ready.html", {"shown": shown, "error": error}, status=200)
    return _go_to(request, form_url(entry.subject, entry.visit, entry.form, entry.repeat))


@permission("entry.write")
@require_POST
def not_done(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Record that a form was not done, and why."""
    entry = writable_entry(request, number, visit, form, repeat)
    reason = reason_sentence(
        request.POST.get("reason", ""), request.POST.get("reason_text", ""), NOT_DONE_REASONS
    )
    services.mark_not_done(actor=actor_at(request, entry), entry=entry, reason=reason)
    return redirect(form_url(entry.subject, entry.visit, entry.form, entry.repeat))


@permission("entry.write")
@require_POST
def add_row(request: Request, number: str, visit: str, form: str) -> HttpResponse:
    """Open the next row of a repeating form."""
    entry = find_entry(request.access, number, visit, form)
    request.access.require("entry.write", entry.subject.trial.code, entry.subject.site.code)
    made = services.add_row(
        actor=actor_at(request, entry), subject=entry.subject, visit=entry.visit, form=form
    )
    return redirect(form_url(entry.subject, entry.visit, form, made.repeat))


@permission("entry.write")
@require_POST
def none(request: Request, number: str, visit: str, form: str) -> HttpResponse:
    """Record that there is nothing to enter in a log."""
    entry = find_entry(request.access, number, visit, form)
    request.access.require("entry.write", entry.subject.trial.code, entry.subject.site.code)
    if entry.visit is not None:
        raise FormNotHereError(form=form, visit="the running logs")
    said = services.record_none(actor=actor_at(request, entry), subject=entry.subject, form=form)
    return redirect(form_url(said.subject, None, form, said.repeat))


@permission("entry.write")
@require_POST
def after_all(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Open a form again of which somebody said that it was not done."""
    entry = writable_entry(request, number, visit, form, repeat)
    services.take_back_not_done(
        actor=actor_at(request, entry), entry=entry, reason=request.POST.get("reason", "")
    )
    return redirect(form_url(entry.subject, entry.visit, form, repeat))


@permission("entry.write")
@require_POST
def strike_out(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Strike out a row that was entered by mistake."""
    entry = writable_entry(request, number, visit, form, repeat)
    services.strike_out(actor=actor_at(request, entry), entry=entry, reason=request.POST.get("reason", ""))
    return redirect("subject", number)


@permission("entry.write")
@require_POST
def restore(request: Request, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Let a row count again that was struck out by mistake."""
    entry = writable_entry(request, number, visit, form, repeat)
    services.take_back_strike_out(
        actor=actor_at(request, entry), entry=entry, reason=request.POST.get("reason", "")
    )
    return redirect(form_url(entry.subject, entry.visit, form, repeat))


def writable_entry(request: Request, number: str, visit: str, form: str, repeat: int) -> Entry:
    """The entry at an address, opened if nobody did yet."""
    entry = find_entry(request.access, number, visit, form, repeat)
    request.access.require("entry.write", entry.subject.trial.code, entry.subject.site.code)
    if not entry.opened:
        return services.open_entry(
            actor=actor_at(request, entry), subject=entry.subject, visit=entry.visit, form=form, repeat=repeat
        )
    return entry


def actor_at(request: Request, entry: Entry) -> Actor:
    """The person, in their role at the entry's site."""
    return request.access.actor(entry.subject.trial.code, entry.subject.site.code)


def _typed(request: Request) -> Typed:
    """What was typed; several chosen codes come as several values."""
    parts = {name: request.POST.get(name, "") for name in TYPED_PARTS}
    return Typed(value=",".join(request.POST.getlist("value")), **parts)


def _expected(request: Request) -> Mapping[str, Any] | None:
    """The cell that the page showed; nothing when the page did not say."""
    sent = request.POST.get("expected", "")
    if not sent:
        return None
    try:
        cell = json.loads(sent)
    except json.JSONDecodeError:
        return {}
    return cell if isinstance(cell, dict) else {}


def form_as_seen(
    request: Request, worked: WorkedForm, queries: Any, *, unanswered: bool = False, **more: Any
) -> FormPage:
    """The form as this person sees it now."""
    subject = worked.entry.subject
    writable = request.access.may("entry.write", subject.trial.code, subject.site.code)
    if unanswered:
        more["notes"] = dict.fromkeys(worked.picture.unanswered, "Not answered yet.")
    return form_page(worked, queries, writable=writable, **more)


def _ask_why(
    request: Request, entry: Entry, item: str, stored: Mapping[str, Any] | None, needed: ReasonNeededError
) -> HttpResponse:
    rules = rules_of(entry.protocol, entry.form)
    definition = rules.form.item(item)
    typed = services.read_typed(entry, definition, _typed(request))
    context = {
        "item": definition,
        "form": rules.form,
        "visit": entry.visit,
        "before": cell_text(definition, rules.codelists[item], stored),
        "now": cell_text(definition, rules.codelists[item], typed),
        "reasons": CHANGE_REASONS,
        "overwrites": isinstance(needed, OverwriteReasonNeededError),
    }
    return render(request, "casebook/_reason_dialog.html", context, status=428)


def _row(request: Request, entry: Entry, item: str, error: DomainError) -> HttpResponse:
    """The row with what was typed and why it was not stored."""
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in ("value", *TYPED_PARTS)}
    if len(several := request.POST.getlist("value")) > 1:
        typed["value"] = several
    worked = worked_form(entry)
    clashes = {item: str(error.data["value"])} if isinstance(error, ChangedMeanwhileError) else {}
    shown = form_as_seen(
        request,
        worked,
        open_queries(entry),
        notes={item: error.message},
        typed={item: typed},
        clashes=clashes,
        readings={item: error.data.get("readings", ())},
    )
    row = next(row for row in shown.rows if row.item.id == item)
    return render(request, "casebook/_row.html", {"row": row, "shown": shown}, status=error.status)


def _answer(request: Request, before: WorkedForm, saved: services.SaveResult, item: str) -> HttpResponse:
    others = changed_rows(before, saved.worked, item) | saved.moved
    shown = form_as_seen(request, saved.worked, saved.queries, only={item, *others})
    context: dict[str, object] = {
        "row": next(row for row in shown.rows if row.item.id == item),
        "others": [row for row in shown.rows if row.item.id in others],
        "shown": shown,
        "entry": saved.worked.entry,
    }
    return render(request, "casebook/_saved.html", context)


def _go_to(request: Request, url: str) -> HttpResponse:
    """Send the browser on, also from a fragment."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)
