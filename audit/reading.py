"""The trail as one person may read it: which events, narrowed how, page by page or all of them as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from audit.forms import TrailForm
from audit.labels import InWords, in_words
from audit.models import Event
from audit.registry import forms, subjects_visible
from audit.selectors import report
from foundation.errors import NotFound

PERMISSION = "audit.view"
BLOCK = 500
HEADING = (
    "EVENT", "MOMENT_UTC", "WHO", "ROLE", "SITE", "SUBJECT", "WHAT", "ACTION", "FIELD", "OLD", "NEW", "REASON",
    "TABLE", "ROW", "ORIGIN", "REQUEST", "ADDRESS", "SESSION",
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """The part of the trail that somebody asked for, within what they may see.

    Attributes
    ----------
    events
        Newest first; None belong to a subject that the person may not see.
    subjects
        Those that the person may see.
    """

    form: TrailForm
    events: QuerySet[Event]
    subjects: QuerySet[Any] | None


def reading(access: Any, asked: Mapping[str, str], zone: str) -> Reading:
    """What somebody asks for; two statements for the choices, the events are not read yet.

    Parameters
    ----------
    asked
        As the form sends it.
    zone
        Time zone of the reader.

    Raises
    ------
    foundation.errors.NotFound
        A subject that the person may not see.
    """
    visible = subjects_visible(access, PERMISSION)
    known = forms()
    form = TrailForm(dict(asked), sites=_sites(visible), form_names=known.choices() if known else [])
    form.is_valid()
    events = _events(visible, form.cleaned_data.get("subject", ""), form.cleaned_data.get("site", ""))
    return Reading(form, report(events, form.wanted(zone)), visible)


def _sites(visible: QuerySet[Any] | None) -> list[tuple[str, str]]:
    if visible is None:
        return []
    found = visible.order_by("site__code").values_list("site__code", "site__name").distinct()
    return [(code, f"{code} · {name}") for code, name in found]


def _events(visible: QuerySet[Any] | None, number: str, site: str) -> QuerySet[Event]:
    if visible is None:
        return Event.objects.none()
    subjects = visible.order_by()
    if site:
        subjects = subjects.filter(site__code=site)
    if number:
        subjects = subjects.filter(number=number)
        key = subjects.values_list("pk", flat=True).first()
        if key is None:
            raise NotFound
        return Event.objects.filter(subject_id=key)
    return Event.objects.filter(subject_id__in=subjects.values("pk"))


@dataclass(frozen=True)
class ShownEvent:
    """An event in words, with the subject and site that it is of."""

    words: InWords
    subject: str
    site: str


def shown(events: list[Event], subjects: QuerySet[Any] | None) -> list[ShownEvent]:
    """Events for people."""
    places: dict[int, tuple[str, str]] = {}
    if events and subjects is not None:
        found = subjects.order_by().filter(pk__in={event.subject_id for event in events})
        places = {
            key: (number, site) for key, number, site in found.values_list("pk", "number", "site__code")
        }
    return [
        ShownEvent(words, *places.get(words.event.subject_id or 0, ("", ""))) for words in in_words(events)
    ]


def table(read: Reading) -> Iterator[list[Any]]:
    """All events of a reading, oldest first, a row for each changed field; streamed."""
    rest = read.events.order_by("id").iterator(BLOCK)
    while block := list(islice(rest, BLOCK)):
        for each in shown(block, read.subjects):
            yield from _rows(each)


def _rows(each: ShownEvent) -> Iterator[list[Any]]:
    event = each.words.event
    head = [event.pk, event.at.isoformat(), event.actor, event.role, each.site, each.subject, each.words.what]
    tail = [
        event.reason, event.table_name, event.row_id, event.origin, event.request_id, event.address, event.session
    ]  # fmt: skip
    action = event.get_action_display()
    for change in each.words.changes:
        yield [*head, action, change.name, change.old, change.new, *tail]
    if not each.words.changes:
        yield [*head, action, "", "", "", *tail]
