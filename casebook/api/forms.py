"""Forms: read, saved item by item, completed, left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from accounts.api import Endpoint
from audit.context import Actor
from casebook import services
from casebook.api.shapes import (
    Confirmation,
    FormOfSubject,
    FormShown,
    NotDone,
    PartlyRefused,
    Saved,
    SentCell,
    SentForm,
    SentItems,
)
from casebook.errors import ChangedMeanwhileError, NotReadyError
from casebook.models import Entry
from casebook.pages.matrix import casebook_page
from casebook.rules.cells import Typed, confirmations
from casebook.selectors import LOG, find_entry, open_queries, worked_form
from foundation.api import (
    PROBLEM_TYPE,
    flat_errors,
    page_of,
    problem_response,
    problems,
    received,
    rows_as,
    whole_list,
)
from foundation.errors import DomainError, Invalid
from patients.models import Subject
from patients.selectors import get_subject

TAGS = ["forms"]
TYPED = ("value", "unit", "low", "high", "missing")
WRITES = problems(400, 403, 404, 409, 422)


class ItemsRefused(DomainError):
    """Items were refused for different reasons."""

    code = "items_refused"
    template = "{count} of {total} items were refused; the others are saved."
    status = 422


class FormsOfSubject(Endpoint):
    """Forms of a subject."""

    sees = "entry.view"
    also = ("subject.view",)

    @extend_schema(
        operation_id="forms",
        tags=TAGS,
        summary="List the forms of a subject",
        responses={200: page_of(FormOfSubject), **problems(404)},
    )
    def get(self, request: Request, number: str) -> Response:
        """Every form that is planned or entered, visit by visit, then the running logs."""
        subject = get_subject(self.access, number, "entry.view")
        return whole_list(rows_as(FormOfSubject, _forms(subject)))


def _forms(subject: Subject) -> list[dict[str, Any]]:
    page = casebook_page(subject)
    repeats: dict[tuple[int | None, str], list[int]] = {}
    entered = Entry.objects.filter(subject=subject, struck_out=False).order_by("repeat")
    for visit, form, repeat in entered.values_list("visit", "form", "repeat"):
        repeats.setdefault((visit, form), []).append(repeat)
    at_visits = [
        {
            "visit": column.label,
            "form": form.code,
            "title": form.name,
            "status": cell.status,
            "repeats": repeats.get((column.visit.pk, form.code), []),
            "open_queries": cell.open_queries + cell.answered_queries,
        }
        for column, shown in page.by_visit
        for form, cell in shown.cells
    ]
    return at_visits + [
        {
            "visit": LOG,
            "form": log.form.code,
            "title": log.form.name,
            "status": None,
            "repeats": repeats.get((None, log.form.code), []),
            "open_queries": log.open_queries,
        }
        for log in page.logs
    ]


class _FormEndpoint(Endpoint):
    """An address of one form, or of something done to it."""

    sees = "entry.view"
    also = ("subject.view",)

    def to_write(self, number: str, visit: str, form: str, repeat: int = 1) -> Entry:
        """The entry at an address, for somebody who may write it; it may not be opened yet.

        Raises
        ------
        foundation.errors.NotFound, foundation.errors.Forbidden
        """
        entry = find_entry(self.access, number, visit, form, repeat)
        self.access.require("entry.write", entry.subject.trial.code, entry.subject.site.code)
        return entry

    def opened(self, entry: Entry) -> Entry:
        """The entry, opened if nobody did yet."""
        if entry.opened:
            return entry
        return services.open_entry(
            actor=self.actor(entry),
            subject=entry.subject,
            visit=entry.visit,
            form=entry.form,
            repeat=entry.repeat,
        )

    def actor(self, entry: Entry) -> Actor:
        """The caller, with the roles held at the subject's site."""
        return self.access.actor(entry.subject.trial.code, entry.subject.site.code)


