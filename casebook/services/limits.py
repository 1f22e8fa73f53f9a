"""Applying reference limits that changed to values that are stored: by a person, with a reason."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F, Func, JSONField, Value
from django.db.models.functions import Now

from audit.context import Actor, acting
from casebook.limits import difference_of, lab_items, person_items
from casebook.models import Entry
from casebook.selectors import entries, open_queries, worked_form
from casebook.services.automatic import settle_automatic_queries
from casebook.services.entries import is_over, must_be_open
from casebook.services.words import reason_given
from casebook.signals import entry_saved

PERSON_CHANGED = "Limits follow sex and date of birth, which were entered or corrected"


def limits_follow_the_person(actor: Actor, entry: Entry, items: Collection[str]) -> None:
    """Give the subject's laboratory values the limits of its sex and age, when one of the two was saved.

    Forms that are locked or frozen keep what they have; the page of the laboratory lists them.
    """
    protocol = entry.protocol
    if not {f"{entry.form}.{item}" for item in items} & person_items(protocol):
        return
    laboratory = {form.code for form in protocol.forms if lab_items(form)}
    found = entries().filter(subject=entry.subject, form__in=laboratory, locked=False, frozen=False)
    for each in found.exclude(values={}).filter(struck_out=False).order_by("pk"):
        if not is_over(each.unlocked_until):
            tests = [item.id for item in lab_items(protocol.form(each.form))]
            apply_limits(actor=actor, entry=each, items=tests, reason=PERSON_CHANGED)


def apply_limits(*, actor: Actor, entry: Entry, items: Collection[str], reason: str) -> int:
    """Give stored values the limits that apply to them now. The values themselves stay.

    Returns
    -------
    int
        How many values got other limits; those that somebody changed meanwhile are left alone.

    Raises
    ------
    ReasonTooShortError, EntryClosedError
    """
    words = reason_given(reason)
    must_be_open(entry)
    cells = {each.item.id: each.after for each in difference_of(entry, items)}
    if not cells:
        return 0
    unchanged = {f"values__{key}": entry.values[key] for key in cells}
    held = Entry.objects.filter(pk=entry.pk, locked=False, frozen=False, **unchanged)
    with acting(actor, reason=words):
        document = Func(
            F("values"),
            Value(cells, output_field=JSONField()),
            template="(%(expressions)s)",
            arg_joiner=" || ",
            output_field=JSONField(),
        )
        if not held.update(values=document, version=F("version") + 1, updated_at=Now()):
            return 0
        entry.values = {**entry.values, **cells}
        settle_automatic_queries(entry, worked_form(entry).picture, open_queries(entry))
        entry_saved.send(Entry, entry=entry, items=frozenset(cells), actor=actor)
    return len(cells)
