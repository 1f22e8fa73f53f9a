"""Enters a document of facts into the forms that the protocol takes them from, through the services people use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audit.context import acting
from casebook import services
from casebook.models import Entry, EntryState
from casebook.rules.cells import Typed, read_cell
from casebook.rules.picture import rules_of
from casebook.rules.status import planned_forms
from casebook.selectors import entries
from foundation import clock
from logic import Truth, compile_rule
from patients.models import Subject
from tests.cast import Cast
from trials.schema import Fact, Item, Protocol
from visits.models import Visit
from visits.selectors import visits_of

Values = dict[str, Any]
DERIVED: dict[str, dict[Any, dict[str, str]]] = {
    "STG.DIAPH": {"N": {"DIAPHCT": "N", "DIAPHMR": "ND", "DIAPHUS": "ND"}, "Y": {"DIAPHCT": "Y"}},
    "CP.CPCLASS": {"A": {"ASCITES": "NONE", "ENCEPH": "NONE"}},
}
"""What a person enters so that a calculated item comes to a value."""
ROW = {"TU.PLANPROC": {"UNRESECT": "Y"}}
"""What else a row says so that it belongs to the list."""
SKIPPED = {"PREGLAST"}
"""Facts that other facts of the same form give."""


class Nurse:
    """Somebody who fills in forms of one subject at one visit."""

    def __init__(self, cast: Cast, subject: Subject, visit: str = "SCR") -> None:
        self.actor = cast.actor("coordinator")
        self.subject = subject
        self.visit = Visit.objects.get(subject=subject, code=visit)
        self.protocol: Protocol = subject.version.protocol
        self._write: Callable[..., Any] = self.enter

    def enter(self, form: str, values: Mapping[str, Any], repeat: int = 1, reason: str = "") -> Entry:
        """Save items one by one; a value may be a `Typed`, text or None (emptied)."""
        visit = None if form in planned_forms(self.protocol, None) else self._visit_with(form)
        entry = services.open_entry(
            actor=self.actor, subject=self.subject, visit=visit, form=form, repeat=repeat
        )
        for item, value in values.items():
            typed = value if isinstance(value, Typed) else Typed("" if value is None else str(value))
            services.save_item(
                actor=self.actor, entry=entries().get(pk=entry.pk), item_id=item, typed=typed, reason=reason
            )
        return entries().get(pk=entry.pk)

    def put(self, form: str, values: Mapping[str, Any], repeat: int = 1) -> None:
        """Write a form in one go, read as the service reads each item."""
        visit = None if form in planned_forms(self.protocol, None) else self._visit_with(form)
        codelists = rules_of(self.protocol, form).codelists
        today = clock.today(self.subject.site.time_zone)
        cells = {}
        for item_id, value in values.items():
            typed = value if isinstance(value, Typed) else Typed("" if value is None else str(value))
            cells[item_id] = read_cell(
                self.protocol.form(form).item(item_id), codelists[item_id], typed, today
            )
        with acting(self.actor):
            Entry.objects.create(
                subject=self.subject,
                visit=visit,
                form=form,
                repeat=repeat,
                values={item: cell for item, cell in cells.items() if cell},
                state=EntryState.IN_PROGRESS,
            )

    def _visit_with(self, form: str) -> Visit:
        """The nurse's visit, where it has the form, else the first one that does."""
        if form in planned_forms(self.protocol, self.visit.code):
            return self.visit
        return next(
            each for each in visits_of(self.subject) if form in planned_forms(self.protocol, each.code)
        )

    def enter_facts(
        self, facts: Values, *, dated: Mapping[str, str] | None = None, quick: bool = False
    ) -> None:
        """Enter every fact of a document; an absent one as what its absence means.

        Parameters
        ----------
        dated
            Date of forms that carry their own, by form code.
        quick
            A form at a time, past the service: for tests of what comes after.
        """
        self._write = self.put if quick else self.enter
        forms: dict[str, Values] = {}
        for fact in self.protocol.facts:
            form, _, item = fact.from_.partition(".")
            if fact.from_ in {"as_of", "registry"} or fact.name in SKIPPED or not self._applies(fact, facts):
                continue
            value = _look_up(facts, fact)
            if value is None:
                continue
            if fact.type == "list":
                self._rows(fact, form, item, value)
            else:
                forms.setdefault(form, {}).update(self._cells(fact, form, item, value))
        for form, day in (dated or {}).items():
            forms.setdefault(form, {})[self.protocol.form(form).date_item] = day
        for form, values in forms.items():
            self._write(form, values)

    def _applies(self, fact: Fact, facts: Values) -> bool:
        if not fact.when:
            return True
        rule = compile_rule(fact.when, self.protocol.fact_schema())
        return rule.evaluate(facts).value is Truth.TRUE

    def _cells(self, fact: Fact, form: str, item_id: str, value: Any) -> Values:
        item = self.protocol.form(form).item(item_id)
        if item.type == "derived":
            return dict(DERIVED[fact.from_][value])
        return {item_id: _typed(item, value, fact.unit)}

    def _rows(self, fact: Fact, form: str, item_id: str, members: list[Any]) -> None:
        for number, member in enumerate(members, start=1):
            values = dict(ROW.get(fact.from_, {}))
            if item_id:
                values[item_id] = _typed(self.protocol.form(form).item(item_id), member, fact.unit)
            else:
                for name, field in fact.fields.items():
                    item = self.protocol.form(form).item(field.from_ or name)
                    if member.get(name) is not None:
                        values[item.id] = _typed(item, member[name], field.unit)
            self._write(form, values, repeat=number)


def _look_up(facts: Values, fact: Fact) -> Any:
    head, _, tail = fact.name.partition(".")
    holder = facts.get(head, {}) if tail else facts
    key = tail or head
    if key in holder:
        return holder[key]
    return None if fact.absent in {"unknown", "none"} else fact.absent


def _typed(item: Item, value: Any, unit: str) -> Typed | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return Typed(
            str(value["value"]),
            str(value.get("unit") or "1"),
            str(value.get("LLN", "")),
            str(value.get("ULN", "")),
        )
    if item.type in {"quantity", "lab"}:
        return Typed(str(value), unit or item.units[0])
    return Typed(str(value))
