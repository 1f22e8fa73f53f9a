"""Reads: assigned by the system, opened in their order."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.errors import WritingStopped
from accounts.models import User
from audit.context import Actor, acting, service_actor
from casebook.closing import subjects_of_locked_places
from foundation import clock
from imaging.errors import ReadWaitsError
from imaging.masking import case_code
from imaging.models import Order, Read, ReadState, Study, StudyState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.repeats import DRAWN_BELOW, chosen_for_repeat
from imaging.rules.working_days import add_working_days
from imaging.selectors.adjudications import adjudicators_of
from imaging.selectors.lesions import BASELINE_KINDS, suspected_visits
from imaging.selectors.readers import readers_for
from imaging.selectors.reads import is_locked, results
from trials.models import ProtocolVersion

QUEUE = service_actor("reading queue")
STANDARD_DAYS = 10


def queue_reads(*, actor: Actor, study: Study) -> list[Read]:
    """Assign the reads that the charter asks for; those that are there already stay as they are.

    Readers are chosen by the system among those who are qualified: whoever has the fewest open reads, never the same
    person twice. Where there are fewer than the charter asks for, the rest is assigned when `queue_waiting` runs again.
    Without a charter that is in effect nothing is read.
    """
    wanted = _readers(study.subject.version)
    with acting(actor):
        Study.objects.select_for_update().get(pk=study.pk)
        known = list(_assigned_to(study.visit_id).order_by("number"))
        taken = {read.reader_id for read in known}
        numbers = [number for number in range(1, wanted + 1) if number not in {read.number for read in known}]
        made = []
        for number in numbers:
            reader = _reader_for(study, number, taken)
            if reader is None:
                break
            taken.add(reader.pk)
            made.append(_new_read(study, reader, number))
    return made


def _reader_for(study: Study, number: int, taken: set[int]) -> User | None:
    """Who read this case before under the same number goes on with it; otherwise whoever has the least to do.

    Whoever read it under another number is barred, and so is whoever decided between its readers: they saw both.
    """
    free = [user for user in readers_for(study.subject.trial.code) if user.pk not in taken]
    case = Read.objects.filter(subject=study.subject_id)
    before = set(case.filter(number=number).values_list("reader", flat=True))
    others = set(case.exclude(number=number).values_list("reader", flat=True))
    known = [user for user in free if user.pk in before]
    if known:
        return known[0]
    rows = (
        Read.objects.exclude(state=ReadState.SIGNED).values_list("reader").annotate(n=Count("pk")).order_by()
    )
    load = dict(rows)
    others |= set(adjudicators_of(study.subject_id))
    candidates = [user for user in free if user.pk not in others]
    return min(candidates, key=lambda user: (load.get(user.pk, 0), user.pk), default=None)


def _assigned_to(visit: int) -> QuerySet[Read]:
    """First versions of the reads of a visit; neither repeats nor an adjudicator's."""
    return results().filter(visit=visit, version=1).exclude(number=ADJUDICATORS_NUMBER)


def _new_read(study: Study, reader: User, number: int) -> Read:
    order = _order(study.subject.version)
    return Read.objects.create(
        subject_id=study.subject_id,
        visit_id=study.visit_id,
        reader=reader,
        number=number,
        order=order,
        mask=case_code() if order == Order.RANDOM else "",
        draw=secrets.randbelow(DRAWN_BELOW),
        charter_sha256=study.subject.version.sha256,
        due_on=add_working_days(clock.today(), _due_days(study)),
    )


def _order(version: ProtocolVersion) -> str:
    charter = version.protocol.charter
    return charter.order if charter else Order.SEQUENTIAL


