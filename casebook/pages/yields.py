"""What every check of a trial is worth, counted from the checks that fired."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from casebook.models import CheckFiring, Query, QueryOrigin, QueryState
from casebook.rules.grading import CHECK
from casebook.rules.picture import ADDED, LEFT, rules_of
from casebook.rules.yields import Outcome, Yield, outcome, watched_digest
from trials.models import Trial
from trials.schema import Protocol

NUMBERS = ("fired", "changed", "confirmed", "unchanged", "waiting")
EXPORTED = ("check_id", "form", "item", "kind", *NUMBERS, "percent", "message")


def yields_of(trial: Trial, protocol: Protocol) -> list[Yield]:
    """Counts of every check of a protocol, those that yield least first, never fired ones last; two statements."""
    settled = _settled_queries(trial)
    firings = CheckFiring.objects.filter(subject__trial=trial, entry__struck_out=False).values_list(
        "entry_id", "entry__form", "item", "check_id", "watched", "entry__values"
    )
    counts: dict[tuple[str, str], Counter[Outcome]] = defaultdict(Counter)
    for entry, form, item, check, watched, values in firings:
        changed = _watched_now(protocol, form, item, check, values) != watched or settled.get(
            (entry, item, check), False
        )
        confirmed = check in ((values.get(item) or {}).get("confirmed") or {})
        became = outcome(changed=changed, confirmed=confirmed, settled_query=(entry, item, check) in settled)
        counts[form, _name(form, item, check)][became] += 1
    named = [*_checks(protocol)]
    listed = {(form, check) for form, check, *_ in named}
    rows = [
        _yield(form, check, item, message, kind, counts)
        for form, check, item, message, kind in (*named, *_of_any_item(counts.keys() - listed))
    ]
    return sorted(rows, key=lambda row: (row.percent is None, row.percent or 0, -row.fired, row.check_id))


def _settled_queries(trial: Trial) -> dict[tuple[int, str, str], bool]:
    """Queries of checks that somebody answered, or that are closed, and whether one led to a change."""
    found = Query.objects.filter(subject__trial=trial, origin=QueryOrigin.CHECK).exclude(
        state=QueryState.OPEN
    )
    settled: dict[tuple[int, str, str], bool] = {}
    for entry, item, check, changed in found.values_list("entry_id", "item", "check_id", "led_to_change"):
        settled[entry, item, check] = settled.get((entry, item, check), False) or changed
    return settled


def _watched_now(
    protocol: Protocol, form: str, item: str, check: str, values: Mapping[str, Mapping[str, Any]]
) -> str:
    return watched_digest(values, rules_of(protocol, form).watched(item, check))


def _name(form: str, item: str, check: str) -> str:
    """Checks of the protocol have names; that a number is possible is asked of every item alike."""
    return check or f"{form}.{item}"


def _checks(protocol: Protocol) -> Iterable[tuple[str, str, str, str, str]]:
    """Form, check, item, message and kind of everything that can fire."""
    for form in protocol.forms:
        for check in form.checks:
            yield form.code, check.id, check.item, check.message, check.kind
        if form.graded is not None:
            yield (
                form.code,
                CHECK,
                form.graded.grade,
                "The grade differs from what laboratory values suggest.",
                "soft",
            )


OF_ANY_ITEM = {
    "possible": ("The value is outside what is possible.", "hard"),
    LEFT: ("The item does not apply any more and holds a value.", "soft"),
    ADDED: ("The item was added by an amendment and is not answered.", "soft"),
}


def _of_any_item(fired: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str, str, str, str]]:
    """The same of checks that every item has, where one fired."""
    for form, check in sorted(fired):
        item, _, kind = check.rpartition("-")
        if kind in OF_ANY_ITEM:
            yield form, check, item, *OF_ANY_ITEM[kind]


def _yield(
    form: str,
    check: str,
    item: str,
    message: str,
    kind: str,
    counts: Mapping[tuple[str, str], Counter[Outcome]],
) -> Yield:
    found: Counter[Outcome] = counts.get((form, check), Counter())
    return Yield(
        check_id=check,
        form=form,
        item=item,
        message=message,
        kind=kind,
        fired=sum(found.values()),
        changed=found["changed"],
        confirmed=found["confirmed"],
        unchanged=found["unchanged"],
        waiting=found["waiting"],
    )


def exported_yields(rows: Iterable[Yield]) -> list[list[object]]:
    """Rows of the file."""
    return [[getattr(row, name) for name in EXPORTED] for row in rows]
