"""Where a calculated value comes from: the values of other forms that it was calculated with."""

from __future__ import annotations

from casebook.rules.cells import cell_text
from casebook.rules.dates import date_in_words
from casebook.rules.picture import codelist_of, rules_of
from casebook.rules.projection import Source, latest_sources
from casebook.selectors import WorkedForm, dated
from trials.schema import Item


def calculated_from(worked: WorkedForm, item: Item) -> tuple[str, ...]:
    """`Bilirubin 12 µmol/L (Laboratory, SCR, 12 Sep 2026)`, for each value that stands in another form.

    What stands in the same row is seen there. Nothing is read where the item looks at its own row only.
    """
    protocol = worked.protocol
    reads = rules_of(protocol, worked.form.code).reads.get(item.id, frozenset())
    own = {f"{worked.form.code}.{each}" for each, cell in worked.entry.values.items() if cell.get("value")}
    names = sorted(name for name in reads - own if "." in name)
    if not names:
        return ()
    found = latest_sources(protocol, worked.rows, dated(worked.entry), names)
    return tuple(_words(worked, *found[name]) for name in names if name in found)


def _words(worked: WorkedForm, source: Source, cell: dict[str, object]) -> str:
    form = worked.protocol.form(source.form)
    item = form.item(source.item)
    text = cell_text(item, codelist_of(worked.protocol, item), cell)
    place = ", ".join(filter(None, (form.name, source.visit, source.dated and date_in_words(source.dated))))
    return f"{item.label} {text} ({place})"