class OneForm(_FormEndpoint):
    """A form of a subject."""

    does = {"PATCH": "entry.write"}

    @extend_schema(
        operation_id="form",
        tags=TAGS,
        summary="Show a form",
        responses={200: FormShown, **problems(403, 404)},
    )
    def get(self, request: Request, number: str, visit: str, form: str, repeat: int) -> Response:
        """A form with its values, what it asks and calculates, and its findings and queries.

        A form that is planned and was never opened is shown empty.
        """
        return Response(_shown(find_entry(self.access, number, visit, form, repeat)))

    @extend_schema(
        operation_id="save_items",
        tags=TAGS,
        summary="Save items of a form",
        request=SentForm,
        responses={
            200: Saved,
            **problems(400, 403, 404),
            **{
                (status, PROBLEM_TYPE): OpenApiResponse(PartlyRefused, description=words)
                for status, words in (
                    (409, "Somebody else changed an item, or the form is closed."),
                    (422, "A value was refused."),
                    (428, "The form is complete: send the item again with a reason."),
                )
            },
        },
    )
    def patch(self, request: Request, number: str, visit: str, form: str, repeat: int) -> Response:
        """Save one or several items. Each is saved by itself: one that is refused keeps no other out.

        All saved: 200. Otherwise a problem, with the status that all refusals share, or 422 where they differ;
        `results` says what became of each item, and what you sent of the others is saved.
        """
        found = self.to_write(number, visit, form, repeat)
        sent = received(request, SentItems)
        entry = self.opened(found)
        saving = _Saving(request, self.actor(entry), entry, sent["reason"])
        for item, content in sent["items"].items():
            saving.save(item, content)
        now = find_entry(self.access, number, visit, form, repeat)
        return saving.answer(_shown(now))


class _Saving:
    """One request that saves items, and what became of each."""

    def __init__(self, request: Request, actor: Actor, entry: Entry, reason: str) -> None:
        self._request = request
        self._actor = actor
        self._entry = entry
        self._reason = reason
        self._results: list[dict[str, Any]] = []
        self._refused: list[DomainError] = []

    def save(self, item: str, content: Any) -> None:
        """Save one item, or note why not."""
        try:
            sent = _cell_sent(item, content)
            saved = services.save_item(
                actor=self._actor,
                entry=self._entry,
                item_id=item,
                typed=Typed(**{name: sent[name] or "" for name in TYPED}),
                expected=sent["expected"],
                reason=sent["reason"] or self._reason,
            )
        except DomainError as error:
            self._note(item, error)
        else:
            self._results.append({"item": item, "status": 200, "changed": saved.changed})

    def _note(self, item: str, error: DomainError) -> None:
        self._entry.refresh_from_db(fields=["values", "state", "frozen", "locked", "version", "updated_at"])
        problem = problem_response(self._request, error, errors={item: _words(error)}).data
        result = {"item": item, "status": error.status, "changed": False, "problem": problem}
        if isinstance(error, ChangedMeanwhileError):
            result["stored"] = self._entry.values.get(item)
        self._results.append(result)
        self._refused.append(error)

    def answer(self, form: Mapping[str, Any]) -> Response:
        """What became of all."""
        if not self._refused:
            return Response({"results": self._results, "form": form})
        alike = len({error.code for error in self._refused}) == 1
        error = self._refused[0]
        if not alike:
            error = ItemsRefused(count=len(self._refused), total=len(self._results))
        errors = {
            each["item"]: each["problem"]["errors"][each["item"]]
            for each in self._results
            if "problem" in each
        }
        return problem_response(self._request, error, errors=errors, results=self._results, form=form)


def _cell_sent(item: str, content: Any) -> dict[str, Any]:
    """One item as it was sent.

    Raises
    ------
    foundation.errors.Invalid
        It has another shape, or parts that are not known.
    """
    shape = SentCell(data=content)
    try:
        shape.is_valid(raise_exception=True)
    except ValidationError as error:
        raise Invalid(flat_errors(error.detail)) from None
    return dict(shape.validated_data)


def _words(error: DomainError) -> str:
    if isinstance(error, Invalid) and error.errors:
        return " ".join(f"{name}: {words}" for name, words in error.errors.items())
    return error.message


