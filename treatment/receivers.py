"""What this room does when the casebook says that something was saved."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.dispatch import receiver

from audit.context import Actor
from casebook.errors import ItemRefusedError
from casebook.models import Entry, EntryState
from casebook.selectors import dated
from casebook.signals import entry_saved
from foundation import clock
from patients.models import Subject
from patients.policies import may_move
from treatment.rules.course import BEFORE_TREATMENT, ENDED, status_at_end, treatment_moves
from treatment.rules.forms import (
    DEATH_DATE,
    END_DATE,
    end_of_treatment_forms,
    field_items,
    infusion_form,
    moments,
    source_form,
    study_treatment_forms,
)
from treatment.rules.record import INFUSIONS, broken_plan, last_procedure_is_complete
from treatment.selectors.admission import no_more_allowed, too_many
from treatment.selectors.record import SubjectTreatment, treatment_of
from treatment.services import move_along
from trials.schema import Protocol


@receiver(entry_saved, dispatch_uid="treatment.follow_the_record")
def follow_the_record(sender: object, **said: Any) -> None:
    """Refuse an infusion too many; move the subject's status with its treatment and with the end of its study."""
    entry: Entry = said["entry"]
    items: frozenset[str] = said["items"]
    protocol = entry.subject.version.protocol
    if entry.form in study_treatment_forms(protocol):
        if items & moments(protocol.form(entry.form)):
            _treatment_recorded(said["actor"], entry, items)
    elif entry.state == EntryState.COMPLETE and not entry.struck_out:
        _disposition_recorded(said["actor"], entry, protocol)


def _treatment_recorded(actor: Actor, entry: Entry, items: frozenset[str]) -> None:
    treatment = treatment_of(entry.subject)
    _refuse_one_too_many(treatment, entry, items)
    follow_treatment(actor, treatment)


def _refuse_one_too_many(treatment: SubjectTreatment, entry: Entry, items: frozenset[str]) -> None:
    """The start of an infusion that breaks a hard rule about the plan is not stored, and the person is told why."""
    protocol = treatment.protocol
    starts = items & field_items(protocol, INFUSIONS, "T0")
    if entry.form != infusion_form(protocol) or not starts or entry.struck_out:
        return
    broken = broken_plan(treatment.findings)
    if broken:
        raise ItemRefusedError(field=min(starts), message=too_many(treatment, broken[0]).message)


def follow_treatment(actor: Actor, treatment: SubjectTreatment) -> None:
    """Bring the status of a subject in line with the treatment that is recorded."""
    first = _first_day(treatment)
    if first is None:
        return
    over = _is_over(treatment)
    began = treatment_moves(treatment.subject.status, begun=True, over=over) == ("ON_TREATMENT",)
    on = first if began and treatment.subject.status in BEFORE_TREATMENT else treatment.today
    _move(actor, treatment.subject, on, "treatment recorded", over=over)


def _move(actor: Actor, subject: Subject, on: date, reason: str, *, over: bool) -> None:
    """Move a subject that has had treatment, by its status of this moment: data are never refused for a status."""
    if not treatment_moves(subject.status, begun=True, over=over):
        return
    subject.refresh_from_db(fields=["status"])
    moves = treatment_moves(subject.status, begun=True, over=over)
    if moves and may_move(subject.status, moves[0]):
        move_along(actor=actor, subject=subject, statuses=moves, on=on, reason=reason)


def _first_day(treatment: SubjectTreatment) -> date | None:
    """Day of the first treatment of the trial that is recorded with its whole date."""
    protocol = treatment.protocol
    days = []
    for row in treatment.rows:
        if row.form not in study_treatment_forms(protocol):
            continue
        item = protocol.form(row.form).date_item or _operation_date(protocol, row.form)
        day = str((row.values.get(item) or {}).get("value") or "")
        if len(day) == 10:
            days.append(date.fromisoformat(day))
    return min(days, default=None)


def _operation_date(protocol: Protocol, form: str) -> str:
    """The item that dates a procedure on a form without a date of its own (the operation on the transplant form)."""
    named = {fact.from_.partition(".")[2] for fact in protocol.facts if fact.from_.startswith(f"{form}.")}
    return next(
        (item.id for item in protocol.form(form).items if item.type == "date" and item.id in named), ""
    )


def _is_over(treatment: SubjectTreatment) -> bool:
    ended = end_of_treatment_forms(treatment.protocol)
    if (
        ended
        and Entry.objects.filter(
            subject=treatment.subject,
            form__in=ended,
            state=EntryState.COMPLETE,
            struck_out=False,
            not_done="",
        ).exists()
    ):
        return True
    return last_procedure_is_complete(treatment.recorded, no_more_allowed=no_more_allowed(treatment))


def _disposition_recorded(actor: Actor, entry: Entry, protocol: Protocol) -> None:
    """A complete disposition or death form says how treatment, study or life ended."""
    subject = entry.subject
    if subject.status in ENDED or entry.not_done:
        return
    on = min(dated(entry), clock.today(subject.site.time_zone))
    if entry.form == source_form(protocol, END_DATE):
        reason = str((entry.values.get("DSDECOD") or {}).get("value") or "")
        _end(actor, subject, status_at_end(reason), on, f"end of study: {reason.lower()}")
    elif entry.form == source_form(protocol, DEATH_DATE):
        _end(actor, subject, "DISCONTINUED", on, "death")
    elif entry.form in end_of_treatment_forms(protocol) and _had_its_treatment(subject):
        _move(actor, subject, on, "end of treatment", over=True)


def _had_its_treatment(subject: Subject) -> bool:
    """Whether treatment is recorded here, or the arm has none that is (chemotherapy runs along, outside forms)."""
    return subject.status == "ENROLLED" or _first_day(treatment_of(subject)) is not None


def _end(actor: Actor, subject: Subject, status: str, on: date, reason: str) -> None:
    """End a subject's way through the trial; a subject that cannot go there is discontinued."""
    wanted = status if may_move(subject.status, status) else "DISCONTINUED"
    move_along(actor=actor, subject=subject, statuses=(wanted,), on=on, reason=reason)
