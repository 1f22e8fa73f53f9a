"""Today: one list by deadline over all trials of a person's sites. Everything in it is derived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from accounts.access import Access
from reports.waiting import all_waiting
from reports.waiting.casebook import visit_name, visit_url
from reports.waiting.task import KINDS, Task
from visits.models import VisitState
from visits.rules.schedule import day_in_words
from visits.selectors import ENDED, visits_visible_to

__all__ = ["GROUPS", "Chosen", "Group", "Task", "grouped", "kinds_in", "narrowed", "next_up", "tasks_of"]

WEEK = timedelta(days=7)
GROUPS = ("Overdue", "Today", "This week", "Later")


@dataclass(frozen=True)
class Chosen:
    """What somebody narrowed the list to; empty shows everything."""

    trial: str = ""
    site: str = ""
    kind: str = ""


EVERYWHERE = Chosen()


@dataclass(frozen=True)
class Group:
    """Tasks under one heading; `count` is of the whole list, `tasks` of the page."""

    title: str
    count: int
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class NextUp:
    """What comes next for somebody who has nothing to do today."""

    words: str
    on: date
    url: str

    @property
    def day(self) -> str:
        """The day as people write it."""
        return day_in_words(self.on)


def tasks_of(access: Access, today: date, now: datetime) -> list[Task]:
    """All that waits for a person, by deadline; a constant number of statements."""
    return sorted(all_waiting(access, today, now), key=lambda task: (task.due or today, task.title))


def narrowed(tasks: Iterable[Task], chosen: Chosen) -> list[Task]:
    """Tasks of one trial, site or kind. What belongs to no site stays in every site."""
    return [
        task
        for task in tasks
        if chosen.trial in {"", task.trial}
        and (chosen.site in {"", task.site} or not task.site)
        and chosen.kind in {"", task.kind}
    ]


def kinds_in(tasks: Iterable[Task]) -> list[tuple[str, str, int]]:
    """Kinds that occur, with their words and numbers."""
    counts = Counter(task.kind for task in tasks)
    return [(kind, words, counts[kind]) for kind, words in KINDS.items() if counts[kind]]


def group_of(task: Task, today: date) -> str:
    """Heading of a task; what has no day of its own waits today."""
    due = task.due or today
    if due < today:
        return "Overdue"
    if due == today:
        return "Today"
    return "This week" if due <= today + WEEK else "Later"


def grouped(tasks: Sequence[Task], shown: Iterable[Task], today: date) -> list[Group]:
    """The tasks of a page under their headings, with the numbers of the whole list."""
    counts = Counter(group_of(task, today) for task in tasks)
    by_group: dict[str, list[Task]] = {}
    for task in shown:
        by_group.setdefault(group_of(task, today), []).append(task)
    return [Group(title, counts[title], tuple(by_group[title])) for title in GROUPS if title in by_group]


def next_up(access: Access, tasks: Sequence[Task], today: date, chosen: Chosen = EVERYWHERE) -> NextUp | None:
    """What comes next, where nothing is overdue or waits today; one statement where no task is left."""
    if tasks:
        first = tasks[0]
        pressing = group_of(first, today) in GROUPS[:2]
        return None if pressing or first.due is None else NextUp(first.title, first.due, first.url)
    planned = visits_visible_to(access, "entry.view").filter(state=VisitState.PLANNED, target__gte=today)
    for code, lookup in ((chosen.trial, "subject__trial__code"), (chosen.site, "subject__site__code")):
        if code:
            planned = planned.filter(**{lookup: code})
    visit = planned.exclude(subject__status__in=ENDED).order_by("target", "subject__number").first()
    if visit is None or visit.target is None:
        return None
    return NextUp(f"{visit_name(visit)} of {visit.subject.number}", visit.target, visit_url(visit))
