"""What waits for a person, room by room. Everything is derived; each part costs a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.urls import reverse

from accounts.access import Access
from casebook.completeness import waiting_forms
from casebook.models import Query, QueryState
from casebook.pages.addresses import form_url
from casebook.rules.status import GRACE_DAYS, UNSCHEDULED, is_overdue
from casebook.selectors import queries_visible_to
from eligibility.selectors import unsigned_or_stale
from imaging.models import BatchState, Study, StudyState
from imaging.selectors.reads import queue_rows
from imaging.selectors.studies import batches_visible_to, quarantined_files, studies_visible_to
from patients.models import Subject
from patients.selectors import within
from qol.models import InvitationState
from qol.selectors import questionnaires_expected
from reports.models import Export, ExportState
from reports.selectors import exports_visible_to
from safety.selectors.worklist import sae_clocks
from treatment.selectors.worklist import broken_limits, subjects_to_treat
from trials.schema import Protocol
from visits.models import Visit, VisitState
from visits.rules.schedule import day_in_words
from visits.selectors import ENDED, visits_due, visits_visible_to

AHEAD_DAYS = 14
GRACE = timedelta(days=GRACE_DAYS)
QUERY_TARGET = timedelta(days=7)
"""Days within which a query should be answered, and an answer looked at; a house rule."""
UPLOAD_DAYS = 5
"""Days within which images should be sent, where the charter of the protocol says nothing; a house rule."""
EXPORT_STAYS = timedelta(days=3)
"""How long an export that is ready is told; a house rule."""
MOST_QUERIES = 500

KINDS = {
    "visits": "Visits",
    "forms": "Forms",
    "queries": "Queries",
    "eligibility": "Eligibility",
    "treatment": "Treatment",
    "safety": "Serious events",
    "images": "Images",
    "reads": "Reads",
    "questionnaires": "Questionnaires",
    "exports": "Exports",
}


@dataclass(frozen=True)
class Task:
    """Something that waits for a person.

    Attributes
    ----------
    kind
        Key of `KINDS`.
    state
        Name of the status shape.
    due
        The day by which it should be done; None when it has no day of its own.
    trial, site
        Codes, where it belongs to one.
    """

    kind: str
    state: str
    title: str
    detail: str
    url: str
    due: date | None = None
    trial: str = ""
    site: str = ""

    def when(self, today: date) -> str:
        """The deadline in words."""
        if self.due is None:
            return ""
        days = (self.due - today).days
        if days < 0:
            return f"{-days} d late"
        return "today" if days == 0 else f"in {days} d"

    def tone(self, today: date) -> str:
        """How loud the deadline is."""
        if self.due is None:
            return ""
        days = (self.due - today).days
        return "stop" if days < 0 else "attention" if days <= 2 else ""


def _task(
    kind: str, state: str, subject: Subject, title: str, detail: str, url: str, due: date | None = None
) -> Task:
    return Task(
        kind, state, f"{subject.number} · {title}", detail, url, due, subject.trial.code, subject.site.code
    )


def all_waiting(access: Access, today: date, now: datetime) -> Iterator[Task]:
    """All that waits, in no order."""
    yield from _visits(access, today)
    yield from _forms(access, today)
    yield from _queries(access)
    yield from _eligibility(access, today)
    yield from _treatment(access, now)
    yield from _safety(access, now)
    yield from _images(access, today)
    yield from _reads(access)
    yield from _questionnaires(access, today)
    yield from _exports(access, now)


# Visits and forms ---------------------------------------------------------------------------------------------------


def visit_url(visit: Visit) -> str:
    """The casebook, with the dialog of this visit open."""
    name = str(visit).lower().replace(".", "")
    return f"{reverse('subject', args=[visit.subject.number])}#visit-{name}"


def _visits(access: Access, today: date) -> Iterator[Task]:
    for visit in visits_due(access, today, ahead_days=AHEAD_DAYS):
        if visit.earliest is None or visit.latest is None:
            continue
        opened = visit.earliest <= today
        yield _task(
            "visits",
            "visit-overdue" if visit.latest < today else "visit-due" if opened else "visit-planned",
            visit.subject,
            visit_name(visit),
            f"Window {day_in_words(visit.earliest)} to {day_in_words(visit.latest)}.",
            visit_url(visit),
            visit.latest,
        )


def visit_name(visit: Visit) -> str:
    """Name of a visit as the protocol has it."""
    return visit.subject.version.protocol.visit(visit.code).name


def _forms(access: Access, today: date) -> Iterator[Task]:
    """Visits that happened and whose forms are not all complete."""
    happened = list(
        visits_visible_to(access, "entry.write")
        .filter(state=VisitState.DONE, happened_on__lte=today)
        .exclude(subject__status__in=ENDED)
    )
    forms = waiting_forms(happened, today)
    for visit in happened:
        waiting = forms.get(visit.pk, [])
        if visit.code == UNSCHEDULED or not waiting or visit.happened_on is None:
            continue
        late = is_overdue(
            happened_on=visit.happened_on, latest=visit.latest, visit_state=visit.state, today=today
        )
        yield _task(
            "forms",
            "overdue" if late else "in-progress",
            visit.subject,
            f"{visit_name(visit)}: {_counted(len(waiting), 'form')} to complete",
            _listed(visit.subject.version.protocol, waiting),
            form_url(visit.subject, visit, waiting[0]),
            visit.happened_on + GRACE,
        )


def _counted(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def _listed(protocol: Protocol, forms: list[str]) -> str:
    names = [protocol.form(code).name for code in forms]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") + "."


# Queries ------------------------------------------------------------------------------------------------------------


def _queries(access: Access) -> Iterator[Task]:
    """To answer for the site, to look at for whoever closes."""
    for state, permission in ((QueryState.OPEN, "query.answer"), (QueryState.ANSWERED, "query.close")):
        mine = within(access, permission, trial="subject__trial__code", site="subject__site__code")
        waiting = queries_visible_to(access).filter(mine, state=state)
        yield from (_query(query) for query in waiting.order_by("raised_at", "pk")[:MOST_QUERIES])


def _query(query: Query) -> Task:
    form = query.subject.version.protocol.form(query.entry.form)
    item = form.items_by_id.get(query.item)
    address = form_url(query.subject, query.entry.visit, query.entry.form, query.entry.repeat)
    answered = query.state == QueryState.ANSWERED
    return _task(
        "queries",
        "query-answered" if answered else "query-open",
        query.subject,
        item.label if item else form.name,
        f"{'Answered query' if answered else 'Query'} on {form.name}, {query.entry.visit or 'running log'}.",
        f"{address}#row-{query.item}" if query.item else address,
        query.raised_at.date() + QUERY_TARGET,
    )


# Eligibility, treatment, safety -------------------------------------------------------------------------------------


def _eligibility(access: Access, today: date) -> Iterator[Task]:
    """For the site: to sign, out of date, or about to run out."""
    for each in unsigned_or_stale(access, today, permission="entry.write"):
        title = each.title.removeprefix(f"{each.subject.number} · ")
        yield _task("eligibility", each.state, each.subject, title, each.detail, each.url, each.due)


def _treatment(access: Access, now: datetime) -> Iterator[Task]:
    for each in (*subjects_to_treat(access), *broken_limits(access, now)):
        yield _task("treatment", each.state, each.subject, each.title, each.detail, each.url)


def _safety(access: Access, now: datetime) -> Iterator[Task]:
    for each in sae_clocks(access, now):
        due = each.due.date() if each.due else now.date()
        title = f"Serious event: {each.term}"
        yield _task("safety", "overdue", each.subject, title, f"{each.because}.", each.url, due)


# Images, reads, questionnaires, exports -----------------------------------------------------------------------------


def _images(access: Access, today: date) -> Iterator[Task]:
    yield from _images_held(access)
    yield from _images_in_question(access)
    yield from _images_missing(access, today)


def _images_held(access: Access) -> Iterator[Task]:
    """Batches with files that were held back, and batches that could not be worked through."""
    files_held = quarantined_files(access).order_by().values_list("batch").annotate(files=Count("pk"))
    held = dict(files_held.values_list("batch", "files"))
    batches = batches_visible_to(access, "image.upload")
    for batch in batches.filter(pk__in=held) | batches.filter(state=BatchState.FAILED):
        files = held.get(batch.pk, 0)
        yield _task(
            "images",
            "quarantined" if files else "failed",
            batch.subject,
            f"{_counted(files, 'file')} held back" if files else "Upload failed",
            f"Images of {batch.visit}. Look at why, then {'release or reject' if files else 'send them again'}.",
            reverse("image-batch", args=[batch.opaque]),
        )


def _images_in_question(access: Access) -> Iterator[Task]:
    """Studies that did not pass the quality check, for whoever may accept them or send better ones."""
    questioned = studies_visible_to(access).filter(state=StudyState.QC_QUERY)
    for study in questioned.order_by("received_at")[:MOST_QUERIES]:
        said = " ".join(str(each["sentence"]) for each in study.findings[:2])
        yield _task(
            "images",
            "check",
            study.subject,
            f"Images of {study.visit}: quality in question",
            said or "The quality check found something.",
            reverse("image-study", args=[study.opaque]),
        )


def _images_missing(access: Access, today: date) -> Iterator[Task]:
    """Visits that take images, took place, and of which no images came."""
    for visit in _without_images(access):
        protocol = visit.subject.version.protocol
        plan = next((each for each in protocol.visits if each.code == visit.code), None)
        if plan is None or not plan.imaging or visit.happened_on is None:
            continue
        days = protocol.charter.due.get("upload", UPLOAD_DAYS) if protocol.charter else UPLOAD_DAYS
        due = visit.happened_on + timedelta(days=days)
        yield _task(
            "images",
            "overdue" if due < today else "not-started",
            visit.subject,
            f"Images of {plan.name}",
            f"The visit was on {day_in_words(visit.happened_on)}; no images were sent yet.",
            reverse("visit-images", args=[visit.subject.number, str(visit)]),
            due,
        )


def _without_images(access: Access) -> QuerySet[Visit]:
    sent = Study.objects.filter(visit=OuterRef("pk"))
    happened = visits_visible_to(access, "image.upload").filter(~Exists(sent), state=VisitState.DONE)
    return happened.exclude(subject__status__in=ENDED)


def _reads(access: Access) -> Iterator[Task]:
    """The reader's queue; a case has no subject and no site."""
    if not access.may_anywhere("read.perform"):
        return
    for row in queue_rows(access):
        yield Task(
            "reads",
            "overdue" if row.overdue else "not-started",
            f"{row.case} · Time point {row.time_point}",
            f"{row.modality}, {row.slices} slices." if row.modality else "",
            reverse("reading-case", args=[row.read.opaque]),
            row.read.due_on,
        )