def _due_days(study: Study) -> int:
    """Working days that the charter gives; shorter before treatment and where the site suspects a recurrence."""
    protocol = study.subject.version.protocol
    due = protocol.charter.due if protocol.charter else {}
    plan = next((each for each in protocol.visits if each.code == study.visit.code), None)
    step = "standard_read"
    if plan is not None and plan.kind in BASELINE_KINDS:
        step = "eligibility_read"
    elif suspected_visits([study.visit_id]):
        step = "recurrence_read"
    return int(due.get(step, due.get("standard_read", STANDARD_DAYS)))


def queue_waiting() -> int:
    """Assign accepted studies that lack readers; returns how many reads were made. For a periodic task."""
    made = 0
    accepted = Study.objects.filter(state=StudyState.QC_PASS).exclude(subject__in=subjects_of_locked_places())
    for version in ProtocolVersion.objects.filter(pk__in=accepted.values("subject__version")):
        own = accepted.filter(subject__version=version).select_related(
            "subject__version", "subject__trial", "visit"
        )
        for study in own.alias(assigned=_assigned()).filter(assigned__lt=_readers(version)):
            made += len(queue_reads(actor=QUEUE, study=study))
    return made


def _readers(version: ProtocolVersion) -> int:
    charter = version.protocol.charter
    return charter.readers if charter and version.effective_from <= clock.today() else 0


def _assigned() -> Coalesce:
    """How many readers the visit of a study has."""
    reads = (
        results()
        .filter(visit=OuterRef("visit"), version=1)
        .exclude(number=ADJUDICATORS_NUMBER)
        .order_by()
        .values("visit")
    )
    return Coalesce(Subquery(reads.annotate(n=Count("pk")).values("n")), 0)


def queue_repeats() -> int:
    """Show the charter's share of signed reads to their readers again, under another name; returns how many.

    A read comes up when the charter's time has passed since it was signed. Which reads was settled by the number that
    was drawn at assignment. For a periodic task.
    """
    made = 0
    for version in ProtocolVersion.objects.filter(sha256__in=results().values("charter_sha256").distinct()):
        charter = version.protocol.charter
        if charter is None or not charter.reread_pct or charter.reread_after_days is None:
            continue
        since = clock.now() - timedelta(days=charter.reread_after_days)
        due = add_working_days(clock.today(), int(charter.due.get("standard_read", STANDARD_DAYS)))
        for read in _repeatable(version).filter(signed_at__lte=since):
            if chosen_for_repeat(read.draw, charter.reread_pct):
                _repeat(read, due)
                made += 1
    return made


def _repeatable(version: ProtocolVersion) -> QuerySet[Read]:
    """First versions of signed reads under a charter that were never repeated."""
    repeated = Read.objects.filter(repeat_of=OuterRef("pk"))
    return (
        results()
        .filter(~Exists(repeated), charter_sha256=version.sha256, state=ReadState.SIGNED, version=1)
        .exclude(number=ADJUDICATORS_NUMBER)
        .exclude(subject__in=subjects_of_locked_places())
    )


def _repeat(read: Read, due: date) -> None:
    with acting(QUEUE):
        Read.objects.create(
            subject_id=read.subject_id,
            visit_id=read.visit_id,
            reader_id=read.reader_id,
            number=read.number,
            order=read.order,
            mask=case_code(),
            draw=secrets.randbelow(DRAWN_BELOW),
            repeat_of=read,
            charter_sha256=read.charter_sha256,
            due_on=due,
        )


def open_read(*, actor: Actor, read: Read) -> Read:
    """Begin to read: the state and the time are kept. A read that was begun or signed is left as it is.

    Where nothing is written at the moment, it is looked at as it is.

    Raises
    ------
    ReadWaitsError
        An earlier time point of the case is not signed.
    """
    if is_locked(read):
        raise ReadWaitsError
    if read.state != ReadState.ASSIGNED:
        return read
    with suppress(WritingStopped), acting(actor):
        Read.objects.filter(pk=read.pk, state=ReadState.ASSIGNED).update(
            state=ReadState.IN_READ, opened_at=clock.now()
        )
    read.refresh_from_db(fields=["state", "opened_at"])
    return read
