"""Where a fact is entered: the form of a subject at a visit, and the item in it, also for facts that nobody entered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casebook.models import Entry
from casebook.pages.addresses import form_url
from casebook.rules.projection import Projection, Source
from casebook.rules.status import planned_forms
from eligibility.rules.words import date_in_words
from patients.models import Subject
from trials.schema import Fact, FactField, Protocol
from trials.schema.facts import AS_OF, REGISTRY
from visits.models import Visit
from visits.selectors import visits_of

LIMITS = {"ULN": "upper limit of normal", "LLN": "lower limit of normal"}
STEP = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Place:
    """A form to go to; `url` is empty where there is nowhere to go."""

    words: str
    url: str = ""


@dataclass(frozen=True)
class FactPath:
    """A place in the document of facts, taken apart: `EH_EPISODES[0].EHENDDAT`, `LB.BILI.ULN`."""

    fact: Fact
    index: int | None = None
    field: str = ""
    limit: str = ""

    @property
    def declared(self) -> Fact | FactField:
        """What declares the value: the fact, or the field of a list's records."""
        return self.fact.fields.get(self.field, self.fact)

    @property
    def label(self) -> str:
        """What it is called."""
        label = self.fact.label or self.fact.name
        if self.index is not None:
            label = f"{label}, {self.index + 1}"
        if self.field:
            label = f"{label}: {self.declared.label or self.field}"
        return f"{label}: {LIMITS[self.limit]}" if self.limit else label

    @property
    def form_and_item(self) -> tuple[str, str]:
        """Codes of the form and the item that it is taken from; the item empty for whole rows."""
        form, _, item = self.fact.from_.partition(".")
        if self.field:
            item = self.declared.from_ or self.field
        return form, item


def fact_path(protocol: Protocol, path: str) -> FactPath | None:
    """Take a path of a document apart; None where no fact of the protocol lies there."""
    bare = STEP.sub("", path)
    names = {fact.name: fact for fact in protocol.facts}
    fitting = [name for name in names if bare == name or bare.startswith(f"{name}.")]
    if not fitting:
        return None
    fact = names[max(fitting, key=len)]
    rest = bare[len(fact.name) + 1 :]
    step = STEP.search(path)
    limit = rest if rest in LIMITS else ""
    field = rest if rest in fact.fields else ""
    return FactPath(fact, int(step[1]) if step else None, field, limit)


class Places:
    """Addresses of the facts of one evaluation.

    Parameters
    ----------
    entries
        The entries that the facts come from, and those that are open but empty; with visit and subject.
    subjects
        Subjects in whose casebooks a missing fact may be entered, the likeliest first, each with its visits.
    """

    def __init__(
        self,
        protocol: Protocol,
        projection: Projection,
        entries: Iterable[Entry],
        subjects: Mapping[Subject, Iterable[Visit]],
    ) -> None:
        self._protocol = protocol
        self._projection = projection
        self._entries = {entry.pk: entry for entry in entries}
        self._subjects = {subject: list(visits) for subject, visits in subjects.items()}

    def source(self, path: FactPath) -> Place | None:
        """Where a known fact was entered, with its date."""
        source = self._source(path)
        entry = self._entries.get(source.entry_id) if source else None
        if source is None or entry is None:
            return None
        form = self._protocol.form(source.form)
        item = path.form_and_item[1] or source.item
        dated = f", {date_in_words(source.dated)}" if source.dated else ""
        return Place(
            f"{form.name}{dated}", _address(entry.subject, entry.visit, entry.form, entry.repeat, item)
        )

    def to_enter(self, path: FactPath, *, anew: bool = False) -> Place:
        """Where a missing fact is entered.

        Parameters
        ----------
        anew
            The fact is known but too old: it is entered at the next visit that has the form.
        """
        if path.fact.from_ in {AS_OF, REGISTRY}:
            return Place("Comes from another part of the system")
        form, item = path.form_and_item
        name = (
            self._protocol.form(form).name if form in {each.code for each in self._protocol.forms} else form
        )
        known = self._source(path)
        entry = self._entries.get(known.entry_id) if known else None
        if entry is not None and not anew:
            return Place(name, _address(entry.subject, entry.visit, entry.form, entry.repeat, item))
        for subject, visits in self._subjects.items():
            place = self._planned(subject, visits, form, item, after=entry.visit if entry and anew else None)
            if place is not None:
                return Place(f"{name}{place[0]}", place[1])
        if entry is not None:
            return Place(name, _address(entry.subject, entry.visit, entry.form, entry.repeat, item))
        return Place(name)

    def _source(self, path: FactPath) -> Source | None:
        sources = self._projection.sources.get(path.fact.name, ())
        place = path.index or 0
        return sources[place] if place < len(sources) else None

    def _planned(
        self, subject: Subject, visits: list[Visit], form: str, item: str, *, after: Visit | None
    ) -> tuple[str, str] | None:
        protocol = subject.version.protocol
        entered_here = next((each for each in protocol.forms if each.code == form), None)
        if entered_here is None or (item and item not in entered_here.items_by_id):
            return None
        if form in planned_forms(protocol, None):
            return "", _address(subject, None, form, 1, item)
        for visit in visits:
            if form not in planned_forms(protocol, visit.code):
                continue
            if after is None or (visit.ordinal, visit.sequence) > (after.ordinal, after.sequence):
                return f", {_visit_name(protocol, visit)}", _address(subject, visit, form, 1, item)
        return None


def _visit_name(protocol: Protocol, visit: Visit) -> str:
    return next((each.name for each in protocol.visits if each.code == visit.code), str(visit))


def _address(subject: Subject, visit: Visit | None, form: str, repeat: int, item: str) -> str:
    address = form_url(subject, visit, form, repeat)
    return f"{address}#row-{item}" if item else address


def places_of(subject: Subject, projection: Projection) -> Places:
    """Addresses of the facts of one subject: two statements."""
    entries = (
        Entry.objects.filter(subject=subject, struck_out=False)
        .select_related("visit")
        .only("form", "repeat", "subject_id", "visit")
    )
    found = list(entries)
    for entry in found:
        entry.subject = subject
    return Places(subject.version.protocol, projection, found, {subject: visits_of(subject)})