def _questionnaires(access: Access, today: date) -> Iterator[Task]:
    for each in questionnaires_expected(access, "qol.invite"):
        link = each.invitation
        sent = link is not None and link.state == InvitationState.OPEN
        yield _task(
            "questionnaires",
            "overdue" if each.due < today else "sent" if sent else "not-started",
            each.subject,
            f"{each.questionnaire.instrument.code} of {visit_name(each.visit)}",
            "The link was sent; no answers yet." if sent else "Not received, and no link is open.",
            reverse("quality-of-life", args=[each.subject.number]),
            each.due,
        )


def _exports(access: Access, now: datetime) -> Iterator[Task]:
    if not access.may_anywhere("export.run"):
        return
    ended = exports_visible_to(access).filter(
        state__in=(ExportState.DONE, ExportState.FAILED), requested_at__gte=now - EXPORT_STAYS
    )
    yield from (_export(each) for each in ended)


def _export(export: Export) -> Task:
    ready = export.state == ExportState.DONE
    return Task(
        "exports",
        "ready" if ready else "failed",
        f"Export of {export.trial.short_title} {'is ready' if ready else 'failed'}",
        f"Asked for on {day_in_words(export.requested_at.date())}.",
        reverse("export", args=[export.pk]),
        trial=export.trial.code,
    )
