"""Visits outside their window: each proposes a protocol deviation, which a person confirms value by value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from casebook.pages.proposals import Proposal
from casebook.rules.cells import cell_text
from casebook.rules.picture import codelist_of
from casebook.rules.projection import Row
from casebook.rules.status import UNSCHEDULED
from casebook.selectors import WorkedForm
from trials.schema import Form, Protocol
from visits.models import Visit
from visits.rules.schedule import day_in_words

WINDOW = "window"
"""Origin of a value that the day of a visit proposes."""


@dataclass(frozen=True)
class OffWindow:
    """A visit that took place outside its window: by how many days, negative when it was early."""

    visit: Visit
    name: str
    days: int

    @property
    def words(self) -> str:
        """Such as `2 days after its window`."""
        number = abs(self.days)
        return f"{number} day{'' if number == 1 else 's'} {'after' if self.days > 0 else 'before'} its window"


def deviation_form(protocol: Protocol) -> Form | None:
    """The running log that takes deviations, where the pack names what a visit proposes."""
    logs = (protocol.form(code) for code in protocol.logs)
    return next((form for form in logs if form.window_deviation is not None), None)


def deviations_to_record(
    protocol: Protocol, visits: Iterable[Visit], rows: Iterable[Row]
) -> Iterator[OffWindow]:
    """Visits outside their window for which no deviation is recorded yet."""
    form = deviation_form(protocol)
    if form is None or form.window_deviation is None:
        return
    kept = form.window_deviation
    cells = [row.values for row in rows if row.form == form.code]
    recorded = {
        (each.get(kept.date) or {}).get("value")
        for each in cells
        if (each.get(kept.kind) or {}).get("value") == kept.code
    }
    for visit in visits:
        off = days_off(visit)
        if off and visit.happened_on and visit.happened_on.isoformat() not in recorded:
            yield OffWindow(visit, _name(protocol, visit), off)


def days_off(visit: Visit) -> int:
    """Days by which a visit that took place missed its window: negative when early, 0 where it did not or has none."""
    on = visit.happened_on
    if on is None or visit.earliest is None or visit.latest is None or visit.code == UNSCHEDULED:
        return 0
    return min(0, (on - visit.earliest).days) or max(0, (on - visit.latest).days)


def from_visit(worked: WorkedForm, off: OffWindow) -> dict[str, Proposal]:
    """What the visit proposes, beside each field that is empty."""
    wanted, visit = worked.form.window_deviation, off.visit
    if wanted is None or visit.happened_on is None or visit.earliest is None or visit.latest is None:
        return {}
    window = f"{day_in_words(visit.earliest)} to {day_in_words(visit.latest)}"
    text = f"{off.name} took place on {day_in_words(visit.happened_on)}, {off.words} ({window})."
    proposed = {wanted.date: visit.happened_on.isoformat(), wanted.kind: wanted.code, wanted.text: text}
    return {
        item: _proposal(worked, item, value, f"{off.name} was {off.words}")
        for item, value in proposed.items()
        if item and not worked.entry.values.get(item)
    }


def _proposal(worked: WorkedForm, item_id: str, value: str, said: str) -> Proposal:
    item, parts = worked.form.item(item_id), {"value": value}
    words = cell_text(item, codelist_of(worked.protocol, item), parts)
    return Proposal(WINDOW, words, said, json.dumps(parts))


def _name(protocol: Protocol, visit: Visit) -> str:
    name = protocol.visit(visit.code).name
    return name if visit.sequence == 1 else f"{name} ({visit.sequence})"