def _shown(entry: Entry) -> dict[str, Any]:
    """A form as it is answered."""
    worked = worked_form(entry)
    subject = entry.subject
    order = {item.id: place for place, item in enumerate(worked.form.items)}
    shown = {
        "subject": subject.number,
        "visit": str(entry.visit or LOG),
        "form": entry.form,
        "repeat": entry.repeat,
        "protocol_version": subject.version.label,
        "opened": entry.opened,
        "state": entry.state,
        "not_done": entry.not_done,
        "struck_out": entry.struck_out,
        "frozen": entry.frozen,
        "locked": entry.locked,
        "version": entry.version,
        "updated_at": entry.updated_at if entry.opened else None,
        "values": {item: _cell_shown(cell) for item, cell in entry.values.items()},
        "derived": worked.picture.derived,
        "shown": sorted(worked.picture.shown, key=order.__getitem__),
        "unanswered": worked.picture.unanswered,
        "findings": worked.picture.findings,
        "queries": open_queries(entry) if entry.opened else [],
    }
    return dict(FormShown(shown).data)


def _cell_shown(cell: Mapping[str, Any]) -> dict[str, Any]:
    return {**cell, "confirmed": confirmations(cell)} if "confirmed" in cell else dict(cell)


class CompleteForm(_FormEndpoint):
    """A form that is complete."""

    does = {"POST": "entry.write"}

    @extend_schema(
        operation_id="complete_form",
        tags=TAGS,
        summary="Mark a form complete",
        request=None,
        responses={200: FormShown, **WRITES},
    )
    def post(self, request: Request, number: str, visit: str, form: str, repeat: int) -> Response:
        """Mark a form complete; from then on every change needs a reason.

        Refused while items are unanswered or something impossible stands; `errors` says which.
        """
        entry = self.opened(self.to_write(number, visit, form, repeat))
        try:
            services.complete_entry(actor=self.actor(entry), entry=entry)
        except NotReadyError as error:
            return problem_response(request, error, errors=_what_is_missing(entry))
        return Response(_shown(find_entry(self.access, number, visit, form, repeat)))


def _what_is_missing(entry: Entry) -> dict[str, str]:
    picture = worked_form(entry).picture
    stops = {finding.item: finding.message for finding in picture.findings if finding.level == "stop"}
    return {**dict.fromkeys(picture.unanswered, "Not answered yet."), **stops}


class FormNotDone(_FormEndpoint):
    """A form that was not done."""

    does = {"POST": "entry.write"}

    @extend_schema(
        operation_id="form_not_done",
        tags=TAGS,
        summary="Record that a form was not done",
        request=NotDone,
        responses={200: FormShown, **WRITES},
    )
    def post(self, request: Request, number: str, visit: str, form: str, repeat: int) -> Response:
        """Record that a form was not done, and why. Refused where values stand in it."""
        found = self.to_write(number, visit, form, repeat)
        reason = received(request, NotDone)["reason"]
        entry = self.opened(found)
        services.mark_not_done(actor=self.actor(entry), entry=entry, reason=reason)
        return Response(_shown(find_entry(self.access, number, visit, form, repeat)))


class ConfirmFinding(_FormEndpoint):
    """A value that stands in spite of an edit check."""

    does = {"POST": "entry.write"}

    @extend_schema(
        operation_id="confirm_finding",
        tags=TAGS,
        summary="Confirm a value in spite of an edit check",
        request=Confirmation,
        responses={200: FormShown, **WRITES},
    )
    def post(self, request: Request, number: str, visit: str, form: str, repeat: int) -> Response:
        """Keep a value in spite of a soft check, and say why."""
        found = self.to_write(number, visit, form, repeat)
        sent = received(request, Confirmation)
        entry = self.opened(found)
        services.confirm_finding(
            actor=self.actor(entry),
            entry=entry,
            item_id=sent["item"],
            check_id=sent["check_id"],
            reason=sent["reason"],
        )
        return Response(_shown(find_entry(self.access, number, visit, form, repeat)))


class RowsOfForm(_FormEndpoint):
    """Rows of a repeating form."""

    does = {"POST": "entry.write"}

    @extend_schema(
        operation_id="add_row",
        tags=TAGS,
        summary="Open the next row of a repeating form",
        request=None,
        responses={201: FormShown, **WRITES},
    )
    def post(self, request: Request, number: str, visit: str, form: str) -> Response:
        """Open the next row of a repeating form at a visit or in a log."""
        entry = self.to_write(number, visit, form)
        made = services.add_row(actor=self.actor(entry), subject=entry.subject, visit=entry.visit, form=form)
        return Response(_shown(made), status=201)
